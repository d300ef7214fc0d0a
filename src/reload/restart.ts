/** What a restart is, for each kind of workload: the least that makes its controller replace the pods. */
import { KEYS } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { apiVersionOf } from '../kube/object.ts';
import type { WorkloadRecord } from '../kube/running.ts';

/** Kinds whose pods are replaced when their template changes; and Rollouts, which have a field for it. */
const RESTARTABLE = ['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout'];

export function canRestart({ kind }: Pick<ResourceKind, 'kind'>): boolean {
  return RESTARTABLE.includes(kind);
}

/**
 * The body of a server-side apply: one field that is ours, so that nothing else can be undone or fought over. The
 * uid keeps it from a namesake that came later, and from making a workload of a name.
 *
 * A Rollout restarts by `spec.restartAt`: that replaces the pods of its stable and of its canary ReplicaSet, where
 * a changed template would begin a new canary with all of its steps, and would leave the stable pods old.
 */
export function restartPatch(
  workload: Pick<WorkloadRecord, 'kind' | 'namespace' | 'name' | 'uid'>,
  at: Date,
): JsonObject {
  const { kind, namespace, name, uid } = workload;
  const time = at.toISOString();
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { namespace, name, uid },
    spec:
      kind.kind === 'Rollout'
        ? { restartAt: time }
        : { template: { metadata: { annotations: { [KEYS.restartedAt]: time } } } },
  };
}

/** When a restart of pods of these ages is asked for: Argo compares it with their creation, in whole seconds. */
export function restartTime(at: number, pods: readonly { readonly createdAt?: number }[]): Date {
  const newest = Math.max(...pods.map(({ createdAt }) => createdAt ?? 0), 0);
  return new Date(Math.max(at, newest + 1000));
}
