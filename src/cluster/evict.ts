/** Restarting by eviction: the API that respects PodDisruptionBudgets, one pod after the other. */
import type { PodRecord } from '../kube/running.ts';
import type { Round } from '../reload/eviction.ts';
import { afterEviction, beginRound, nextStep } from '../reload/eviction.ts';
import type { Outcome } from '../reload/schedule.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { pauseWithin } from './controller.ts';
import { evictPod } from './evict-pod.ts';
import { outcomeOfFault } from './restart.ts';

export interface RoundOptions {
  readonly client: Client;
  /** Uids of the pods that are too old. */
  readonly pods: readonly string[];
  /** The pods as they are now. */
  live(): readonly PodRecord[];
  /** How many the workload wants now. */
  replicas(): number | undefined;
  /** Told of each pod that was evicted, and of each time that a budget forbade it. */
  told(result: 'evicted' | 'blocked', pod: PodRecord): void;
}

const LOOK_EVERY = 500;
/** A PodDisruptionBudget forbids it now. */
const BLOCKED_PAUSE = 10_000;
/** A successor that is not ready by then keeps the other pods as they are. */
const PATIENCE = 10 * 60_000;

/** Evicts them all, or as many as can be. Rejects only where the signal is aborted meanwhile. */
export async function evictRound(options: RoundOptions, signal: AbortSignal): Promise<Outcome> {
  let round: Round = beginRound(options.pods, options.live());
  let waited = 0;
  while (waited < PATIENCE) {
    signal.throwIfAborted();
    const step = nextStep(round, options.live(), options.replicas());
    if (step.what === 'over') return 'done';
    let pause = LOOK_EVERY;
    if (step.what === 'evict') {
      const result = await evict(options.client, step.pod);
      if (result === 'refused' || result === 'failed') return result;
      if (result === 'blocked') pause = BLOCKED_PAUSE;
      else [round, waited] = [afterEviction(round, step.pod.uid), 0];
      if (result !== 'gone') options.told(result, step.pod);
    }
    await pauseWithin(pause, signal);
    waited += pause;
  }
  return 'failed';
}

async function evict(
  client: Client,
  pod: PodRecord,
): Promise<'evicted' | 'blocked' | Exclude<Outcome, 'done'>> {
  try {
    await evictPod(client, pod);
    return 'evicted';
  } catch (fault) {
    if (errorOfFault(fault).status === 429) return 'blocked';
    return outcomeOfFault(fault);
  }
}
