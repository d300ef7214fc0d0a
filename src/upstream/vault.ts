/** Vault as a store: a place is one entry of a KV mount, version 1 or 2, as the mount itself says. */
import { asArray, asNumber, asObject, dig, get, text } from '../kube/json.ts';
import type { JsonObject } from '../kube/json.ts';
import { createHttp } from './http.ts';
import { createSession } from './session.ts';
import type { Place, Put, PutOptions, Store, Values } from './store.ts';
import { alreadyThere, textValues } from './store.ts';
import type { TimeLimit } from './time-limit.ts';
import { UNKNOWN_OUTCOME } from './time-limit.ts';
import { UpstreamError, isUpstream } from './upstream-error.ts';
import type { VaultAsk, VaultCall } from './vault-http.ts';
import { dataOf, vaultAsk, vaultPath } from './vault-http.ts';
import type { VaultLogin } from './vault-login.ts';
import { logInToVault } from './vault-login.ts';

export interface VaultOptions {
  readonly address: string;
  /** Of Vault Enterprise; '' for none. */
  readonly namespace: string;
  readonly login: VaultLogin;
  readonly limit: TimeLimit;
  readonly ca?: string | undefined;
}

type Version = 1 | 2;

/** An entry as it stands. `version` is what a check-and-set wants: 0 where nothing was ever written. */
interface Entry {
  readonly data: JsonObject;
  readonly exists: boolean;
  readonly version: number;
}

/** A call with a token that is renewed by another login. */
type Ask = (call: VaultCall) => Promise<JsonObject>;

export function createVault({ address, namespace, login, limit, ca }: VaultOptions): Store {
  const http = createHttp({ ...limit, who: 'Vault', base: baseOf(address), ca });
  const raw: VaultAsk = vaultAsk(http, namespace);
  const session = createSession(async () => logInToVault(login, raw), {
    who: 'Vault',
    renewable: login.method !== 'token',
  });
  const ask: Ask = async (call) => session.use(async (token) => raw(call, token));
  const versions = new Map<string, Version>();
  const versionOf = async (mount: string): Promise<Version> => {
    const version = versions.get(mount) ?? (await detectVersion(ask, mount));
    versions.set(mount, version);
    return version;
  };
  const read = async (place: Place): Promise<Entry> => readEntry(ask, await versionOf(place.project), place);
  return {
    id: 'vault',
    name: 'Vault',
    describe,
    list: async (place) => Object.keys((await present(read, place)).data).toSorted(),
    read: async (place) => valuesOf((await present(read, place)).data),
    get: async (place, key) => {
      const { data } = await present(read, place);
      const value = get(data, key);
      if (value !== undefined) return textOf(value);
      throw new UpstreamError('secretNotFound', `Vault, ${describe(place)}: it has no key '${key}'`);
    },
    names: async (place) => namesBelow(ask, await versionOf(place.project), place),
    put: async (place, values, options = {}) => {
      const version = await versionOf(place.project);
      return put(ask, { version, place, entry: await read(place) }, textValues(values), options);
    },
    remove: async (place, keys, { emptied } = {}) => {
      const target = { version: await versionOf(place.project), place, entry: await read(place) };
      const all = Object.entries(target.entry.data);
      const rest = all.filter(([key]) => !keys.includes(key));
      if (rest.length === all.length) return;
      if (rest.length === 0 && emptied === 'goes') await removeEntry(ask, target);
      else await write(ask, target, Object.fromEntries(rest));
    },
    kvVersion: versionOf,
    close: async () => http.close(),
  };
}

function baseOf(address: string): string {
  const url = URL.parse(address);
  if (url !== null && ['http:', 'https:'].includes(url.protocol)) return url.href;
  throw new UpstreamError(
    'notConfigured',
    'upstream.vault.address is not a URL such as https://vault.example:8200',
  );
}

function describe({ project, path }: Place): string {
  return `${project}/${path}`.replaceAll(/\/{2,}/g, '/');
}

/** What the mount says of itself, by the call that Vault's own command makes before every `kv`. */
async function detectVersion(ask: Ask, mount: string): Promise<Version> {
  const where = `mount '${mount}'`;
  const answer = dataOf(
    await ask({ method: 'GET', path: `sys/internal/ui/mounts/${vaultPath(mount)}`, where }),
  );
  const type = text(answer, 'type') ?? '';
  if (type !== 'kv' && type !== 'generic') {
    throw new UpstreamError('unsupported', `Vault, ${where}: it is of type '${type.slice(0, 40)}', not kv`);
  }
  return dig(answer, 'options', 'version') === '2' ? 2 : 1;
}

function pathOf(version: Version, { project, path }: Place): string {
  return version === 2 ? vaultPath(project, 'data', path) : vaultPath(project, path);
}

