/**
 * Which replica leads: whoever holds a Lease, as client-go's leader election does it. Expiry is judged by how long
 * this process has seen no renewal, on its monotonic clock: what other clocks say, which the Lease's times come
 * from, is never compared. A leader that cannot renew stops before the Lease is anybody else's.
 */
import type { JsonObject } from '../kube/json.ts';
import { LEASE } from '../kube/object.ts';
import type { ReadFailure } from '../kube/world.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { failureOf } from './failure.ts';
import type { Claim, Holding } from './lease.ts';
import { claimed, holdingOf, released } from './lease.ts';
import type { Pause } from './pause.ts';
import { createPause, jittered } from './pause.ts';
import { collectionPath } from './paths.ts';
import { beginTerm, restBefore } from './term.ts';

export interface ElectionOptions extends Omit<Claim, 'duration'> {
  readonly client: Client;
  /** Whether it stands at all; else it only looks who leads. */
  readonly stands: boolean;
  /** Whether the settings are others by now than those that it leads by; without it they never are. */
  readonly isOutdated?: (() => boolean) | undefined;
  /** Leads until the signal is aborted, and resolves when nothing of it is left. Must not reject. */
  lead(signal: AbortSignal): Promise<void>;
  readonly times?: Partial<ElectionTimes>;
  readonly report?: ((report: ElectionReport) => void) | undefined;
}

/** Something that a log line may tell. */
export interface ElectionReport {
  readonly event: 'leading' | 'lost' | 'released' | 'failed';
  readonly identity: string;
  readonly failure?: ReadFailure;
}

/** Milliseconds; client-go's names and defaults. */
export interface ElectionTimes {
  /** How long the Lease is somebody's who does not renew it. */
  readonly lease: number;
  /** When a leader that cannot renew gives up; shorter than `lease` by the time that its work needs to end. */
  readonly renew: number;
  /** Between two attempts. */
  readonly retry: number;
  /** How long one leads at a time whose settings are outdated. */
  readonly term?: number;
}

export interface Election {
  /** True only while the Lease is certainly ours, also where this process was stopped for a while. */
  leading(): boolean;
  /** Whether some replica holds the Lease and runs this controller. */
  serves(controller: string): boolean;
  /** Ends the leader's work, gives the Lease back, and resolves when that is done. */
  stop(): Promise<void>;
}

const TIMES: ElectionTimes = { lease: 15_000, renew: 10_000, retry: 2_000 };
/** Not all candidates shall ask at the same moment. */
const JITTER = 0.2;
const RELEASE_TIMEOUT = 3_000;

/** The mutable state of one candidate. */
interface Run {
  readonly options: ElectionOptions;
  readonly claim: Claim;
  readonly times: ElectionTimes;
  readonly stopper: AbortController;
  readonly pause: Pause;
  readonly report: (report: Omit<ElectionReport, 'identity'>) => void;
  /** The Lease as it was last read or written; undefined where it must be read. */
  known: JsonObject | undefined;
  observed: Holding;
  /** When `observed` was first seen; on the monotonic clock. */
  observedAt: number;
  /** Until when the Lease is certainly ours. */
  leadingUntil: number;
  /** The last failure's words: one trouble is reported once. */
  trouble: string;
}

/** Begins to stand for election. Nothing is ever thrown from it. */
export function startElection(options: ElectionOptions): Election {
  const times = { ...TIMES, ...options.times };
  const { namespace, name, identity, controllers, notes, report } = options;
  const run: Run = {
    options,
    claim: {
      namespace,
      name,
      identity,
      controllers,
      duration: times.lease,
      ...(notes === undefined ? {} : { notes }),
    },
    times,
    stopper: new AbortController(),
    pause: createPause(),
    report: (event) => report?.({ identity, ...event }),
    known: undefined,
    observed: holdingOf(undefined),
    observedAt: Number.NEGATIVE_INFINITY,
    leadingUntil: Number.NEGATIVE_INFINITY,
    trouble: '',
  };
  const ended = options.stands ? campaign(run) : follow(run);
  return {
    leading: () => isLeading(run),
    serves: (controller) => isHeld(run) && run.observed.controllers.includes(controller),
    async stop() {
      run.stopper.abort();
      run.pause.wake();
      await ended;
    },
  };
}

async function campaign(run: Run): Promise<void> {
  const { signal } = run.stopper;
  while (!signal.aborted) {
    if (await attempt(run)) await reign(run);
    await restBefore(run.options.isOutdated, async (times) => {
      if (!signal.aborted) await run.pause.sleep(jittered(run.times.retry * times, 1 + JITTER));
    });
  }
}

