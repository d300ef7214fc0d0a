/** Whether replicas run, whether the Service leads to them, who leads, and which versions meet. */
import { asArray, asNumber, dig, get, text } from '../kube/json.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { DEPLOYMENT, ENDPOINT_SLICE, LEASE, SERVICE, timeOf } from '../kube/object.ts';
import type { Finding, Patient, Reading } from './patient.ts';
import { unknown } from './patient.ts';

export async function examineReplicas(patient: Patient): Promise<readonly Finding[]> {
  const { name, namespace } = patient;
  const [deployment, service, slices, lease, versions] = await Promise.all([
    patient.read(DEPLOYMENT, name),
    patient.read(SERVICE, name),
    patient.list(ENDPOINT_SLICE, namespace, `?labelSelector=kubernetes.io%2Fservice-name%3D${name}`),
    patient.read(LEASE, name),
    patient.client.get('/version'),
  ]);
  const isOutside = service.state === 'read' && text(dig(service.value, 'spec'), 'type') === 'ExternalName';
  return [
    kubernetes(versions),
    ...(isOutside ? [] : [replicas(deployment, patient), version(deployment, patient)]),
    endpoints(service, slices, patient),
    leader(lease, patient),
  ];
}

const OLDEST = 30;

function kubernetes(answer: JsonObject): Finding {
  const [major, minor] = [text(answer, 'major') ?? '', Number.parseInt(text(answer, 'minor') ?? '', 10)];
  const check = 'kubernetes';
  const message = `Kubernetes ${text(answer, 'gitVersion') ?? `${major}.${minor}`}`;
  if (major === '1' && minor < OLDEST) {
    return { check, outcome: 'failed', message, fix: `the chart needs Kubernetes 1.${OLDEST} or newer` };
  }
  return { check, outcome: 'ok', message };
}

function replicas(deployment: Reading<JsonObject>, { name, namespace }: Patient): Finding {
  const check = 'replicas';
  if (deployment.state === 'failed') return unknown(check, deployment.why);
  const pods = `kubectl get pods -n ${namespace}; kubectl describe deployment ${name} -n ${namespace}`;
  if (deployment.state === 'absent') {
    const message = `there is no Deployment ${name} in namespace ${namespace}`;
    return { check, outcome: 'failed', message, fix: 'install the chart, or say --name and -n' };
  }
  const wanted = asNumber(dig(deployment.value, 'spec', 'replicas')) ?? 1;
  const ready = asNumber(dig(deployment.value, 'status', 'readyReplicas')) ?? 0;
  const message = `${ready} of ${wanted} replicas are ready`;
  if (ready === 0) return { check, outcome: 'failed', message, fix: pods };
  if (ready < wanted) return { check, outcome: 'warning', message, fix: pods };
  const lone = 'one replica: its restart is an outage; set replicaCount to 2 or more';
  return wanted === 1 ? { check, outcome: 'warning', message, fix: lone } : { check, outcome: 'ok', message };
}

function version(deployment: Reading<JsonObject>, patient: Patient): Finding {
  const check = 'versions';
  if (deployment.state !== 'read') return unknown(check, 'the Deployment is not known');
  const label = text(dig(deployment.value, 'metadata', 'labels'), 'app.kubernetes.io/version') ?? '';
  const message = `the webhook is ${label === '' ? 'of no version that it tells' : label}, floe-secrets is ${patient.version}`;
  if (label === patient.version) return { check, outcome: 'ok', message };
  return { check, outcome: 'warning', message, fix: 'use both of one version: what they judge may differ' };
}

function endpoints(
  service: Reading<JsonObject>,
  slices: Reading<readonly Json[]>,
  { name, namespace }: Patient,
): Finding {
  const check = 'service';
  if (service.state === 'failed') return unknown(check, service.why);
  if (service.state === 'absent') {
    const message = `there is no Service ${name} in namespace ${namespace}`;
    return { check, outcome: 'failed', message, fix: 'helm upgrade the release again' };
  }
  const outside = text(dig(service.value, 'spec'), 'externalName');
  if (outside !== undefined) {
    return { check, outcome: 'ok', message: `Service ${name} leads out of the cluster, to ${outside}` };
  }
  if (slices.state !== 'read')
    return unknown(check, slices.state === 'failed' ? slices.why : 'no EndpointSlices');
  const ready = slices.value
    .flatMap((slice) => asArray(get(slice, 'endpoints')))
    .filter((endpoint) => dig(endpoint, 'conditions', 'ready') === true);
  const message = `Service ${name} leads to ${ready.length} ready ${ready.length === 1 ? 'pod' : 'pods'}`;
  if (ready.length > 0) return { check, outcome: 'ok', message };
  const fix = `kubectl get pods -n ${namespace}: a pod that is not ready says why at /readyz on port 8080`;
  return { check, outcome: 'failed', message, fix };
}

function leader(lease: Reading<JsonObject>, { name, namespace, now }: Patient): Finding {
  const check = 'leader';
  if (lease.state === 'failed') return unknown(check, lease.why);
  const spec = lease.state === 'read' ? get(lease.value, 'spec') : undefined;
  const holder = text(spec, 'holderIdentity') ?? '';
  const renewed = timeOf(text(spec, 'renewTime'));
  const lasts = (asNumber(get(spec, 'leaseDurationSeconds')) ?? 15) * 1000;
  const fix = `kubectl logs -n ${namespace} deployment/${name}: who leads keeps the certificates and opens gates`;
  if (holder === '' || renewed === undefined) {
    return { check, outcome: 'failed', message: `nobody leads (Lease ${name})`, fix };
  }
  const age = Math.max(0, Math.round((now - renewed) / 1000));
  const message = `${holder.split('_', 1)[0]} leads, renewed ${age}s ago`;
  // Clocks differ; a leader renews every two seconds.
  return now - renewed > 2 * lasts
    ? { check, outcome: 'failed', message, fix }
    : { check, outcome: 'ok', message };
}
