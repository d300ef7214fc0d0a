/** Who uses a Secret, and which of their pods run with older data: what `usage` and `restart` tell. */
import { KEYS } from '../contract/keys.ts';
import { parseVersions } from '../contract/versions.ts';
import type { PodRecord, WorkloadRecord } from '../kube/running.ts';
import { isOver } from '../kube/running.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Freshness } from './freshness.ts';
import { freshnessOf } from './freshness.ts';
import { knowledgeAfter } from './knowledge.ts';
import { usedSecrets } from './need.ts';
import { canRestart } from './restart.ts';

export interface UsingPod {
  readonly pod: PodRecord;
  readonly freshness: Freshness;
  /** The version that the pod's admission saw; absent where the pod names the Secret by itself. */
  readonly version?: string;
}

/** How changed data reaches the pods: a restart, a CronJob's next run, or whoever makes the next pod. */
export type Renewal = 'restart' | 'nextRun' | 'never';

export interface User {
  /** The workload that a person would name: the Deployment, not its ReplicaSet. Absent for a bare pod. */
  readonly workload?: WorkloadRecord;
  readonly renewal: Renewal;
  readonly pods: readonly UsingPod[];
}

export interface Running {
  readonly pods: Iterable<PodRecord>;
  /** Nearest first. */
  ownersOf(pod: PodRecord): readonly WorkloadRecord[];
}

/** The workloads and bare pods that use a Secret, by name; pods that are over use nothing. */
export function usersOf(secret: SecretRecord, running: Running): readonly User[] {
  const users = new Map<
    string,
    { readonly workload: WorkloadRecord | undefined; readonly pods: UsingPod[] }
  >();
  for (const pod of running.pods) {
    if (pod.namespace !== secret.namespace || isOver(pod) || !usedSecrets(pod).includes(secret.name))
      continue;
    const workload = running.ownersOf(pod).at(-1);
    const key = workload === undefined ? ` ${pod.name}` : `${workload.kind.kind} ${workload.name}`;
    const user = users.get(key) ?? { workload, pods: [] };
    users.set(key, user);
    user.pods.push(usingPod(pod, secret));
  }
  return [...users]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([, { workload, pods }]) => ({
      ...(workload === undefined ? {} : { workload }),
      renewal: renewalOf(workload),
      pods: pods.toSorted((one, other) => one.pod.name.localeCompare(other.pod.name)),
    }));
}

/** By one look: whether data or metadata was written is then what managedFields say, and `older` cannot be told. */
function usingPod(pod: PodRecord, secret: SecretRecord): UsingPod {
  const known = knowledgeAfter(undefined, { state: 'present', record: secret, data: 'first' }, 0)!;
  const version = parseVersions(pod.annotations[KEYS.versions]).get(secret.name);
  const freshness = freshnessOf(pod, secret.name, known);
  return { pod, freshness, ...(version === undefined ? {} : { version }) };
}

function renewalOf(workload: WorkloadRecord | undefined): Renewal {
  if (workload === undefined) return 'never';
  if (canRestart(workload.kind)) return 'restart';
  return workload.kind.kind === 'CronJob' ? 'nextRun' : 'never';
}