/** Looks at the Lease now and then. */
async function follow(run: Run): Promise<void> {
  const { signal } = run.stopper;
  while (!signal.aborted) {
    try {
      await look(run, AbortSignal.any([signal, AbortSignal.timeout(run.times.renew)]));
      run.trouble = '';
    } catch (fault) {
      troubled(run, fault, 'get');
    }
    if (!signal.aborted) await run.pause.sleep(jittered(run.times.retry, 1 - JITTER));
  }
}

/** Leads until the Lease is lost or the process ends; only then does the next attempt begin. */
async function reign(run: Run): Promise<void> {
  run.report({ event: 'leading' });
  const end = new AbortController();
  const work = run.options.lead(end.signal);
  await keep(run);
  end.abort();
  await work;
  if (isLeading(run)) await release(run);
  else run.report({ event: 'lost' });
  run.leadingUntil = Number.NEGATIVE_INFINITY;
}

/** Renews until it is told to stop, until others are to lead, or until it is too late. */
async function keep(run: Run): Promise<void> {
  const isOver = beginTerm(run.options.isOutdated, run.times.term);
  while (!run.stopper.signal.aborted && isLeading(run) && !isOver()) {
    const left = run.leadingUntil - performance.now();
    await run.pause.sleep(Math.min(jittered(run.times.retry, 1 - JITTER), left));
    if (!run.stopper.signal.aborted && isLeading(run)) await attempt(run);
  }
}

/** One try to take or to keep the Lease. */
async function attempt(run: Run): Promise<boolean> {
  const { client } = run.options;
  // Others count from when they see the renewal, which is later than this.
  const began = performance.now();
  const leading = isLeading(run);
  const timeoutMs = leading ? run.leadingUntil - began : run.times.renew;
  const signal = AbortSignal.any([
    run.stopper.signal,
    AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
  ]);
  try {
    // Who leads knows what stands there; a conflict says otherwise.
    if (!leading || run.known === undefined) await look(run, signal);
    if (isHeld(run) && run.observed.holder !== run.claim.identity) return lose(run);
    const lease = claimed(run.claim, run.known, new Date());
    const written = await (run.known === undefined
      ? client.send('POST', collectionPath(LEASE, run.claim.namespace), lease, { signal })
      : client.send('PUT', pathOf(run), lease, { signal }));
    observe(run, written);
    run.leadingUntil = began + run.times.renew;
    run.trouble = '';
    return true;
  } catch (fault) {
    run.known = undefined;
    troubled(run, fault);
    return false;
  }
}

async function look(run: Run, signal: AbortSignal): Promise<void> {
  try {
    observe(run, await run.options.client.get(pathOf(run), { signal }));
  } catch (fault) {
    if (errorOfFault(fault).status !== 404) throw fault;
    run.known = undefined;
    run.observed = holdingOf(undefined);
  }
}

function observe(run: Run, lease: JsonObject): void {
  const holding = holdingOf(lease);
  if (holding.mark !== run.observed.mark) run.observedAt = performance.now();
  run.known = lease;
  run.observed = holding;
}

/** Somebody else holds the Lease. */
function lose(run: Run): false {
  run.leadingUntil = Number.NEGATIVE_INFINITY;
  return false;
}

function isLeading(run: Run): boolean {
  return performance.now() < run.leadingUntil;
}

function isHeld({ observed, observedAt }: Run): boolean {
  return observed.holder !== '' && performance.now() < observedAt + observed.duration;
}

async function release(run: Run): Promise<void> {
  try {
    // The end may have cut a renewal short, of which nobody knows whether it was written.
    if (run.known === undefined) await look(run, AbortSignal.timeout(RELEASE_TIMEOUT));
    if (run.known === undefined || run.observed.holder !== run.claim.identity) return;
    const lease = released(run.claim, run.known, new Date());
    await run.options.client.send('PUT', pathOf(run), lease, { timeoutMs: RELEASE_TIMEOUT });
    run.report({ event: 'released' });
  } catch (fault) {
    troubled(run, fault);
  }
}

function troubled(run: Run, fault: unknown, verb: 'get' | 'update' = 'update'): void {
  // A conflict only says that another was quicker; an abort that this process ends.
  if (errorOfFault(fault).status === 409 || run.stopper.signal.aborted) return;
  const failure = failureOf(fault, { verb, kind: LEASE, namespace: run.claim.namespace });
  if (failure.message !== run.trouble) run.report({ event: 'failed', failure });
  run.trouble = failure.message;
}

function pathOf({ claim }: Run): string {
  return `${collectionPath(LEASE, claim.namespace)}/${claim.name}`;
}
