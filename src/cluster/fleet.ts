/** The workloads that can be restarted, each with its pods: as the watches know them, change by change. */
import type { PodRecord, WorkloadRecord } from '../kube/running.ts';
import { canRestart } from '../reload/restart.ts';
import type { RunningChange, RunningCluster } from './running.ts';

export interface Fleet {
  /** The workload of this key, with the newest revision of its template where that is known. */
  workload(key: string): WorkloadRecord | undefined;
  podsOf(key: string): readonly PodRecord[];
  keys(): Iterable<string>;
  /** The workloads of a namespace, or those whose pods use this Secret. */
  keysIn(namespace: string, secret?: string): readonly string[];
  stop(): void;
}

export interface FleetOptions {
  readonly running: RunningCluster;
  /** Told of each workload of which something has changed. */
  changed(key: string): void;
}

/** A ReplicaSet's revision, and the hash that its pods carry. */
interface Revision {
  readonly number: number;
  readonly hash: string;
}

const REVISION = 'deployment.kubernetes.io/revision';
const HASH = 'pod-template-hash';

export function keyOf({
  kind,
  namespace,
  name,
}: Pick<WorkloadRecord, 'kind' | 'namespace' | 'name'>): string {
  return `${namespace}/${kind.kind}/${name}`;
}

export function createFleet({ running, changed }: FleetOptions): Fleet {
  const workloads = new Map<string, WorkloadRecord>();
  const pods = new Map<string, Map<string, PodRecord>>();
  const owners = new Map<string, string>();
  /** Pods whose owners are not all known yet; watches come in any order. */
  const strays = new Map<string, PodRecord>();
  const revisions = new Map<string, Map<string, Revision>>();

  function putPod(pod: PodRecord): void {
    const place = `${pod.namespace}/${pod.name}`;
    dropPod(pod);
    if (pod.owner === undefined) return;
    const owner = running.ownersOf(pod).find(({ kind }) => canRestart(kind));
    if (owner === undefined) {
      strays.set(place, pod);
      return;
    }
    const key = keyOf(owner);
    owners.set(place, key);
    const known = pods.get(key) ?? new Map<string, PodRecord>();
    pods.set(key, known.set(pod.name, pod));
    changed(key);
  }
  function dropPod({ namespace, name }: PodRecord): void {
    const place = `${namespace}/${name}`;
    strays.delete(place);
    const key = owners.get(place);
    if (key === undefined) return;
    owners.delete(place);
    const known = pods.get(key);
    known?.delete(name);
    if (known?.size === 0) pods.delete(key);
    changed(key);
  }
  function claimStrays(namespace: string): void {
    const claimed = [...strays.values()].filter((pod) => pod.namespace === namespace);
    for (const pod of claimed) putPod(pod);
  }
  function putRevision(set: WorkloadRecord, isThere: boolean): void {
    const { owner, namespace, name } = set;
    if (owner?.kind !== 'Deployment') return;
    const key = `${namespace}/Deployment/${owner.name}`;
    const known = revisions.get(key) ?? new Map<string, Revision>();
    if (isThere) known.set(name, { number: Number(set.annotations[REVISION]), hash: set.labels[HASH] ?? '' });
    else known.delete(name);
    if (known.size === 0) revisions.delete(key);
    else revisions.set(key, known);
    changed(key);
  }
  function putWorkload(before: WorkloadRecord | undefined, after: WorkloadRecord | undefined): void {
    const one = after ?? before;
    if (one === undefined) return;
    if (one.kind.kind === 'ReplicaSet') putRevision(one, after !== undefined);
    if (canRestart(one.kind)) {
      const key = keyOf(one);
      if (after === undefined) workloads.delete(key);
      else workloads.set(key, after);
      changed(key);
    }
    if (before === undefined) claimStrays(one.namespace);
  }
  function apply(change: RunningChange): void {
    if (change.what === 'workload') putWorkload(change.before, change.after);
    else if (change.after !== undefined) putPod(change.after);
    else if (change.before !== undefined) dropPod(change.before);
  }

  for (const workload of running.workloads()) putWorkload(undefined, workload);
  for (const pod of running.pods()) putPod(pod);
  return {
    workload(key) {
      const workload = workloads.get(key);
      const newest = [...(revisions.get(key)?.values() ?? [])].toSorted((a, b) => b.number - a.number)[0];
      if (workload === undefined || newest === undefined || newest.hash === '') return workload;
      return { ...workload, updateRevision: newest.hash };
    },
    podsOf: (key) => [...(pods.get(key)?.values() ?? [])],
    keys: () => workloads.keys(),
    keysIn(namespace, secret) {
      if (secret === undefined) return [...workloads.keys()].filter((key) => key.startsWith(`${namespace}/`));
      const using = running
        .podsUsing(namespace, secret)
        .map(({ name }) => owners.get(`${namespace}/${name}`));
      return [...new Set(using)].filter((key) => key !== undefined);
    },
    stop: running.observe(apply),
  };
}
