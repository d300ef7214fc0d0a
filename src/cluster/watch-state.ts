/** What a running watch knows of itself. */
import type { ResourceKind } from '../kube/object.ts';
import type { KindState, ReadFailure } from '../kube/world.ts';
import { KNOWN, NOT_SERVED } from '../kube/world.ts';
import type { Client } from './client.ts';
import type { Pause } from './pause.ts';
import { createPause } from './pause.ts';
import { resourceName } from './paths.ts';
import type { Kept, Store } from './store.ts';
import { createStore } from './store.ts';

export interface Watched<T> extends Kept<T> {
  readonly kind: ResourceKind;
  /** Ask for `PartialObjectMetadata`: the values of Secrets then never leave the API server. */
  readonly metadataOnly?: boolean;
  /** One object alone; the permission to watch it by its name is enough. `namespace` is '' for a cluster's. */
  readonly only?: { readonly namespace: string; readonly name: string };
  /** Only objects that these fields select, where the kind has such fields. */
  readonly fieldSelector?: string;
}

/** Something that a log line may tell; `resource` as in 'infisicalsecrets.secrets.infisical.com'. */
export interface WatchReport {
  readonly event: 'listed' | 'failed' | 'notServed';
  readonly resource: string;
  readonly objects?: number;
  readonly failure?: ReadFailure;
}

/** Milliseconds. */
export interface WatchTimes {
  readonly backoff: { readonly base: number; readonly max: number };
  /** A watch is half-open after this silence; the API server sends a bookmark each minute. */
  readonly idle: number;
  /** Between two looks whether a kind is served by now: mostly its CRD's watch tells, and kinds are many. */
  readonly probe: number;
  /** The same shortly after a sign that it has. */
  readonly eagerProbe: number;
  /** How long what is known counts as known while the watch is broken. */
  readonly stale: number;
}

export interface WatchOptions {
  readonly times?: Partial<WatchTimes>;
  readonly report?: ((report: WatchReport) => void) | undefined;
}

/** The mutable state of one reflector; only its loop and its `recheck` write it. */
export interface Run<T> {
  readonly client: Client;
  readonly watched: Watched<T>;
  /** The kind in the version that is tried or watched now. */
  kind: ResourceKind;
  readonly times: WatchTimes;
  readonly store: Store<T>;
  readonly pause: Pause;
  readonly stopper: AbortController;
  readonly report: (report: WatchReport) => void;
  /** Where to go on; '' asks for a new list. */
  resourceVersion: string;
  /** The watch that is open, so that a recheck can end it. */
  stream: AbortController | undefined;
  listed: boolean;
  notServed: boolean;
  failure: ReadFailure | undefined;
  /** Since when there is neither a list nor a watch that works; on the monotonic clock. */
  brokenSince: number | undefined;
  /** Attempts that failed one after the other. */
  failures: number;
  eagerUntil: number;
  /** How often somebody said that what is listed counts no more. */
  rechecks: number;
}

const TIMES: WatchTimes = {
  backoff: { base: 200, max: 30_000 },
  idle: 90_000,
  probe: 60_000,
  eagerProbe: 500,
  stale: 60_000,
};

export function createRun<T>(client: Client, watched: Watched<T>, options: WatchOptions): Run<T> {
  return {
    client,
    watched,
    kind: watched.kind,
    times: { ...TIMES, ...options.times },
    store: createStore(watched),
    pause: createPause(),
    stopper: new AbortController(),
    report: options.report ?? (() => undefined),
    resourceVersion: '',
    stream: undefined,
    listed: false,
    notServed: false,
    failure: undefined,
    brokenSince: undefined,
    failures: 0,
    eagerUntil: Number.NEGATIVE_INFINITY,
    rechecks: 0,
  };
}

/** Whether the kind's objects can be believed: for a while also over a broken watch. */
export function stateOf<T>(run: Run<T>): KindState {
  if (run.notServed) return NOT_SERVED;
  if (run.failure !== undefined && (isForbidden(run) || !run.listed || isStale(run))) {
    return { state: 'failed', failure: run.failure };
  }
  if (run.listed) return KNOWN;
  const message = `${resourceName(run.watched.kind)} are not listed yet`;
  return { state: 'failed', failure: { reason: 'unavailable', message } };
}

export function isSettled<T>(run: Run<T>): boolean {
  return run.listed || run.notServed || isForbidden(run);
}

function isForbidden<T>(run: Run<T>): boolean {
  return run.failure?.reason === 'forbidden';
}

function isStale<T>(run: Run<T>): boolean {
  return run.brokenSince !== undefined && performance.now() - run.brokenSince > run.times.stale;
}
