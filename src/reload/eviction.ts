/**
 * A round of evictions: the pods that are too old, once each and one after the other, the next only when the
 * workload stands as well as before. Pods that come later are not part of it, so that it ends.
 */
import type { PodRecord } from '../kube/running.ts';

export interface Round {
  /** Uids of the pods to evict, as they were when it began. */
  readonly pods: readonly string[];
  /** Those that have been evicted. */
  readonly evicted: readonly string[];
  /** How many pods the workload had. */
  readonly size: number;
}

export type Step =
  | { readonly what: 'evict'; readonly pod: PodRecord }
  /** For a pod to end, or for its successor to be ready. */
  | { readonly what: 'wait' }
  | { readonly what: 'over' };

export function beginRound(pods: readonly string[], live: readonly PodRecord[]): Round {
  return { pods, evicted: [], size: live.length };
}

export function afterEviction(round: Round, uid: string): Round {
  return { ...round, evicted: [...round.evicted, uid] };
}

/** `live`: the pods of the workload that are there, those that end included. `replicas`: how many it wants now. */
export function nextStep(round: Round, live: readonly PodRecord[], replicas = round.size): Step {
  const { pods, evicted, size } = round;
  const left = live.filter(
    ({ uid, terminating }) => pods.includes(uid) && !evicted.includes(uid) && !terminating,
  );
  if (left.length === 0) return { what: 'over' };
  const isEnding = live.some(({ uid }) => evicted.includes(uid));
  // A pod that serves nothing costs nothing, and its secret may be why.
  const first = left.find(({ ready }) => !ready) ?? left.toSorted(byAge)[0]!;
  if (isEnding) return { what: 'wait' };
  const serving = live.filter(({ ready, terminating }) => ready && !terminating);
  const isWhole = serving.length >= Math.min(size, replicas);
  return evicted.length === 0 || isWhole || !first.ready ? { what: 'evict', pod: first } : { what: 'wait' };
}

function byAge(one: PodRecord, other: PodRecord): number {
  return (one.createdAt ?? 0) - (other.createdAt ?? 0) || one.name.localeCompare(other.name);
}