async function readEntry(ask: Ask, version: Version, place: Place): Promise<Entry> {
  try {
    const data = dataOf(await ask({ method: 'GET', path: pathOf(version, place), where: describe(place) }));
    if (version === 1) return { data, exists: true, version: 0 };
    const written = asNumber(dig(data, 'metadata', 'version')) ?? 0;
    // Of a version that is deleted or destroyed the metadata alone is left.
    const value = get(data, 'data');
    return { data: asObject(value), exists: value !== undefined && value !== null, version: written };
  } catch (error) {
    if (!isUpstream(error, 'secretNotFound')) throw error;
    return { data: {}, exists: false, version: await versionOfDeleted(ask, version, place) };
  }
}

/** A deleted version still counts for a check-and-set; the entry's metadata says which it was. */
async function versionOfDeleted(ask: Ask, version: Version, place: Place): Promise<number> {
  if (version === 1) return 0;
  const path = vaultPath(place.project, 'metadata', place.path);
  try {
    return (
      asNumber(get(dataOf(await ask({ method: 'GET', path, where: describe(place) })), 'current_version')) ??
      0
    );
  } catch (error) {
    // Whoever may not read metadata can still make an entry that never was.
    if (isUpstream(error, 'secretNotFound', 'forbidden')) return 0;
    throw error;
  }
}

async function present(read: (place: Place) => Promise<Entry>, place: Place): Promise<Entry> {
  const entry = await read(place);
  if (entry.exists) return entry;
  throw new UpstreamError(
    'pathNotFound',
    `Vault, ${describe(place)}: there is nothing; check the mount and the path`,
  );
}

interface Target {
  readonly version: Version;
  readonly place: Place;
  readonly entry: Entry;
}

async function put(ask: Ask, target: Target, values: Values, options: PutOptions): Promise<Put> {
  const { data, exists } = target.entry;
  const keys = Object.keys(values).toSorted();
  const has = (key: string): boolean => get(data, key) !== undefined;
  const same = (key: string): boolean => get(data, key) === values[key];
  const plan = {
    created: keys.filter((key) => !has(key)),
    replaced: keys.filter((key) => has(key) && !same(key)),
    unchanged: keys.filter((key) => has(key) && same(key)),
    madePlace: !exists,
  };
  if (plan.replaced.length > 0 && options.overwrite !== true) {
    throw alreadyThere(`Vault, ${describe(target.place)}`, plan.replaced);
  }
  if (options.dryRun !== true && plan.created.length + plan.replaced.length > 0) {
    await write(ask, target, { ...data, ...values });
  }
  return plan;
}

/** The whole entry at once. KV v2 checks that nobody wrote since it was read; KV v1 cannot. */
async function write(ask: Ask, { version, place, entry }: Target, data: JsonObject): Promise<void> {
  const body = version === 2 ? { options: { cas: entry.version }, data } : data;
  try {
    await ask({ method: 'POST', path: pathOf(version, place), body, where: describe(place) });
  } catch (error) {
    if (!isUpstream(error, 'timeout')) throw error;
    throw new UpstreamError('timeout', `${error.message}${UNKNOWN_OUTCOME}`);
  }
}

/**
 * The version that was read and no newer one: what somebody writes meanwhile stays. It can be undeleted, as with Vault's
 * own command. KV v1 has no versions. Whoever may write and not delete leaves an empty entry.
 */
async function removeEntry(ask: Ask, target: Target): Promise<void> {
  const { version, place, entry } = target;
  const where = describe(place);
  const path = version === 1 ? pathOf(version, place) : vaultPath(place.project, 'delete', place.path);
  const body = { versions: [entry.version] };
  try {
    await ask(version === 1 ? { method: 'DELETE', path, where } : { method: 'POST', path, body, where });
  } catch (error) {
    if (!isUpstream(error, 'forbidden')) throw error;
    await write(ask, target, {});
  }
}

function valuesOf(data: JsonObject): Values {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, textOf(value)]));
}

/** Vault keeps any JSON; a variable or a file is text. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Entries and folders below a path; folders end in '/'. */
async function namesBelow(ask: Ask, version: Version, place: Place): Promise<readonly string[]> {
  const { project, path } = place;
  const below = version === 2 ? vaultPath(project, 'metadata', path) : vaultPath(project, path);
  try {
    const answer = await ask({ method: 'GET', path: `${below}/?list=true`, where: describe(place) });
    return asArray(get(dataOf(answer), 'keys'))
      .filter((name) => typeof name === 'string')
      .toSorted();
  } catch (error) {
    if (isUpstream(error, 'secretNotFound')) return [];
    throw error;
  }
}
