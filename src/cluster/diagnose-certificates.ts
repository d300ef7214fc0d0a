/** Whether every live caBundle accepts the serving certificate, and for how long. */
import { formatDuration } from '../kube/duration.ts';
import { dig, text } from '../kube/json.ts';
import { SECRET, SERVICE } from '../kube/object.ts';
import { certificatesIn, readCertificate } from './certificate-chain.ts';
import { heldIn } from './certificate-secret.ts';
import { readRegistration } from './diagnose-registration.ts';
import type { Finding, Patient } from './patient.ts';
import { unknown } from './patient.ts';
import type { Registration } from './registrations.ts';
import { MUTATING, VALIDATING, distrusting } from './registrations.ts';

const WEEK = 7 * 24 * 3_600_000;

export async function examineCertificates(patient: Patient): Promise<readonly Finding[]> {
  const { config, name, now } = patient;
  const readings = await Promise.all(
    [MUTATING, VALIDATING].map(async (kind) => readRegistration(patient, kind)),
  );
  const found = readings.flatMap((reading) => (reading.state === 'read' ? [reading.value] : []));
  const bundles = bundlesOf(found, now);
  if (config.certificates.mode !== 'self') return [bundles];
  const secret = await patient.read(SECRET, `${name}-certificates`);
  if (secret.state === 'failed') return [bundles, unknown('certificates', secret.why)];
  if (secret.state === 'absent') {
    const message = `there is no Secret ${name}-certificates to keep certificates in`;
    return [
      bundles,
      { check: 'certificates', outcome: 'failed', message, fix: 'helm upgrade the release again' },
    ];
  }
  const { leaf } = heldIn(secret.value).data;
  // A Service that leads out of the cluster leads to a webhook that has its own, in its --cert-dir.
  if (leaf === '' && (await leadsOut(patient))) return [bundles];
  return [bundles, serving(leaf, found, patient)];
}

async function leadsOut(patient: Patient): Promise<boolean> {
  const service = await patient.read(SERVICE, patient.name);
  return service.state === 'read' && text(dig(service.value, 'spec'), 'externalName') !== undefined;
}

function bundlesOf(found: readonly Registration[], now: number): Finding {
  const check = 'caBundle';
  const entries = found.flatMap((registration) => registration.entries);
  if (entries.length === 0) return unknown(check, 'no webhook configuration was read');
  const bad = entries.filter(
    ({ caBundle }) => !certificatesIn(caBundle).some((one) => one.validToDate.getTime() > now),
  );
  if (bad.length === 0)
    return { check, outcome: 'ok', message: 'every webhook has a caBundle with a valid CA' };
  const message = `${bad.map(({ name }) => name).join(', ')} has no caBundle with a valid CA`;
  const fix = 'the leader writes it: see leader and permissions';
  return { check, outcome: 'failed', message, fix };
}

function serving(chain: string, found: readonly Registration[], { name, namespace, now }: Patient): Finding {
  const check = 'certificates';
  const leaf = readCertificate(chain);
  const logs = `kubectl logs -n ${namespace} deployment/${name} says what keeps the leader from replacing it`;
  if (leaf === undefined) {
    return {
      check,
      outcome: 'failed',
      message: `Secret ${name}-certificates has no certificate yet`,
      fix: logs,
    };
  }
  const left = leaf.validToDate.getTime() - now;
  if (left <= 0)
    return { check, outcome: 'failed', message: `the certificate expired at ${leaf.validTo}`, fix: logs };
  const distrusted = distrusting(found, chain, now);
  if (distrusted.length > 0) {
    const message = `the certificate is not accepted by the caBundle of ${distrusted.join(', ')}`;
    return { check, outcome: 'failed', message, fix: logs };
  }
  const message = `every caBundle accepts the certificate, which is valid for ${formatDuration(left)}`;
  return left < WEEK ? { check, outcome: 'warning', message, fix: logs } : { check, outcome: 'ok', message };
}
