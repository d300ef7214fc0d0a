/** What `create` makes: keys in a store, and the resource that brings them into the cluster. */
import type { Client } from '../cluster/client.ts';
import { METADATA } from '../cluster/media-types.ts';
import { collectionPath, objectPath, resourceName } from '../cluster/paths.ts';
import type { Config } from '../config/config.ts';
import type { JsonObject } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { SECRET } from '../kube/object.ts';
import type { OperatorLogin } from '../plugins/infisical-manifest.ts';
import { INFISICAL_SECRET, infisicalSecretFor } from '../plugins/infisical-manifest.ts';
import { siteUrlOf } from '../upstream/infisical.ts';
import { apiStatus } from '../upstream/kubernetes-api.ts';
import type { NewValues, Place, Put, Store } from '../upstream/store.ts';
import { operatorLogin } from './operator-login.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, exitCodeOf, messageOf } from './terminal.ts';

export interface Wish {
  readonly name: string;
  readonly namespace: string;
  readonly values: NewValues;
  readonly place: Place;
  readonly dryRun: boolean;
}

/** One thing that was made, or with `dryRun` would be. */
export interface Made {
  readonly kind: string;
  readonly name: string;
  /** 'namespace floe-jobs', 'Infisical floe-platform/prod/db'. */
  readonly where: string;
  readonly keys?: readonly string[];
  readonly action: 'created' | 'unchanged';
  readonly dryRun: boolean;
}

export interface Surroundings {
  readonly client: Client;
  readonly settings: Config['upstream'];
  readonly terminal: Terminal;
}

/** Makes it, or nothing: what is there already is refused before anything is written. */
export async function createInStore(
  store: Store,
  wish: Wish,
  surroundings: Surroundings,
): Promise<readonly Made[]> {
  if (store.id === 'k8s') return createNative(store, wish, surroundings);
  if (store.id === 'infisical') return createInInfisical(store, wish, surroundings);
  const put = await putUpstream(store, wish, surroundings);
  surroundings.terminal.stderr.write(
    `Note: nothing brings ${store.describe(wish.place)} into the cluster yet: write a VaultStaticSecret with destination.name ${wish.name}\n`,
  );
  return [upstreamMade(store, wish, put)];
}

async function createNative(store: Store, wish: Wish, { client }: Surroundings): Promise<readonly Made[]> {
  const { namespace, name, dryRun } = wish;
  await refuseExisting(client, SECRET, wish);
  const { created } = await store.put({ ...wish.place, path: `${namespace}/${name}` }, wish.values, {
    dryRun,
  });
  return [
    { kind: 'Secret', name, where: `namespace ${namespace}`, keys: created, action: 'created', dryRun },
  ];
}

/**
 * The InfisicalSecret is tried first, dry, because the API server's refusal (no operator, no right, our own webhook)
 * should come before the store has anything.
 */
async function createInInfisical(
  store: Store,
  wish: Wish,
  surroundings: Surroundings,
): Promise<readonly Made[]> {
  const { client, settings } = surroundings;
  const { namespace, name, place, dryRun } = wish;
  refuseUnplaced(place);
  const hostAPI = `${siteUrlOf(settings.infisical.hostAPI)}/api`;
  const login = requiredLogin(settings.infisical, namespace);
  const resource = infisicalSecretFor({ namespace, name, hostAPI, login, ...place });
  // The operator would take over a Secret of that name, whoever made it.
  await refuseExisting(client, SECRET, wish);
  await refuseExisting(client, INFISICAL_SECRET, wish);
  await post(client, resource, { namespace, dryRun: true });
  const put = await putUpstream(store, wish, surroundings);
  if (!dryRun) await postOrTakeBack(store, { wish, put, resource }, client);
  const kind = resourceName(INFISICAL_SECRET);
  return [
    upstreamMade(store, wish, put),
    { kind, name, where: `namespace ${namespace}`, action: 'created', dryRun },
  ];
}

function refuseUnplaced({ project, environment }: Place): void {
  if (project === '')
    throw new CommandError('no project: give --project or set upstream.infisical.project', EXIT.usage);
  if (environment !== '') return;
  const ways =
    'give --environment, set upstream.infisical.environment, or label the namespace floe.dev/environment';
  throw new CommandError(`no environment: ${ways}`, EXIT.usage);
}

async function refuseExisting(client: Client, kind: ResourceKind, { namespace, name }: Wish): Promise<void> {
  try {
    await client.get(objectPath(kind, namespace, name) ?? '', { accept: METADATA });
  } catch (error) {
    if (apiStatus(error) === 404) return;
    throw error;
  }
  const what = `${kind.kind} '${name}' already exists in namespace '${namespace}'`;
  throw new CommandError(`${what}; create makes new ones alone`, EXIT.general);
}

function requiredLogin(settings: Config['upstream']['infisical'], namespace: string): OperatorLogin {
  const login = operatorLogin(settings, namespace);
  if (login !== undefined) return login;
  throw new CommandError(
    'how the Infisical operator logs in is not known: set upstream.infisical.credentials to the Secret with its machine identity, or serviceAccount and identityId',
    EXIT.usage,
  );
}

async function putUpstream(store: Store, wish: Wish, { terminal }: Surroundings): Promise<Put> {
  const { place, values, dryRun } = wish;
  const put = await store.put(place, values, { dryRun });
  if (!put.madePlace) await warnOfNeighbours(store, wish, terminal);
  return put;
}

/** A sync resource brings all that stands at its path. */
async function warnOfNeighbours(store: Store, { place, values }: Wish, { stderr }: Terminal): Promise<void> {
  const others = (await store.list(place)).filter((key) => !Object.hasOwn(values, key));
  if (others.length === 0) return;
  stderr.write(
    `Warning: ${store.describe(place)} has other keys too, and the Secret will have them: ${others.join(', ')}\n`,
  );
}

function upstreamMade(store: Store, { place, name, dryRun }: Wish, { created, unchanged }: Put): Made {
  const keys = [...created, ...unchanged].toSorted();
  const action = created.length === 0 ? 'unchanged' : 'created';
  return {
    kind: 'UpstreamSecret',
    name,
    where: `${store.name} ${store.describe(place)}`,
    keys,
    action,
    dryRun,
  };
}

interface Second {
  readonly wish: Wish;
  readonly put: Put;
  readonly resource: JsonObject;
}

async function postOrTakeBack(store: Store, { wish, put, resource }: Second, client: Client): Promise<void> {
  try {
    await post(client, resource, { namespace: wish.namespace, dryRun: false });
  } catch (error) {
    const left = await store.remove(wish.place, put.created).then(
      () => 'what was written upstream is taken back',
      () => `written upstream, and not taken back: ${put.created.join(', ')}`,
    );
    throw new CommandError(`${messageOf(error)}; ${left}`, exitCodeOf(error));
  }
}

async function post(
  client: Client,
  resource: JsonObject,
  { namespace, dryRun }: { readonly namespace: string; readonly dryRun: boolean },
): Promise<void> {
  const path = collectionPath(INFISICAL_SECRET, namespace);
  try {
    await client.post(dryRun ? `${path}?dryRun=All` : path, resource);
  } catch (error) {
    if (apiStatus(error) !== 404) throw error;
    const missing = `the API server serves no ${resourceName(INFISICAL_SECRET)}, or has no namespace '${namespace}'`;
    throw new CommandError(`${missing}: is the Infisical operator installed?`, EXIT.general);
  }
}
