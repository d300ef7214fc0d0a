/**
 * Keeps the objects of one kind: list, then watch, for as long as the process lives. It outlives resets, half-open
 * connections, lost history (410) and a CRD that comes and goes; a failure is a state, never an exception.
 */
import type { ResourceKind } from '../kube/object.ts';
import type { KindState } from '../kube/world.ts';
import type { Client } from './client.ts';
import type { Store } from './store.ts';
import { runWatch } from './watch-loop.ts';
import type { WatchOptions, Watched } from './watch-state.ts';
import { createRun, isSettled, stateOf } from './watch-state.ts';

export type { WatchOptions, WatchReport, WatchTimes, Watched } from './watch-state.ts';

export interface Reflector<T> {
  readonly kind: ResourceKind;
  readonly objects: Pick<Store<T>, 'get' | 'values' | 'names' | 'size'>;
  state(): KindState;
  /** Whether it is known what there is: listed once, or known to be not served or forbidden. */
  settled(): boolean;
  /** Whether a changed CRD may bring better: there is nothing, or only an older version. */
  isMakeshift(): boolean;
  /** The kind's CRD, or what is kept of its objects, has changed: list again at once, and often for a while. */
  recheck(): void;
  /** Ends the watch at once; resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/** Why a watch's objects cannot be believed, in the words of RBAC; '' where they can. */
export function troubleOf(watch: Pick<Reflector<unknown>, 'state'>): string {
  const state = watch.state();
  return state.state === 'failed' ? state.failure.message : '';
}

/** How long a changed CRD is looked at more often: an API server may take seconds to serve it. */
const EAGER_FOR = 15_000;

/** Starts to list and watch. Nothing is ever thrown from it; `state()` tells what is wrong. */
export function startReflector<T>(
  client: Client,
  watched: Watched<T>,
  options: WatchOptions = {},
): Reflector<T> {
  const run = createRun(client, watched, options);
  const ended = runWatch(run);
  return {
    kind: watched.kind,
    objects: run.store,
    state: () => stateOf(run),
    settled: () => isSettled(run),
    isMakeshift: () => run.notServed || run.kind !== watched.kind,
    recheck() {
      run.rechecks += 1;
      run.eagerUntil = performance.now() + EAGER_FOR;
      run.kind = watched.kind;
      run.stream?.abort();
      run.pause.wake();
    },
    async stop() {
      run.stopper.abort();
      run.pause.wake();
      await ended;
    },
  };
}
