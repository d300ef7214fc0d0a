/** Evicts pods that missed their injection (`missedPods.evict`), one of an owner after the other. */
import { uidOf } from '../kube/object.ts';
import type { PodRecord } from '../kube/running.ts';
import type { Decision } from '../review/decision.ts';
import { errorOfFault } from './api-error.ts';
import type { ControllerParts } from './controller.ts';
import { evictPod } from './evict-pod.ts';
import { readPod } from './regarding.ts';
import { admitPod } from './two-calls.ts';

/** Between two evictions of pods of one owner, so that a whole workload never goes at once; and of any two. */
const OWNER_PAUSE = 30_000;
const PAUSE = 2_000;
/** What a PodDisruptionBudget forbids now, or would come out no better, is tried again after this. */
const BLOCKED_PAUSE = 30_000;
/** To a Job an evicted pod is one that failed. */
const NEVER = 'Job';

/** Evicts the pod where it may; resolves with the milliseconds until it is worth another look. */
export type Evictor = (pod: PodRecord) => Promise<number | undefined>;

/** `isWhole` says of the verdict on a pod's successor whether that would carry everything. */
export function createEvictor(parts: ControllerParts, isWhole: (decision: Decision) => boolean): Evictor {
  const evictedAt = new Map<string, number>();
  let lastAt = Number.NEGATIVE_INFINITY;
  return async (record) => {
    const { owner } = record;
    // What nobody makes anew stays.
    if (owner === undefined || owner.kind === NEVER) return undefined;
    const rest = (): number => {
      const ownerAt = evictedAt.get(owner.uid) ?? Number.NEGATIVE_INFINITY;
      return Math.max(lastAt + PAUSE, ownerAt + OWNER_PAUSE) - parts.now();
    };
    if (rest() > 0) return rest();
    const pod = await readPod(parts.client, record);
    if (pod === undefined || uidOf(pod) !== record.uid) return undefined;
    const decision = await admitPod(parts.admit, pod);
    if (!decision.allowed || !isWhole(decision)) return BLOCKED_PAUSE;
    // Another pod of the owner may have been looked at meanwhile.
    if (rest() > 0) return rest();
    lastAt = parts.now();
    evictedAt.set(owner.uid, lastAt);
    return (await evict(parts, record)) ? undefined : BLOCKED_PAUSE;
  };
}

/** By the API that respects PodDisruptionBudgets; false where one forbids it now. */
async function evict({ client, telemetry }: ControllerParts, pod: PodRecord): Promise<boolean> {
  const count = (result: string): void =>
    telemetry.count('floe_secrets_missed_pods_evicted_total', { result });
  try {
    await evictPod(client, pod);
    count('evicted');
    return true;
  } catch (fault) {
    const { status } = errorOfFault(fault);
    // Gone, or another of its name.
    if (status === 404 || status === 409) return true;
    if (status !== 429) throw fault;
    count('blocked');
    return false;
  }
}
