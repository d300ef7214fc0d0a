/** A world in files (contract, section 7): manifests that stand for a cluster, read once or watched. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, get, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import {
  CRON_JOB,
  JOB,
  LEASE,
  NAMESPACE,
  SECRET,
  SECRET_PROVIDER_CLASS,
  SERVICE_ACCOUNT,
  createdAt,
  groupOf,
  isSameKind,
  namespaceOf,
} from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import { worldOf } from '../kube/static-world.ts';
import type { KindState, World } from '../kube/world.ts';
import { watchedRead } from '../kube/world.ts';
import type { SyncKind } from '../plugins/plugin.ts';
import { holdingOf } from './lease.ts';
import type { DatedManifest } from './manifest-files.ts';
import { fingerprintOf, readManifestsAt } from './manifest-files.ts';
import { resourceName } from './paths.ts';
import { reduceObject, reduceSecret } from './reduce.ts';
import { companionsOf, isOpaque, targetsOf } from './watched-kinds.ts';

/** What is known of a cluster at one moment: Secrets without their values, everything else as it is judged. */
export interface WorldContents {
  /** Namespaces, ServiceAccounts, Jobs, CronJobs, SecretProviderClasses. */
  readonly objects: readonly KubeObject[];
  readonly secrets: readonly SecretRecord[];
  readonly syncResources: readonly KubeObject[];
  /** What is watched for what it tells of sync resources. */
  readonly companions: readonly KubeObject[];
  /** By resource name ('infisicalsecrets.secrets.infisical.com'); without an entry a kind is known. */
  readonly kindStates?: ReadonlyMap<string, KindState>;
}

const OBJECT_KINDS: readonly ResourceKind[] = [
  NAMESPACE,
  SERVICE_ACCOUNT,
  JOB,
  CRON_JOB,
  SECRET_PROVIDER_CLASS,
  LEASE,
];

/** kubectl's, for an object that names none. */
const DEFAULT_NAMESPACE = 'default';

/** Sorts manifests into a world's parts; what no judgement asks for is left out. */
export function contentsOf(manifests: readonly DatedManifest[], kinds: readonly SyncKind[]): WorldContents {
  return {
    objects: objectsOf(manifests, OBJECT_KINDS),
    secrets: manifests.filter((one) => kindOf(one, [SECRET]) !== undefined).map(recordOf),
    syncResources: objectsOf(
      manifests,
      kinds.map((kind) => kind.resource),
    ),
    companions: objectsOf(manifests, companionsOf(kinds)),
  };
}

/** The World of these contents. Whoever has the files may read the Secrets, so `access` is given. */
export function worldOfContents(contents: WorldContents, kinds: readonly SyncKind[]): World {
  const world = worldOf({
    objects: [...contents.objects, ...contents.companions, ...contents.syncResources],
    secrets: contents.secrets,
    targets: (object) => targetsOf(kinds, object),
    isOpaque: (object) => isOpaque(kinds, object),
    access: () => true,
    controllers: contents.objects.flatMap(controllersOf),
  });
  const stateOf: World['kind'] = (kind) => contents.kindStates?.get(resourceName(kind)) ?? world.kind(kind);
  return {
    ...world,
    watched(kind, namespace, name) {
      const read = world.watched(kind, namespace, name);
      return read.state === 'present' ? read : watchedRead(undefined, stateOf(kind));
    },
    kind: stateOf,
  };
}

/** What the leader runs, as its Lease says; no other Lease says such a thing. Time stands still in files, so who holds it holds it. */
function controllersOf({ kind, raw }: KubeObject): readonly string[] {
  if (!isSameKind(kind, LEASE)) return [];
  const { holder, controllers } = holdingOf(raw);
  return holder === '' ? [] : controllers;
}

function objectsOf(
  manifests: readonly DatedManifest[],
  kinds: readonly ResourceKind[],
): readonly KubeObject[] {
  return manifests.flatMap((manifest) => {
    const kind = kindOf(manifest, kinds);
    return kind === undefined ? [] : [reduceObject(kind, completed(manifest, kind))];
  });
}

