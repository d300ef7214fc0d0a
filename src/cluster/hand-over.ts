/** Hands a Secret from one sync resource to another, step by step, and takes everything back where it cannot. */
import type { JsonObject } from '../kube/json.ts';
import type { HandOver, Step, Temper } from '../migrate/hand-over.ts';
import { nextStep } from '../migrate/hand-over.ts';
import { isInPlace } from '../migrate/in-place.ts';
import { ApiError, errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import type { Scene } from './hand-over-sight.ts';
import { readScene, sightOf } from './hand-over-sight.ts';
import { leaveNext, removeRecord, restoreData, take, undo } from './hand-over-steps.ts';
import { createPause } from './pause.ts';

export interface HandOverOptions {
  /** How long one wait may last. */
  readonly timeoutMs: number;
  /** How long a failure, a silence or a difference is not believed; at most `timeoutMs`. */
  readonly patienceMs: number;
  /** Whether other values than now are wanted. */
  readonly acceptsChanges?: boolean;
  /** Told of each step before it is taken, and of what is waited for. */
  readonly onStep?: (step: Step) => void | Promise<void>;
  readonly onWait?: (words: string) => void;
}

export type HandedOver =
  | { readonly state: 'done' }
  /** `undone`: everything is as it was before. */
  | { readonly state: 'stopped'; readonly why: string; readonly undone: boolean };

/** Between two looks. */
const EVERY = 300;

/**
 * Goes on from wherever it stands. Throws ApiError where the API server does not let it; then, too, another run goes
 * on. The data as it was at the first look is kept in memory, for the way back.
 */
export async function handOver(
  client: Client,
  plan: HandOver,
  options: HandOverOptions,
): Promise<HandedOver> {
  const pause = createPause();
  let original: JsonObject | undefined;
  let since = performance.now();
  // A step that somebody undoes again and again is not taken for ever.
  const begun = new Map<Step, number>();
  for (;;) {
    const scene = await readScene(client, plan);
    const sight = sightOf(plan, scene);
    // Where a run before this one has let another write it, the rehearsal still has what it was.
    original ??= sight.to.state === 'absent' ? scene.secret : scene.trial;
    const waited = performance.now() - since;
    const next = nextStep(sight, temperOf(waited, options), plan.record);
    if (next.kind === 'done') return { state: 'done' };
    if (next.kind === 'stop') return stopped(client, plan, { why: next.why, original });
    if (next.kind === 'step') {
      const began = begun.get(next.step);
      if (began === undefined) begun.set(next.step, performance.now());
      else if (performance.now() - began > options.timeoutMs) {
        return stopped(client, plan, { why: beaten(next.step), original });
      } else await pause.sleep(EVERY);
      await options.onStep?.(next.step);
      await attempt(async () => take(next.step, { client, plan, scene }));
      since = performance.now();
      continue;
    }
    const awaited = next.words === '' ? next.on : `${next.on}: ${next.words}`;
    options.onWait?.(awaited);
    if (waited > options.timeoutMs) {
      return stopped(client, plan, { why: `no end of the wait for ${awaited}`, original });
    }
    await pause.sleep(EVERY);
  }
}

/** `waited`: milliseconds since the last step. */
function temperOf(waited: number, options: HandOverOptions): Temper {
  const patient = waited <= Math.min(options.patienceMs, options.timeoutMs);
  return { patient, acceptsChanges: options.acceptsChanges === true };
}

/**
 * Takes the resource of a Secret away that nobody synced before: the Secret stays as it is, without one and without its
 * operator's marks. `before` is told once nobody reads upstream any more, and before the record goes: a run that is
 * killed goes on. Throws ApiError, and an Error where the resource does not go in time.
 */
export async function leave(
  client: Client,
  plan: HandOver,
  { timeoutMs, before }: { readonly timeoutMs: number; readonly before: (scene: Scene) => Promise<void> },
): Promise<void> {
  const pause = createPause();
  const began = performance.now();
  for (;;) {
    const scene = await readScene(client, plan);
    let isLeft = false;
    await attempt(async () => {
      isLeft = !(await leaveNext({ client, plan, scene }));
    });
    if (isLeft) {
      await before(scene);
      return removeRecord({ client, scene });
    }
    if (performance.now() - began > timeoutMs) throw new Error(STAYS);
    await pause.sleep(EVERY);
  }
}

const STAYS = 'the new resource is deleted and does not go: what keeps it is in its metadata.finalizers';

interface Stopped {
  readonly why: string;
  readonly original: JsonObject | undefined;
}

/**
 * Takes everything back while the old resource is there; without one that is as long as the new one has not been made.
 * On the way back nothing is: it is the way back.
 */
async function stopped(client: Client, plan: HandOver, { why, original }: Stopped): Promise<HandedOver> {
  for (let attempts = 0; plan.record === 'kept' && attempts < ATTEMPTS; attempts += 1) {
    const scene = await readScene(client, plan);
    const { from, record } = sightOf(plan, scene);
    const isThere = isInPlace(plan)
      ? scene.to !== undefined
      : ['owning', 'released', 'silent'].includes(from);
    const canReturn = plan.from === undefined || isThere;
    if (record === 'none' || !canReturn) break;
    if (plan.from === undefined) return left(client, plan, { why, original });
    if (await attempt(async () => undo({ client, plan, scene }, original))) {
      return { state: 'stopped', why, undone: await isUndone(client, plan) };
    }
  }
  return { state: 'stopped', why, undone: false };
}

/** Once what was deleted is gone, too, there is nothing left to remember. */
async function isUndone(client: Client, plan: HandOver): Promise<boolean> {
  const pause = createPause();
  const began = performance.now();
  for (;;) {
    const scene = await readScene(client, plan);
    const isGone = isInPlace(plan) || scene.to === undefined;
    if (isGone && scene.rehearsal === undefined) {
      await removeRecord({ client, scene });
      return true;
    }
    if (performance.now() - began > LEAVING) return false;
    await pause.sleep(EVERY);
  }
}

/** Where nothing synced the Secret before. One that was not there, and is now, stays with what it holds. */
async function left(client: Client, plan: HandOver, { why, original }: Stopped): Promise<HandedOver> {
  let isAsBefore = true;
  await leave(client, plan, {
    timeoutMs: LEAVING,
    before: async ({ secret }) => {
      isAsBefore = (secret === undefined) === (original === undefined);
      if (secret !== undefined && original !== undefined) await restoreData(client, secret, original);
    },
  });
  return { state: 'stopped', why, undone: isAsBefore };
}

/** The garbage collector takes a second or two, and half a minute where it does not know the kind yet. */
const LEAVING = 60_000;
const ATTEMPTS = 5;

function beaten(step: Step): string {
  return `step '${step}' does not last: somebody else writes the same objects all the time`;
}

/** False where somebody else wrote first: then another look tells what is to be done. */
async function attempt(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (fault) {
    const error = errorOfFault(fault);
    if (error instanceof ApiError && [409, 422].includes(error.status)) return false;
    throw fault;
  }
}
