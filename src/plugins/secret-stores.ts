/** The stores of External Secrets: SecretStore and ClusterSecretStore, and what an ExternalSecret reads of them. */
import type { Json } from '../kube/json.ts';
import { asArray, asObject, dig, get, isObject, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import type { Read, ReadFailure } from '../kube/world.ts';
import { causeOf } from './conditions.ts';
import type { Scope, View } from './plugin.ts';
import { texts } from './spec.ts';

export const GROUP = 'external-secrets.io';

export const SECRET_STORE: ResourceKind = {
  group: GROUP,
  version: 'v1',
  olderVersions: ['v1beta1'],
  kind: 'SecretStore',
  plural: 'secretstores',
  namespaced: true,
};
export const CLUSTER_SECRET_STORE: ResourceKind = {
  ...SECRET_STORE,
  kind: 'ClusterSecretStore',
  plural: 'clustersecretstores',
  namespaced: false,
};

/** One store that an ExternalSecret names, and the keys that it reads there. */
interface StoreUse {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly keys: readonly string[];
}

/** Who asks: the spec of an ExternalSecret, the namespace that it is in, and what else there is to see. */
export interface Reader {
  readonly spec: Json | undefined;
  readonly namespace: string;
  readonly view: View;
}

/** Projects, environments and paths behind an ExternalSecret, through its stores. */
export function scopeOfStores(reader: Reader): Scope {
  const scopes = storesOf(reader.spec).map((use) => scopeOfStore(use, findStore(use, reader)));
  // A store whose project cannot be read must not hide behind one whose project can.
  const readable = scopes.every(({ projects }) => projects.length > 0);
  return {
    projects: readable ? texts(scopes.flatMap(({ projects }) => projects)) : [],
    shown: readable ? texts(scopes.flatMap(({ shown }) => shown ?? [])) : [],
    environments: texts(scopes.flatMap(({ environments }) => environments)),
    paths: texts(scopes.flatMap(({ paths }) => paths)),
    ...hiddenBy(scopes.flatMap(({ projectsHiddenBy }) => projectsHiddenBy ?? [])[0]),
  };
}

/** What the stores tell of a failure. */
export function causeOfStores(reader: Reader): string | undefined {
  return firstCause(reader)?.cause;
}

/** The store to look at, as kubectl takes it. */
export function storeToDescribe(reader: Reader): string | undefined {
  const use = firstCause(reader)?.use;
  if (use === undefined) return undefined;
  return `kubectl describe ${use.kind.kind.toLowerCase()} ${use.name}${use.kind.namespaced ? ` -n ${reader.namespace}` : ''}`;
}

/** Whether one of the stores is of this provider. A store that cannot be read is of none. */
export function hasProvider(reader: Reader, provider: string): boolean {
  return storesOf(reader.spec).some((use) => {
    const store = findStore(use, reader);
    return store.state === 'present' && providerOf(store.value) === provider;
  });
}

function firstCause(reader: Reader): { readonly use: StoreUse; readonly cause: string } | undefined {
  for (const use of storesOf(reader.spec)) {
    const cause = causeOf(findStore(use, reader), `${use.kind.kind} '${use.name}'`, 'Ready');
    if (cause !== undefined) return { use, cause };
  }
  return undefined;
}

/** The stores by name; what an entry reads goes to its own store, else to the spec's. */
function storesOf(spec: Json | undefined): readonly StoreUse[] {
  const uses = new Map<string, StoreUse>();
  const add = (reference: Json | undefined, keys: readonly string[]): void => {
    const name = text(reference, 'name') ?? '';
    if (name === '') return;
    const kind = text(reference, 'kind') === CLUSTER_SECRET_STORE.kind ? CLUSTER_SECRET_STORE : SECRET_STORE;
    const known = uses.get(`${kind.kind}/${name}`);
    uses.set(`${kind.kind}/${name}`, { kind, name, keys: [...(known?.keys ?? []), ...keys] });
  };
  const common = get(spec, 'secretStoreRef');
  add(common, []);
  for (const entry of asArray(get(spec, 'data'))) add(storeOf(entry, common), keysOf(entry));
  for (const entry of asArray(get(spec, 'dataFrom'))) {
    if (!isGenerated(entry)) add(storeOf(entry, common), keysOf(entry));
  }
  return [...uses.values()];
}

function storeOf(entry: Json, common: Json | undefined): Json | undefined {
  const own = dig(entry, 'sourceRef', 'storeRef');
  return (text(own, 'name') ?? '') === '' ? common : own;
}

/** What finds or extracts reads a store, whatever generator stands beside it; in `data` a generator means nothing. */
function isGenerated(entry: Json): boolean {
  const reads = isObject(get(entry, 'find')) || isObject(get(entry, 'extract'));
  return !reads && isObject(dig(entry, 'sourceRef', 'generatorRef'));
}

function keysOf(entry: Json): readonly string[] {
  return texts([dig(entry, 'remoteRef', 'key'), dig(entry, 'extract', 'key'), dig(entry, 'find', 'path')]);
}

function findStore({ kind, name }: StoreUse, { namespace, view }: Reader): Read<KubeObject> {
  return view.find(kind, kind.namespaced ? namespace : '', name);
}

/** The name of the only provider that a store has: 'aws', 'vault', 'infisical'. */
function providerOf(store: KubeObject): string | undefined {
  return Object.keys(asObject(dig(store.raw, 'spec', 'provider')))[0];
}

const UNREADABLE: Scope = { projects: [], environments: [], paths: [] };

/** Nobody knows of what provider a store is that may not be seen: it may have both. */
function hiddenBy(failure: ReadFailure | undefined): Partial<Scope> {
  return failure === undefined ? {} : { projectsHiddenBy: failure, environmentsHiddenBy: failure };
}

/** Of Infisical its project; of every other provider the store stands for one. */
function scopeOfStore({ name, keys }: StoreUse, store: Read<KubeObject>): Scope {
  if (store.state === 'failed') return { ...UNREADABLE, paths: keys, ...hiddenBy(store.failure) };
  if (store.state !== 'present') return { ...UNREADABLE, paths: keys };
  const provider = providerOf(store.value);
  if (provider === undefined) return { ...UNREADABLE, paths: keys };
  if (provider !== 'infisical') {
    return { projects: [name], shown: [`${provider}/${name}`], environments: [], paths: keys };
  }
  const scope = dig(store.value.raw, 'spec', 'provider', 'infisical', 'secretsScope');
  const slug = text(scope, 'projectSlug') ?? text(scope, 'projectId');
  const projects = slug === undefined ? projectsOfKeys(keys) : [slug];
  const environment = text(scope, 'environmentSlug');
  const path = text(scope, 'secretsPath');
  return {
    projects,
    shown: projects,
    environments: environment === undefined ? [] : [environment],
    paths: path === undefined ? keys : [path],
  };
}

/** Without a scope each key names its project first: '/payments/db/PASSWORD'. One that does not tell hides all. */
function projectsOfKeys(keys: readonly string[]): readonly string[] {
  const projects = keys.map((key) => {
    const parts = key.split('/');
    return key.startsWith('/') && !parts.includes('..') ? (parts[1] ?? '') : '';
  });
  return projects.includes('') ? [] : texts(projects);
}
