/** One look at a cluster with the rights of whoever asks: for commands, which need no watches. */
import { asObject } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { NAMESPACE, SECRET } from '../kube/object.ts';
import type { KindState, ReadFailure } from '../kube/world.ts';
import { KNOWN, NOT_SERVED } from '../kube/world.ts';
import type { SyncKind } from '../plugins/plugin.ts';
import { ApiError } from './api-error.ts';
import type { Client } from './client.ts';
import { isServed, versionsOf } from './discovery.ts';
import type { Attempt } from './failure.ts';
import { failureOf } from './failure.ts';
import { createLimiter } from './limiter.ts';
import { METADATA } from './media-types.ts';
import { collectionPath, objectPath, resourceName } from './paths.ts';
import { readObject } from './read-object.ts';
import { reduceObject } from './reduce.ts';
import { READS_AT_ONCE, listSecrets, readSecret } from './secret-table.ts';
import { companionsOf, targetsOf } from './watched-kinds.ts';
import type { WorldContents } from './world-files.ts';

/** What one look gave, and what it was not allowed to see. */
export interface Snapshot extends WorldContents {
  readonly kindStates: ReadonlyMap<string, KindState>;
  /** By resource name: the kinds, of those that everybody has, whose objects were all seen. */
  readonly whole: ReadonlySet<string>;
  readonly failures: readonly ReadFailure[];
}

interface View {
  readonly kinds: readonly SyncKind[];
  /** undefined: all of them. */
  readonly namespace?: string;
}

interface Listed extends Pick<View, 'namespace'> {
  readonly kinds: readonly Pick<SyncKind, 'resource' | 'companions'>[];
}

/** Namespaces, Secrets and sync resources. Throws ApiError where the server does not answer at all. */
export async function readSnapshot(client: Client, view: View): Promise<Snapshot> {
  const [sync, namespaces, listed] = await Promise.all([
    readSyncResources(client, view),
    readNamespaces(client, view),
    listedSecrets(client, view.namespace),
  ]);
  const secrets = listed ?? (await readTargets(client, view, sync.syncResources));
  return {
    objects: namespaces,
    secrets: secrets.secrets,
    syncResources: sync.syncResources,
    companions: sync.companions,
    kindStates: sync.kindStates,
    whole: new Set(secrets.failures.length === 0 ? [resourceName(SECRET)] : []),
    failures: [...sync.failures, ...secrets.failures],
  };
}

/**
 * The sync resources and their companions alone: of all namespaces where that may be read, because foreign ones may
 * target here. A companion that may not be read is only missed.
 */
export async function readSyncResources(
  client: Client,
  { kinds, namespace }: Listed,
): Promise<Omit<Snapshot, 'objects' | 'secrets' | 'whole'>> {
  const list = async (resource: ResourceKind) => ({
    resource,
    ...(await listKind(client, resource, namespace)),
  });
  const [listings, companions] = await Promise.all([
    Promise.all(kinds.map(async ({ resource }) => list(resource))),
    Promise.all(companionsOf(kinds).map(list)),
  ]);
  return {
    syncResources: listings.flatMap((listing) => listing.objects),
    companions: companions.flatMap((listing) => listing.objects),
    kindStates: new Map(
      [...listings, ...companions].map(({ resource, state }) => [resourceName(resource), state]),
    ),
    failures: listings.flatMap(({ state }) => (state.state === 'failed' ? [state.failure] : [])),
  };
}

interface Listing {
  readonly objects: readonly KubeObject[];
  readonly state: KindState;
}

/** In the newest version that is served. */
async function listKind(client: Client, kind: ResourceKind, namespace: string | undefined): Promise<Listing> {
  for (const version of versionsOf(kind)) {
    const listing = await listVersion(client, version, namespace);
    if (listing.state !== NOT_SERVED) return listing;
  }
  return { objects: [], state: NOT_SERVED };
}

