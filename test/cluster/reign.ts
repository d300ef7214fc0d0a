// What a leader's controller is given, in memory: the judgement and the reads are the real ones, the API server's
// objects are a table, and time passes only when a test lets it.
import { vi } from 'vitest';
import { createAdmission } from '../../src/cluster/admit.ts';
import { ApiError } from '../../src/cluster/api-error.ts';
import type { Client } from '../../src/cluster/client.ts';
import type { Controller, ControllerParts } from '../../src/cluster/controller.ts';
import type { EventDraft } from '../../src/cluster/events.ts';
import { createListeners } from '../../src/cluster/listeners.ts';
import { createLookup } from '../../src/cluster/lookup.ts';
import { METADATA } from '../../src/cluster/media-types.ts';
import { objectPath } from '../../src/cluster/paths.ts';
import { createReportBoard } from '../../src/cluster/report-board.ts';
import { reduceObject } from '../../src/cluster/reduce.ts';
import { targetsOf } from '../../src/cluster/watched-kinds.ts';
import type { LiveWorld, WorldChange } from '../../src/cluster/world.ts';
import { SETTINGS_SCHEMA, frozenConfig } from '../../src/config/config.ts';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import { asObject } from '../../src/kube/json.ts';
import type { KubeObject, ResourceKind } from '../../src/kube/object.ts';
import { NAMESPACE, SECRET, nameOf, namespaceOf } from '../../src/kube/object.ts';
import { createTargetIndex, identityOf } from '../../src/kube/target-index.ts';
import type { Read } from '../../src/kube/world.ts';
import { ABSENT, KNOWN, UNREAD, present } from '../../src/kube/world.ts';
import { isOptedIn } from '../../src/review/policy.ts';
import { createReviewer } from '../../src/review/review.ts';
import { settingsOf } from '../../src/review/settings.ts';
import { createRunning } from './running-cluster.ts';

/** Noon: where time stands when a test begins. */
export const NOON = Date.parse('2026-11-27T12:00:00Z');

export interface Write {
  readonly method: string;
  readonly path: string;
  readonly body: Json | undefined;
}

