/** The live World: Namespaces, ServiceAccounts and sync resources as watches know them, everything else unread. */
import { LRUCache } from 'lru-cache';
import { derived } from '../kube/derived.ts';
import type { JsonObject } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { NAMESPACE, SECRET, SERVICE_ACCOUNT, isSameKind } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { TargetIndex } from '../kube/target-index.ts';
import { createTargetIndex } from '../kube/target-index.ts';
import type { Read, World } from '../kube/world.ts';
import { KNOWN, UNREAD, present, watchedRead } from '../kube/world.ts';
import type { SyncKind } from '../plugins/plugin.ts';
import type { Client } from './client.ts';
import type { Listeners } from './listeners.ts';
import { createListeners } from './listeners.ts';
import { resourceName } from './paths.ts';
import { reduceObject, reduceSecret } from './reduce.ts';
import type { Reflector, WatchOptions } from './watch.ts';
import { startReflector } from './watch.ts';
import { companionsOf, isOpaque, targetsOf } from './watched-kinds.ts';

export interface LiveWorld extends World {
  /** Whether every watch has listed once, or knows that it cannot; `waiting` names the others. */
  ready(): { readonly ready: boolean; readonly waiting: readonly string[] };
  /** Every sync resource that is known. */
  syncObjects(): Iterable<KubeObject>;
  /** Names of all Namespaces that are known. */
  namespaces(): Iterable<string>;
  /** Names of the Secrets of this namespace that a watch tells of: without it none. */
  secretsIn(namespace: string): Iterable<string>;
  /** Calls for each change of what a judgement stands on, until the function that it gives is called. */
  observe(listener: (change: WorldChange) => void): () => void;
  stop(): Promise<void>;
}

/** What may be judged otherwise now; a Secret also where what targets it has changed. */
export type WorldChange =
  | { readonly what: 'namespace'; readonly name: string }
  | { readonly what: 'serviceAccount'; readonly namespace: string; readonly name: string }
  | { readonly what: 'secret'; readonly namespace: string; readonly name: string };

export interface LiveWorldOptions extends WatchOptions {
  /** Also keep the metadata of all Secrets (`secrets.access: watch`). */
  readonly watchSecrets?: boolean;
  /** What the election knows of the leader; without it nobody leads. */
  readonly serves?: ((controller: string) => boolean) | undefined;
}

interface Watches {
  readonly namespaces: Reflector<KubeObject>;
  readonly serviceAccounts: Reflector<KubeObject>;
  readonly secrets: Reflector<string> | undefined;
  /** Of sync resources and their companions, by resource name. */
  readonly syncs: ReadonlyMap<string, Reflector<KubeObject>>;
  readonly definitions: Reflector<null>;
}

const CRD: ResourceKind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};

/** Starts the watches of a World. It answers from the first moment; `ready()` tells when it knows enough. */
export function startWorld(
  client: Client,
  kinds: readonly SyncKind[],
  options: LiveWorldOptions = {},
): LiveWorld {
  const index = createTargetIndex(
    (object) => targetsOf(kinds, object),
    (object) => isOpaque(kinds, object),
  );
  const changes = createListeners<WorldChange>();
  const watches = startWatches(client, kinds, { index, options, changes });
  const essential = [watches.namespaces, watches.serviceAccounts, watches.secrets, ...watches.syncs.values()];
  const awaited = essential.filter((watch) => watch !== undefined);
  const syncOf = byKind(watches.syncs);
  const unpacked = createUnpacker();
  return {
    namespace: (name) => believed(watches.namespaces.objects.get('', name)),
    // That something is not in a watch may be the watch's delay, so absence is never its word.
    secret: (namespace, name) => believed(unpacked(watches.secrets?.objects.get(namespace, name))),
    object: (kind, namespace, name) => {
      const watch = isSameKind(kind, SERVICE_ACCOUNT) ? watches.serviceAccounts : syncOf(kind);
      return believed(watch?.objects.get(namespace, name));
    },
    access: () => UNREAD,
    targeting: index.targeting,
    targetsIn: index.targetsIn,
    opaqueIn: index.opaqueIn,
    watched(kind, namespace, name) {
      const watch = syncOf(kind);
      return watch === undefined ? UNREAD : watchedRead(watch.objects.get(namespace, name), watch.state());
    },
    kind: (kind) => syncOf(kind)?.state() ?? KNOWN,
    serves: options.serves ?? (() => false),
    ready() {
      const waiting = awaited.filter((watch) => !watch.settled()).map((watch) => resourceName(watch.kind));
      return { ready: waiting.length === 0, waiting };
    },
    syncObjects: () => index.all(),
    namespaces: () => watches.namespaces.objects.names(''),
    secretsIn: (namespace) => watches.secrets?.objects.names(namespace) ?? [],
    observe: changes.add,
    async stop() {
      await Promise.all([...awaited, watches.definitions].map(async (watch) => watch.stop()));
    },
  };
}

