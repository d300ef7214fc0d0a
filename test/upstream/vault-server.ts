/** A stand-in for Vault: two KV mounts of both versions, three logins, namespaces, and its refusals. */
import { randomUUID } from 'node:crypto';
import type { Received, Reply, StoreServer } from './store-server.ts';
import { startStoreServer } from './store-server.ts';

export const ROLE = { role: 'floe', jwt: 'pod-jwt', roleId: 'role-id-1', secretId: 'secret-id-1' };
/** KV version 2 and 1, and a mount of another type. */
export const MOUNTS = { v2: 'secret', v1: 'legacy', database: 'database' };

interface Version {
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

interface State {
  /** By mount and path; the newest version last. */
  readonly entries: Map<string, Version[]>;
  readonly tokens: Set<string>;
  /** What the token's policies do not allow: prefixes of API paths. */
  readonly denied: Set<string>;
  condition: 'active' | 'sealed' | 'standby' | 'limited';
  /** The only namespace that there is. */
  namespace: string;
}

export interface VaultServer extends StoreServer {
  readonly state: State;
  seed(mount: string, path: string, data: Readonly<Record<string, unknown>>): void;
  /** The newest data; undefined where it is deleted or never was. */
  dataAt(mount: string, path: string): Readonly<Record<string, unknown>> | undefined;
  /** As `vault kv delete`: the newest version goes, its number stays. */
  softDelete(mount: string, path: string): void;
}

export async function startVault(): Promise<VaultServer> {
  const state: State = {
    entries: new Map(),
    tokens: new Set(['root-token']),
    denied: new Set(),
    condition: 'active',
    namespace: '',
  };
  const server = await startStoreServer((request) => answer(state, request));
  return {
    ...server,
    state,
    seed: (mount, path, data) => void versionsOf(state, mount, path).push({ data }),
    dataAt: (mount, path) => versionsOf(state, mount, path).at(-1)?.data,
    softDelete: (mount, path) => void versionsOf(state, mount, path).push({ data: undefined }),
  };
}

function versionsOf(state: State, mount: string, path: string): Version[] {
  const key = `${mount}/${path}`;
  const versions = state.entries.get(key) ?? [];
  state.entries.set(key, versions);
  return versions;
}

function errors(status: number, ...words: readonly string[]): Reply {
  return { status, body: { errors: words } };
}

function answer(state: State, request: Received): Reply {
  if (state.condition === 'sealed') return errors(503, 'Vault is sealed');
  if (state.condition === 'standby')
    return errors(500, 'local node not active but active cluster node not found');
  if (state.condition === 'limited')
    return {
      ...errors(429, 'request path "secret/data/floe": rate limit quota exceeded'),
      headers: { 'retry-after': '7' },
    };
  const path = request.path.replace(/^\/v1\//, '').replace(/\/$/, '');
  if (request.header('x-vault-namespace') !== state.namespace)
    return errors(404, `no handler for route "${path}". route entry not found.`);
  if (path.startsWith('auth/')) return logIn(state, path, request);
  const token = request.header('x-vault-token');
  if (token === '') return errors(400, 'missing client token');
  if (!state.tokens.has(token)) return errors(403, 'permission denied', 'invalid token');
  const mountName = /^sys\/internal\/ui\/mounts\/(.*)$/.exec(path)?.[1];
  if (mountName !== undefined) return describeMount(state, mountName);
  if ([...state.denied].some((prefix) => path.startsWith(prefix)))
    return errors(403, '1 error occurred:\n\t* permission denied\n\n');
  return kv(state, path, request);
}

function logIn(state: State, path: string, { body }: Received): Reply {
  if (path === 'auth/kubernetes/login') {
    if (body['role'] !== ROLE.role) return errors(400, `invalid role name "${String(body['role'])}"`);
    if (body['jwt'] !== ROLE.jwt) return errors(403, 'permission denied');
  } else if (path === 'auth/approle/login') {
    if (body['role_id'] !== ROLE.roleId || body['secret_id'] !== ROLE.secretId)
      return errors(400, 'invalid role or secret ID');
  } else return errors(404, `no handler for route "${path}". route entry not found.`);
  const token = `hvs.${randomUUID()}`;
  state.tokens.add(token);
  return { status: 200, body: { auth: { client_token: token, lease_duration: 3600, renewable: true } } };
}

function describeMount(state: State, mount: string): Reply {
  const known = Object.values(MOUNTS).includes(mount) && !state.denied.has(`sys/${mount}`);
  if (!known)
    return errors(
      403,
      `preflight capability check returned 403, please ensure client's policies grant access to path "${mount}/"`,
    );
  if (mount === MOUNTS.database)
    return { status: 200, body: { data: { type: 'database', path: `${mount}/`, options: null } } };
  const options = mount === MOUNTS.v2 ? { version: '2' } : null;
  return { status: 200, body: { data: { type: 'kv', path: `${mount}/`, options } } };
}

function kv(state: State, path: string, request: Received): Reply {
  const [mount = '', ...rest] = path.split('/').map(decodeURIComponent);
  if (mount === MOUNTS.v1) return kv1(state, mount, { path: rest.join('/'), request });
  const [kind, ...entry] = rest;
  return kv2(state, mount, { path: entry.join('/'), kind: kind ?? '', request });
}

function list(state: State, mount: string, path: string): Reply {
  const prefix = path === '' ? `${mount}/` : `${mount}/${path}/`;
  const below = [...state.entries].filter(([key, versions]) => key.startsWith(prefix) && versions.length > 0);
  const keys = new Set(below.map(([key]) => key.slice(prefix.length).replace(/\/.*$/, '/')));
  return keys.size === 0 ? errors(404) : { status: 200, body: { data: { keys: [...keys] } } };
}

function kv1(
  state: State,
  mount: string,
  { path, request }: { readonly path: string; readonly request: Received },
): Reply {
  if (request.query.get('list') === 'true') return list(state, mount, path);
  const versions = versionsOf(state, mount, path);
  if (request.method === 'POST') {
    versions.push({ data: request.body });
    return { status: 204 };
  }
  if (request.method === 'DELETE') {
    versions.length = 0;
    return { status: 204 };
  }
  const data = versions.at(-1)?.data;
  return data === undefined ? errors(404) : { status: 200, body: { data } };
}

interface Kv2 {
  readonly path: string;
  readonly kind: string;
  readonly request: Received;
}

function kv2(state: State, mount: string, { path, kind, request }: Kv2): Reply {
  if (kind === 'metadata' && request.query.get('list') === 'true') return list(state, mount, path);
  const versions = versionsOf(state, mount, path);
  const version = versions.length;
  if (kind === 'metadata')
    return version === 0 ? errors(404) : { status: 200, body: { data: { current_version: version } } };
  if (kind === 'delete' && request.method === 'POST') {
    for (const number of request.body['versions'] as number[]) versions[number - 1] = { data: undefined };
    return { status: 204 };
  }
  if (kind !== 'data') return errors(404, `no handler for route "${mount}/${kind}". route entry not found.`);
  if (request.method === 'POST') {
    const cas = (request.body['options'] as { readonly cas?: number } | undefined)?.cas;
    if (cas !== undefined && cas !== version)
      return errors(400, 'check-and-set parameter did not match the current version');
    versions.push({ data: request.body['data'] as Record<string, unknown> });
    return { status: 200, body: { data: { version: version + 1 } } };
  }
  if (version === 0) return errors(404);
  const data = versions.at(-1)?.data;
  const metadata = {
    version,
    deletion_time: data === undefined ? '2026-11-27T10:00:00Z' : '',
    destroyed: false,
  };
  return { status: data === undefined ? 404 : 200, body: { data: { data: data ?? null, metadata } } };
}