/** Before `vi.useRealTimers`, with `die`. */
export function createReign(settings: JsonObject = {}) {
  vi.useFakeTimers({ now: NOON });
  const config = frozenConfig(SETTINGS_SCHEMA.parse(settings));
  const { kinds } = settingsOf(config);
  const running = createRunning();
  const changes = createListeners<WorldChange>();
  const index = createTargetIndex((object) => targetsOf(kinds, object));
  const watched = new Map<string, KubeObject>();
  const objects = new Map<string, JsonObject>();
  const collections = new Map<string, Feed>();
  const failures = new Map<string, ApiError>();
  const writes: Write[] = [];
  const events: EventDraft[] = [];
  const told: string[] = [];
  const counts: string[] = [];
  const gauges = new Map<string, readonly unknown[]>();
  let version = 100;
  let answer: (write: Write) => void = () => undefined;
  let reign: { readonly stop: AbortController; readonly ended: Promise<unknown> } | undefined;

  const find = (kind: ResourceKind, namespace: string, name: string): Read<KubeObject> => {
    const found = watched.get(identityOf(kind, namespace, name));
    return found === undefined ? ABSENT : present(found);
  };
  const world: LiveWorld = {
    namespace: (name) => find(NAMESPACE, '', name),
    object: find,
    secret: () => UNREAD,
    access: () => present(false),
    targeting: index.targeting,
    targetsIn: index.targetsIn,
    opaqueIn: index.opaqueIn,
    watched: find,
    kind: () => KNOWN,
    serves: () => true,
    ready: () => ({ ready: true, waiting: [] }),
    syncObjects: index.all,
    namespaces: () =>
      [...watched.values()].filter(({ kind }) => kind === NAMESPACE).map(({ raw }) => nameOf(raw)),
    secretsIn: () => [],
    observe: changes.add,
    stop: async () => undefined,
  };
  const feed = (path: string): Feed => {
    const known = collections.get(path) ?? createFeed();
    collections.set(path, known);
    return known;
  };
  const send: Client['send'] = async (method, path, body) => {
    const write = { method, path, body };
    writes.push(write);
    answer(write);
    return {};
  };
  const client: Client = {
    namespace: 'floe-secrets-system',
    inPod: true,
    address: async () => 'https://localhost:6443',
    serverTime: Date.now,
    async get(path, call) {
      const failure = failures.get(path);
      if (failure !== undefined) throw failure;
      const found = objects.get(path);
      if (found === undefined) throw new ApiError(404, 'NotFound', 'not found');
      const { data, ...rest } = found;
      return call?.accept === METADATA
        ? { ...rest, kind: 'PartialObjectMetadata' }
        : { ...rest, ...(data === undefined ? {} : { data }) };
    },
    send,
    post: async (path, body) => send('POST', path, body),
    async *list(path) {
      const items = [...feed(path).items()];
      yield { items, resourceVersion: String(items.length + 1) };
    },
    watch: async (path, { signal }) => {
      const [, collection = '', from = ''] = /^(.*)[?&]watch=1.*[?&]resourceVersion=(\d+)/.exec(path) ?? [];
      return feed(collection).follow(Number(from) - 1, signal);
    },
    close: async () => undefined,
  };
  const lookup = createLookup(client, { max: 0, ttl: 0 });
  const admit = createAdmission({
    review: createReviewer(config),
    world,
    lookup,
    targets: (object) => targetsOf(kinds, object),
    now: Date.now,
  });
  const parts: ControllerParts = {
    config,
    client,
    world,
    lookup,
    admit,
    running,
    board: createReportBoard(),
    events: { emit: (event) => void events.push(event), stop: async () => undefined },
    telemetry: {
      count: (name, labels) => void counts.push([name, ...Object.values(labels)].join(' ')),
      gauge: (name, rows) =>
        void gauges.set(
          name,
          rows.map(({ labels, value }) => ({ ...labels, value })),
        ),
    },
    tell: (event, fields) => void told.push(`${event} ${JSON.stringify(fields)}`),
    note: () => undefined,
    isWatched(name) {
      const read = world.namespace(name);
      return read.state === 'present' && isOptedIn(read.value);
    },
    now: Date.now,
  };
  const put = (kind: ResourceKind, raw: JsonObject): void => {
    const [namespace, name] = [namespaceOf(raw), nameOf(raw)];
    const resourceVersion = String((version += 1));
    const metadata = { uid: `uid-${name}`, resourceVersion, ...asObject(raw['metadata']) };
    const stored = { ...raw, metadata };
    objects.set(objectPath(kind, namespace, name) ?? '', stored);
    if (kind === SECRET) return;
    const object = reduceObject(kind, stored);
    watched.set(identityOf(kind, namespace, name), object);
    if (kind === NAMESPACE) return changes.tell({ what: 'namespace', name });
    index.put(object);
    for (const target of targetsOf(kinds, object)) changes.tell({ what: 'secret', ...target });
  };
  return {
    config,
    running,
    writes,
    events,
    told,
    counts,
    gauges,
    objects,
    feed,
    put,
    remove(kind: ResourceKind, namespace: string, name: string): void {
      const key = identityOf(kind, namespace, name);
      const object = watched.get(key);
      objects.delete(objectPath(kind, namespace, name) ?? '');
      watched.delete(key);
      index.remove(kind, namespace, name);
      const targets = object === undefined ? [] : targetsOf(kinds, object);
      for (const target of targets) changes.tell({ what: 'secret', ...target });
    },
    /** Every read of this path fails so, until undefined is given. */
    fail(path: string, error: ApiError | undefined): void {
      if (error === undefined) failures.delete(path);
      else failures.set(path, error);
    },
    /** What the API server does with each write: nothing, or throw. */
    answer: (next: typeof answer) => void (answer = next),
    reasons: (): readonly string[] => events.map(({ reason }) => reason),
    lead(...controllers: readonly Controller[]): void {
      const stop = new AbortController();
      const ended = Promise.all(controllers.map(async (one) => one.run(parts, stop.signal)));
      reign = { stop, ended };
    },
    /** Lets so many milliseconds pass, and everything happen that is due in them. */
    pass: async (milliseconds: number): Promise<void> => {
      await vi.advanceTimersByTimeAsync(milliseconds);
    },
    async die(): Promise<void> {
      reign?.stop.abort();
      vi.useRealTimers();
      await reign?.ended;
    },
  };
}

export type Reign = ReturnType<typeof createReign>;

/** A collection that can be listed and watched. */
interface Feed {
  items(): readonly JsonObject[];
  add(object: JsonObject): void;
  /** What was added after the first `from`, and what will be. */
  follow(from: number, signal: AbortSignal): AsyncGenerator<JsonObject, void>;
}

function createFeed(): Feed {
  const all: JsonObject[] = [];
  let wake: () => void = () => undefined;
  return {
    items: () => all,
    add(object) {
      all.push(object);
      wake();
    },
    async *follow(from, signal) {
      let seen = from;
      while (!signal.aborted) {
        while (seen < all.length) yield { type: 'ADDED', object: all[seen++]! };
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    },
  };
}