/** The kind of a manifest, whichever version of its group it is written in. */
function kindOf({ raw }: DatedManifest, kinds: readonly ResourceKind[]): ResourceKind | undefined {
  const group = groupOf(text(raw, 'apiVersion') ?? '');
  return kinds.find((kind) => kind.kind === get(raw, 'kind') && kind.group === group);
}

/** As the API server's answer is reduced; the type that it would fill in is `Opaque`. */
function recordOf(manifest: DatedManifest): SecretRecord {
  return reduceSecret({ type: 'Opaque', ...completed(manifest, SECRET) });
}

/** What the API server would have filled in: the namespace, and the creation time, which is the file's. */
function completed({ raw, modifiedAt }: DatedManifest, kind: ResourceKind): JsonObject {
  const namespace = kind.namespaced ? { namespace: namespaceOf(raw) || DEFAULT_NAMESPACE } : {};
  const creationTimestamp = new Date(createdAt(raw) ?? modifiedAt).toISOString();
  return { ...raw, metadata: { ...asObject(get(raw, 'metadata')), ...namespace, creationTimestamp } };
}

interface ReadOptions {
  readonly kinds: readonly SyncKind[];
  /** Where relative paths begin; by default the process's working directory. */
  readonly cwd?: string;
}

/** Reads files and folders as one cluster. Throws BadManifest, or what the file system says. */
export async function readWorldContents(
  paths: readonly string[],
  { kinds, cwd }: ReadOptions,
): Promise<WorldContents> {
  return contentsOf(await readManifestsAt(paths, cwd), kinds);
}

/** As readWorldContents, as a World. */
export async function readWorldFolder(paths: readonly string[], options: ReadOptions): Promise<World> {
  return worldOfContents(await readWorldContents(paths, options), options.kinds);
}

export interface WatchedWorld {
  /** Always the last good state of the folder; empty before the first. */
  readonly world: World;
  /** Resolves when the folder was read well for the first time. */
  ready(): Promise<void>;
  stop(): void;
}

interface WatchOptions extends ReadOptions {
  /** Told once of each state of the folder that cannot be read. */
  onError(error: Error): void;
}

const LOOK_EVERY = 500;

/**
 * A folder that is looked at twice a second. Looking, not the operating system's notice, because mounted
 * ConfigMaps and network file systems send none.
 */
export function watchWorldFolder(folder: string, { kinds, onError }: WatchOptions): WatchedWorld {
  let current = worldOfContents(contentsOf([], kinds), kinds);
  let seen: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const first = Promise.withResolvers<void>();

  const look = async (): Promise<void> => {
    const fingerprint = await fingerprintOf(folder);
    if (fingerprint !== seen) {
      seen = fingerprint;
      await read();
    }
    if (!stopped) timer = setTimeout(() => void look(), LOOK_EVERY).unref();
  };
  const read = async (): Promise<void> => {
    try {
      current = worldOfContents(contentsOf(await readManifestsAt([folder]), kinds), kinds);
      first.resolve();
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  };

  void look();
  return {
    world: following(() => current),
    ready: () => first.promise,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** A World that passes every question on to whichever World is current. */
function following(current: () => World): World {
  return {
    namespace: (name) => current().namespace(name),
    secret: (namespace, name) => current().secret(namespace, name),
    object: (kind, namespace, name) => current().object(kind, namespace, name),
    access: (user, verb, resource, namespace) => current().access(user, verb, resource, namespace),
    targeting: (namespace, secret) => current().targeting(namespace, secret),
    targetsIn: (namespace) => current().targetsIn(namespace),
    opaqueIn: (namespace) => current().opaqueIn(namespace),
    watched: (kind, namespace, name) => current().watched(kind, namespace, name),
    kind: (kind) => current().kind(kind),
    serves: (controller) => current().serves(controller),
  };
}
