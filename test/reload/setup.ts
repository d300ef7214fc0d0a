// Pods, workloads and Secrets as the reloader's judgement sees them.
import { workloadKind } from '../../src/kube/workload.ts';
import type { KubeObject, ResourceKind } from '../../src/kube/object.ts';
import type { PodRecord, SecretUse, WorkloadRecord } from '../../src/kube/running.ts';
import type { SecretRecord, SecretWrite } from '../../src/kube/secret.ts';
import type { JsonObject } from '../../src/kube/json.ts';

/** A moment of the tests' day: seconds after noon. */
export function at(seconds: number): number {
  return Date.parse('2026-11-27T12:00:00Z') + seconds * 1000;
}

export function use(name: string, form: SecretUse['form'] = 'envFrom', init = false): SecretUse {
  return { secret: name, form, init };
}

export function pod(name: string, more: Partial<PodRecord> = {}): PodRecord {
  return {
    namespace: 'jobs',
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    annotations: {},
    labels: {},
    createdAt: at(0),
    terminating: false,
    serviceAccountName: 'default',
    uses: [use('db')],
    gates: [],
    nodeName: 'node',
    phase: 'Running',
    ready: true,
    started: true,
    ...more,
  };
}

export function workload(kind = 'Deployment', more: Partial<WorkloadRecord> = {}): WorkloadRecord {
  return {
    kind: workloadKind(kind === 'Rollout' ? 'argoproj.io' : 'apps', kind)!,
    namespace: 'jobs',
    name: 'api',
    uid: 'uid-api',
    resourceVersion: '1',
    annotations: {},
    labels: {},
    terminating: false,
    generation: 1,
    whole: true,
    paused: false,
    templateAnnotations: {},
    templateLabels: {},
    templateUses: [use('db')],
    ...more,
  };
}

export function write(
  seconds: number,
  data = true,
  manager = data ? 'operator' : 'kubectl-annotate',
): SecretWrite {
  return { manager, time: at(seconds), data };
}

export function secret(resourceVersion: string, ...writes: readonly SecretWrite[]): SecretRecord {
  return {
    namespace: 'jobs',
    name: 'db',
    uid: 'uid-db',
    resourceVersion,
    createdAt: at(-600),
    ownerReferences: [],
    labels: {},
    annotations: {},
    keys: ['PASSWORD'],
    keysComplete: true,
    writes,
  };
}

export function object(group: string, kind: string, raw: JsonObject): KubeObject {
  const resource: ResourceKind = {
    group,
    version: 'v1',
    kind,
    plural: `${kind.toLowerCase()}s`,
    namespaced: true,
  };
  return {
    kind: resource,
    raw: { ...raw, metadata: { name: 'sync', namespace: 'jobs', ...(raw['metadata'] as JsonObject) } },
  };
}
