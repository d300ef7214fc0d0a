/** Whether the API server is told to call the webhook, as the installation means it, and whether it gets there. */
import { STRICT_WEBHOOKS } from '../contract/webhooks.ts';
import type { Finding, Patient, Reading } from './patient.ts';
import { unknown } from './patient.ts';
import { askReachability } from './reachability.ts';
import type { Registration } from './registrations.ts';
import { MUTATING, VALIDATING, registrationOf } from './registrations.ts';

export async function examineRegistration(patient: Patient): Promise<readonly Finding[]> {
  const readings = await Promise.all(
    [MUTATING, VALIDATING].map(async (kind) => readRegistration(patient, kind)),
  );
  const found = readings.flatMap((reading) => (reading.state === 'read' ? [reading.value] : []));
  const reached = found.length === 0 ? [] : [await reachable(patient)];
  return [
    ...readings.map((reading, index) => registered(reading, index, patient)),
    strict(found),
    ...reached,
  ];
}

/** One of the two configurations, as it is live. */
export async function readRegistration(
  patient: Patient,
  kind: typeof MUTATING,
): Promise<Reading<Registration>> {
  const reading = await patient.read(kind, patient.name);
  return reading.state === 'read' ? { state: 'read', value: registrationOf(kind, reading.value) } : reading;
}

function registered(reading: Reading<Registration>, index: number, { name }: Patient): Finding {
  const kind = index === 0 ? MUTATING.kind : VALIDATING.kind;
  const check = 'registration';
  if (reading.state === 'failed') return unknown(check, reading.why);
  const count = reading.state === 'read' ? reading.value.entries.length : 0;
  if (count > 0) return { check, outcome: 'ok', message: `${kind} ${name} has ${count} webhooks` };
  const what = reading.state === 'read' ? `${kind} ${name} has no webhooks` : `there is no ${kind} ${name}`;
  const message = `${what}: the API server does not ask the webhook`;
  return { check, outcome: 'failed', message, fix: 'helm upgrade the release again' };
}

function strict(found: readonly Registration[]): Finding {
  const check = 'strict';
  const entries = found.flatMap((registration) => registration.entries);
  const open = entries.filter(
    ({ name, failurePolicy }) => STRICT_WEBHOOKS.includes(name) && failurePolicy !== 'Fail',
  );
  if (entries.length === 0) return unknown(check, 'no webhook configuration was read');
  if (open.length === 0)
    return { check, outcome: 'ok', message: 'strict namespaces refuse what nobody could judge' };
  const message = `${open.map(({ name }) => name).join(' and ')} let pods of strict namespaces pass while nobody answers`;
  const fix =
    'the leader closes them once it was reached (see reachability); or set webhook.failurePolicy=Fail';
  return { check, outcome: 'warning', message, fix };
}

async function reachable({ client, namespace, name }: Patient): Promise<Finding> {
  const check = 'reachability';
  const { outcome, message } = await askReachability(client, namespace, name);
  if (outcome === 'reached') return { check, outcome: 'ok', message: 'the API server reaches a replica' };
  if (outcome === 'unasked') return unknown(check, message);
  const fix =
    'look at the certificates and the Service; a firewall or NetworkPolicy between the API server and port 8443 ' +
    'of the pods (private clusters: allow the control plane) does this too';
  return { check, outcome: 'failed', message, fix };
}
