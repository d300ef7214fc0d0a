/** Native Secrets as a store: a place is one Secret, 'namespace/name'. */
import type { KubernetesApi } from './kubernetes-api.ts';
import { apiStatus } from './kubernetes-api.ts';
import type { JsonObject } from '../kube/json.ts';
import { asObject, get, text } from '../kube/json.ts';
import { isDnsLabel, isDnsSubdomain } from '../kube/names.ts';
import { nameOf } from '../kube/object.ts';
import type { NewValues, Place, Put, PutOptions, Store, Values } from './store.ts';
import { alreadyThere } from './store.ts';
import { UpstreamError } from './upstream-error.ts';

export function createKubernetes(api: KubernetesApi): Store {
  return {
    id: 'k8s',
    name: 'Kubernetes',
    describe: ({ path }) => path,
    list: async (place) => Object.keys(dataOf(await present(api, place))).toSorted(),
    read: async (place) => decoded(dataOf(await present(api, place)), place),
    get: async (place, key) => {
      const value = text(dataOf(await present(api, place)), key);
      if (value !== undefined) return decodedValue(value, key, place);
      throw new UpstreamError('secretNotFound', `Secret '${place.path}' has no key '${key}'`);
    },
    names: async ({ path }) => secretNames(api, path),
    put: async (place, values, options = {}) => put(api, place, values, options),
    remove: async (place, keys) => {
      // A merge patch takes a key away by null, also one that is not there.
      const data: JsonObject = Object.fromEntries(keys.map((key) => [key, null]));
      if (keys.length > 0) await send(api, 'PATCH', { place, body: { data } });
    },
    close: async () => undefined,
  };
}

interface Names {
  readonly namespace: string;
  readonly name: string;
}

function namesOf({ path }: Place): Names {
  const [namespace = '', name = '', ...more] = path.split('/');
  if (isDnsLabel(namespace) && isDnsSubdomain(name) && more.length === 0) return { namespace, name };
  throw new UpstreamError(
    'invalid',
    `'${path.slice(0, 80)}' is not the name of a Secret: lower-case letters, digits, '-' and '.'`,
  );
}

function collection({ namespace }: Names): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}

function dataOf(secret: JsonObject): JsonObject {
  return asObject(get(secret, 'data'));
}

async function present(api: KubernetesApi, place: Place): Promise<JsonObject> {
  const secret = await find(api, place);
  if (secret !== undefined) return secret;
  const { namespace, name } = namesOf(place);
  throw new UpstreamError('pathNotFound', `Secret '${name}' not found in namespace '${namespace}'`);
}

async function find(api: KubernetesApi, place: Place): Promise<JsonObject | undefined> {
  try {
    return await send(api, 'GET', { place });
  } catch (error) {
    if (apiStatus(error) === 404) return undefined;
    throw error;
  }
}

async function put(api: KubernetesApi, place: Place, values: NewValues, options: PutOptions): Promise<Put> {
  const secret = await find(api, place);
  const before = secret === undefined ? {} : dataOf(secret);
  const plan = planOf(before, values, secret === undefined);
  if (plan.replaced.length > 0 && options.overwrite !== true) {
    throw alreadyThere(`Secret '${place.path}'`, plan.replaced);
  }
  const dryRun = options.dryRun === true;
  if (secret === undefined) await send(api, 'POST', { place, body: newSecret(place, values), dryRun });
  else if (plan.created.length + plan.replaced.length > 0) {
    // With the version that was looked at: a Secret that changed since is a conflict, not overwritten.
    const version = text(get(secret, 'metadata'), 'resourceVersion') ?? '';
    const body = { metadata: { resourceVersion: version }, data: encoded(values) };
    await send(api, 'PATCH', { place, body, dryRun });
  }
  return plan;
}

function planOf(before: JsonObject, values: NewValues, madePlace: boolean): Put {
  const keys = Object.keys(values).toSorted();
  const data = encoded(values);
  return {
    created: keys.filter((key) => get(before, key) === undefined),
    replaced: keys.filter((key) => get(before, key) !== undefined && before[key] !== data[key]),
    unchanged: keys.filter((key) => before[key] === data[key]),
    madePlace,
  };
}

interface Request {
  readonly place: Place;
  readonly body?: JsonObject;
  readonly dryRun?: boolean;
}

async function send(
  api: KubernetesApi,
  method: 'GET' | 'POST' | 'PATCH',
  { place, body, dryRun = false }: Request,
): Promise<JsonObject> {
  const names = namesOf(place);
  const path = method === 'POST' ? collection(names) : `${collection(names)}/${names.name}`;
  const call = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {};
  return api.send(method, dryRun ? `${path}?dryRun=All` : path, body, call);
}

function newSecret(place: Place, values: NewValues): JsonObject {
  const { namespace, name } = namesOf(place);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name },
    type: 'Opaque',
    data: encoded(values),
  };
}

function encoded(values: NewValues): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, base64(value)]));
}

function base64(value: string | Uint8Array): string {
  return Buffer.from(typeof value === 'string' ? new TextEncoder().encode(value) : value).toString('base64');
}

function decoded(data: JsonObject, place: Place): Values {
  return Object.fromEntries(
    Object.keys(data).map((key) => [key, decodedValue(text(data, key) ?? '', key, place)]),
  );
}

/** A value that is no text would come out changed, so it does not come out. */
function decodedValue(value: string, key: string, { path }: Place): string {
  const bytes = Buffer.from(value, 'base64');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UpstreamError('unsupported', `Secret '${path}': the value of '${key}' is not text`);
  }
}

/** The names of the Secrets of a namespace. */
async function secretNames(api: KubernetesApi, namespace: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { items } of api.list(`/api/v1/namespaces/${namespace}/secrets`, METADATA_LIST)) {
    names.push(...items.map(nameOf));
  }
  return names.toSorted();
}

/** Names alone: no value leaves the API server. */
const METADATA_LIST = { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' };