/** Kinds are constants, and each review asks for all of them. */
function byKind<T>(watches: ReadonlyMap<string, T>): (kind: ResourceKind) => T | undefined {
  return derived((kind) => watches.get(resourceName(kind)));
}

interface Keeping {
  readonly index: TargetIndex;
  readonly options: LiveWorldOptions;
  readonly changes: Listeners<WorldChange>;
}

function startWatches(client: Client, kinds: readonly SyncKind[], keeping: Keeping): Watches {
  const { options, changes } = keeping;
  const syncs = new Map(kinds.map((kind) => [resourceName(kind.resource), startSync(client, kind, keeping)]));
  for (const kind of companionsOf(kinds)) {
    const watched = { kind, reduce: reduceObject };
    syncs.set(resourceName(kind), startReflector(client, watched, options));
  }
  return {
    namespaces: startReflector(
      client,
      {
        kind: NAMESPACE,
        metadataOnly: true,
        reduce: reduceObject,
        changed: ({ name }) => changes.tell({ what: 'namespace', name }),
      },
      options,
    ),
    // Their imagePullSecrets are no metadata.
    serviceAccounts: startReflector(
      client,
      {
        kind: SERVICE_ACCOUNT,
        reduce: reduceObject,
        changed: ({ namespace, name }) => changes.tell({ what: 'serviceAccount', namespace, name }),
      },
      options,
    ),
    secrets: options.watchSecrets === true ? startSecrets(client, keeping) : undefined,
    syncs,
    definitions: startDefinitions(client, syncs, options),
  };
}

function startSync(
  client: Client,
  sync: SyncKind,
  { index, options, changes }: Keeping,
): Reflector<KubeObject> {
  const kind = sync.resource;
  return startReflector(
    client,
    {
      kind,
      reduce: reduceObject,
      changed: ({ namespace, name, before, after }) => {
        if (after === undefined) index.remove(kind, namespace, name);
        else index.put(after);
        for (const object of [before, after]) {
          const targets = object === undefined ? [] : targetsOf([sync], object);
          for (const target of targets) changes.tell({ what: 'secret', ...target });
        }
      },
    },
    options,
  );
}

/** How many of them are kept as objects too: a few hundred bytes each. */
const UNPACKED = 1_000;

/** All Secrets of a cluster at once: as text a record takes a third of the room of its objects. */
function startSecrets(client: Client, { options, changes }: Keeping): Reflector<string> {
  const reduce = (_kind: ResourceKind, raw: JsonObject): string => JSON.stringify(reduceSecret(raw));
  return startReflector(
    client,
    {
      kind: SECRET,
      metadataOnly: true,
      reduce,
      changed: ({ namespace, name }) => changes.tell({ what: 'secret', namespace, name }),
    },
    options,
  );
}

/** The records that pods ask for again and again; a Secret that changes has another text. */
function createUnpacker(): (packed: string | undefined) => SecretRecord | undefined {
  const known = new LRUCache<string, SecretRecord>({ max: UNPACKED });
  return (packed) => {
    if (packed === undefined) return undefined;
    let record = known.get(packed);
    if (record === undefined) known.set(packed, (record = JSON.parse(packed) as SecretRecord));
    return record;
  };
}

/** A CRD's name is its resource's: whoever watches that looks again when the CRD comes, changes or goes. */
function startDefinitions(
  client: Client,
  syncs: ReadonlyMap<string, Reflector<KubeObject>>,
  options: WatchOptions,
): Reflector<null> {
  return startReflector(
    client,
    {
      kind: CRD,
      metadataOnly: true,
      reduce: () => null,
      changed: ({ name, after }) => {
        const sync = syncs.get(name);
        const isGone = after === undefined;
        if (isGone || sync?.isMakeshift() === true) sync?.recheck();
      },
    },
    options,
  );
}

function believed<T>(value: T | undefined): Read<T> {
  return value === undefined ? UNREAD : present(value);
}