async function listVersion(
  client: Client,
  kind: ResourceKind,
  namespace: string | undefined,
): Promise<Listing> {
  try {
    return { objects: await listObjects(client, kind), state: KNOWN };
  } catch (error) {
    const status = statusOf(error);
    if (status === 404) return { objects: [], state: NOT_SERVED };
    if (status !== 403) throw error;
    // A kind that is not there is refused as well, before anybody looks whether it is there.
    if (!(await isServed(client, kind))) return { objects: [], state: NOT_SERVED };
  }
  // Who may look at one namespace only misses what other namespaces, and the whole cluster, have to say of it.
  if (!kind.namespaced && namespace !== undefined) return { objects: [], state: KNOWN };
  try {
    if (namespace !== undefined) return { objects: await listObjects(client, kind, namespace), state: KNOWN };
  } catch (error) {
    if (statusOf(error) !== 403) throw error;
  }
  return { objects: [], state: { state: 'failed', failure: refusal('list', kind, namespace) } };
}

async function listObjects(
  client: Client,
  kind: ResourceKind,
  namespace?: string,
): Promise<readonly KubeObject[]> {
  const objects: KubeObject[] = [];
  for await (const { items } of client.list(collectionPath(kind, namespace))) {
    objects.push(...items.map((item) => reduceObject(kind, asObject(item))));
  }
  return objects;
}

/** A namespace that may not be read is one whose settings are not known; nothing else depends on it. */
export async function readNamespaces(
  client: Client,
  { namespace }: Pick<View, 'namespace'>,
): Promise<readonly KubeObject[]> {
  try {
    if (namespace === undefined) return await listObjects(client, NAMESPACE);
    const raw = await client.get(pathOf(NAMESPACE, '', namespace), { accept: METADATA });
    return [reduceObject(NAMESPACE, raw)];
  } catch (error) {
    const status = statusOf(error);
    if (status === 403 || status === 404) return [];
    throw error;
  }
}

/** Whether there certainly is no such namespace: who may not see that does not know. */
export async function isMissing(client: Pick<Client, 'get'>, namespace: string): Promise<boolean> {
  const path = objectPath(NAMESPACE, '', namespace);
  if (path === undefined) return true;
  try {
    return (await readObject(client, path, { accept: METADATA })) === undefined;
  } catch (error) {
    if (statusOf(error) === 403) return false;
    throw error;
  }
}

type Secrets = Pick<Snapshot, 'secrets' | 'failures'>;

/** Undefined where they may not be listed. */
async function listedSecrets(client: Client, namespace: string | undefined): Promise<Secrets | undefined> {
  try {
    return { secrets: await listSecrets(client, namespace), failures: [] };
  } catch (error) {
    if (statusOf(error) === 403) return undefined;
    throw error;
  }
}

/** Who may get Secrets but not list them (floe's roles) still sees those that sync resources target. */
async function readTargets(
  client: Client,
  { kinds, namespace }: View,
  syncResources: readonly KubeObject[],
): Promise<Secrets> {
  const targets = syncResources.flatMap((object) => targetsOf(kinds, object));
  const here = targets.filter((target) => namespace === undefined || target.namespace === namespace);
  const turn = createLimiter(READS_AT_ONCE);
  const reads = await Promise.all(
    here.map(async (target) => turn(async () => readSecret(client, target.namespace, target.name))),
  );
  const secrets = reads.flatMap((read) => (read.state === 'present' ? [read.value] : []));
  return { secrets, failures: [refusal('list', SECRET, namespace)] };
}

function pathOf(kind: ResourceKind, namespace: string, name: string): string {
  const path = objectPath(kind, namespace, name);
  if (path === undefined) throw new ApiError(404, 'NotFound', `no ${kind.kind} can be named '${name}'`);
  return path;
}

function refusal(verb: string, kind: ResourceKind, namespace: string | undefined): ReadFailure {
  const attempt: Attempt = { verb, kind, ...(namespace === undefined ? {} : { namespace }) };
  return failureOf(new ApiError(403, 'Forbidden', 'forbidden'), attempt);
}

function statusOf(error: unknown): number | undefined {
  return error instanceof ApiError ? error.status : undefined;
}
