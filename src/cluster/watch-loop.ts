/** The loop of a reflector: list, watch, and what to do when either ends. */
import type { JsonObject } from '../kube/json.ts';
import { get, isObject, text } from '../kube/json.ts';
import type { ApiError } from './api-error.ts';
import { errorOfFault, errorOfStatus } from './api-error.ts';
import { isServed, versionsOf } from './discovery.ts';
import { failureOf } from './failure.ts';
import { backoff, jittered } from './pause.ts';
import { METADATA, METADATA_LIST } from './media-types.ts';
import { collectionPath, namedPath, resourceName, selectedPath } from './paths.ts';
import type { Run } from './watch-state.ts';

/** A watch that lived this long was a good one: the next failure is the first again. */
const GOOD_WATCH = 5_000;
/** Between the end of a good watch and the next, so that a server that ends them at once is not hammered. */
const BREATH = 100;

/** Runs until it is stopped; never rejects. */
export async function runWatch<T>(run: Run<T>): Promise<void> {
  while (!run.stopper.signal.aborted) {
    const milliseconds = await turn(run);
    if (!run.stopper.signal.aborted && milliseconds > 0) await run.pause.sleep(milliseconds);
  }
}

/** One list (where it is needed) and one watch; resolves with the pause before the next. */
async function turn<T>(run: Run<T>): Promise<number> {
  let verb: 'list' | 'watch' = 'list';
  try {
    if (run.resourceVersion === '') await list(run);
    if (run.resourceVersion === '') return 0;
    verb = 'watch';
    const good = await watch(run);
    run.failures = good ? 0 : run.failures + 1;
    return good ? jittered(BREATH, 0.5) : backoff(run.failures, run.times.backoff);
  } catch (fault) {
    if (run.stopper.signal.aborted) return 0;
    return failed(run, errorOfFault(fault), verb);
  }
}

async function list<T>(run: Run<T>): Promise<void> {
  const { client, watched, store, stopper } = run;
  const call = {
    signal: stopper.signal,
    ...(watched.metadataOnly === true ? { accept: METADATA_LIST } : {}),
  };
  const { rechecks } = run;
  const seen = new Set<string>();
  let resourceVersion = '';
  const { kind } = run;
  for await (const page of client.list(pathOf(run), call)) {
    for (const item of page.items) if (isObject(item)) seen.add(store.put(kind, item));
    resourceVersion = page.resourceVersion;
  }
  // Whatever vanished while nobody watched is not in the new list.
  store.keepOnly(seen);
  // What was put in before a recheck may be wrong.
  run.resourceVersion = rechecks === run.rechecks ? resourceVersion : '';
  run.listed = true;
  run.notServed = false;
  healthy(run);
  run.report({ event: 'listed', resource: resourceName(watched.kind), objects: store.size });
}

/** Follows one watch to its end; whether it was of any use. */
async function watch<T>(run: Run<T>): Promise<boolean> {
  const stream = new AbortController();
  const signal = AbortSignal.any([run.stopper.signal, stream.signal]);
  const began = performance.now();
  run.stream = stream;
  try {
    const events = await run.client.watch(watchPath(run), {
      signal,
      idleMs: run.times.idle,
      ...(run.watched.metadataOnly === true ? { accept: METADATA } : {}),
    });
    healthy(run);
    for await (const event of events) {
      apply(run, event);
      run.failures = 0;
    }
    return run.failures === 0 || performance.now() - began > GOOD_WATCH;
  } catch (fault) {
    // A recheck ended it: what is there must be listed again.
    if (!stream.signal.aborted) throw fault;
    run.resourceVersion = '';
    return true;
  } finally {
    run.stream = undefined;
  }
}

function pathOf<T>({ kind, watched }: Run<T>): string {
  const { only, fieldSelector } = watched;
  if (only !== undefined) return namedPath(kind, only);
  return fieldSelector === undefined
    ? collectionPath(kind)
    : selectedPath(collectionPath(kind), fieldSelector);
}

function watchPath<T>(run: Run<T>): string {
  // Not all watches of all replicas shall end at once.
  const seconds = Math.round(300 + Math.random() * 300);
  const from = encodeURIComponent(run.resourceVersion);
  const path = pathOf(run);
  const separator = path.includes('?') ? '&' : '?';
  return `${path}${separator}watch=1&allowWatchBookmarks=true&resourceVersion=${from}&timeoutSeconds=${seconds}`;
}

function apply<T>(run: Run<T>, event: JsonObject): void {
  const type = text(event, 'type');
  const object = get(event, 'object');
  if (type === 'ERROR') throw errorOfStatus(object);
  if (!isObject(object)) return;
  if (type === 'ADDED' || type === 'MODIFIED') run.store.put(run.kind, object);
  if (type === 'DELETED') run.store.remove(object);
  run.resourceVersion = text(get(object, 'metadata'), 'resourceVersion') ?? run.resourceVersion;
}

function healthy<T>(run: Run<T>): void {
  run.failure = undefined;
  run.brokenSince = undefined;
}

/** Takes note of a failure; the pause before the next attempt. */
async function failed<T>(run: Run<T>, error: ApiError, verb: 'list' | 'watch'): Promise<number> {
  if (error.status === 410) return expired(run);
  if (error.status === 404 || (error.status === 403 && !(await isServed(run.client, run.kind)))) {
    return gone(run);
  }
  const { only } = run.watched;
  const failure = failureOf(error, {
    verb,
    kind: run.watched.kind,
    ...(only === undefined ? {} : { namespace: only.namespace }),
  });
  const isNews = run.failure?.message !== failure.message;
  run.failure = failure;
  run.notServed = false;
  run.brokenSince ??= performance.now();
  run.failures += 1;
  if (isNews) run.report({ event: 'failed', resource: resourceName(run.watched.kind), failure });
  return backoff(run.failures, run.times.backoff);
}

/** The server has forgotten where the watch stood: list again, soon where it is the first time. */
function expired<T>(run: Run<T>): number {
  run.resourceVersion = '';
  run.brokenSince ??= performance.now();
  run.failures += 1;
  return backoff(run.failures - 1, run.times.backoff);
}

/** No such path: the CRD, or this version of it, is not installed. An older version may be. */
function gone<T>(run: Run<T>): number {
  const versions = versionsOf(run.watched.kind);
  // What worked in an older version may have become a newer one.
  const isAgain = run.listed && run.kind !== run.watched.kind;
  const tried = versions.findIndex(({ version }) => version === run.kind.version);
  const other = versions[isAgain ? 0 : tried + 1];
  run.kind = other ?? run.watched.kind;
  if (other !== undefined) {
    run.resourceVersion = '';
    run.listed = false;
    return 0;
  }
  if (!run.notServed) run.report({ event: 'notServed', resource: resourceName(run.watched.kind) });
  run.store.keepOnly(new Set());
  run.resourceVersion = '';
  run.listed = false;
  run.notServed = true;
  run.failures = 0;
  healthy(run);
  const isEager = performance.now() < run.eagerUntil;
  return jittered(isEager ? run.times.eagerProbe : run.times.probe, 0.7);
}
