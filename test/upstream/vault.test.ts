/** Vault by its HTTP API: both KV versions, three logins, namespaces, and what each refusal becomes. */
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import type { Store } from '../../src/upstream/store.ts';
import type { UpstreamError } from '../../src/upstream/upstream-error.ts';
import { createVault } from '../../src/upstream/vault.ts';
import type { VaultOptions } from '../../src/upstream/vault.ts';
import type { VaultLogin } from '../../src/upstream/vault-login.ts';
import type { VaultServer } from './vault-server.ts';
import { MOUNTS, ROLE, startVault } from './vault-server.ts';

const VALUE = 'made-up-value';
const KUBERNETES: VaultLogin = {
  method: 'kubernetes',
  mount: 'kubernetes',
  role: ROLE.role,
  jwt: async () => `${ROLE.jwt}\n`,
};
const APPROLE: VaultLogin = {
  method: 'approle',
  mount: 'approle',
  roleId: ROLE.roleId,
  secretId: ROLE.secretId,
};
const TOKEN: VaultLogin = { method: 'token', token: 'root-token' };

let server: VaultServer;
const stores: Store[] = [];

function open(login: VaultLogin = KUBERNETES, more: Partial<VaultOptions> = {}): Store {
  const store = createVault({
    address: server.url,
    namespace: '',
    login,
    limit: { milliseconds: 20_000 },
    ...more,
  });
  stores.push(store);
  return store;
}

beforeEach(async () => {
  server = await startVault();
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map(async (store) => store.close()));
  await server.stop();
});

describe.each([
  ['2', MOUNTS.v2],
  ['1', MOUNTS.v1],
])('KV version %s', (version, mount) => {
  const place = { project: mount, environment: '', path: 'floe/db' };

  beforeEach(() => server.seed(mount, 'floe/db', { USER: 'floe', PASSWORD: VALUE, PORT: 5432 }));

  it('is found out, listed, read', async () => {
    const store = open();
    expect(await store.list(place)).toEqual(['PASSWORD', 'PORT', 'USER']);
    // What is no text in Vault is text in a variable.
    expect(await store.read(place)).toEqual({ USER: 'floe', PASSWORD: VALUE, PORT: '5432' });
    expect(await store.get(place, 'PASSWORD')).toBe(VALUE);
    expect(await store.names({ ...place, path: '' })).toEqual(['floe/']);
    expect(await store.names({ ...place, path: 'floe' })).toEqual(['db']);
    expect(await store.names({ ...place, path: 'nothing' })).toEqual([]);
    expect(server.requests.filter(({ path }) => path.includes('/ui/mounts/'))).toHaveLength(1);
    expect(server.asked('POST', '/login')).toBe(1);
  });

  it('gets a new entry, and new keys in one that is there', async () => {
    const store = open();
    const made = await store.put({ ...place, path: 'floe/new' }, { A: VALUE });
    expect(made).toEqual({ created: ['A'], replaced: [], unchanged: [], madePlace: true });
    expect(server.dataAt(mount, 'floe/new')).toEqual({ A: VALUE });
    expect(await store.put(place, { USER: 'floe', B: 'b' })).toMatchObject({
      created: ['B'],
      unchanged: ['USER'],
    });
    expect(server.dataAt(mount, 'floe/db')).toEqual({ USER: 'floe', PASSWORD: VALUE, PORT: 5432, B: 'b' });
  });

  it('refuses to overwrite, does so where it is told to, removes, and writes nothing in a dry run', async () => {
    const store = open();
    expect(await failureOf(store.put(place, { PASSWORD: 'other' }))).toMatchObject({ upstream: 'exists' });
    await store.put(place, { PASSWORD: 'other' }, { overwrite: true, dryRun: true });
    expect(server.dataAt(mount, 'floe/db')).toMatchObject({ PASSWORD: VALUE });
    await store.put(place, { PASSWORD: 'other' }, { overwrite: true });
    await store.remove(place, ['USER', 'PORT', 'NOPE']);
    expect(server.dataAt(mount, 'floe/db')).toEqual({ PASSWORD: 'other' });
  });

  it('goes with its last key where it may, and else stays empty', async () => {
    const store = open();
    const keys = ['USER', 'PASSWORD', 'PORT'];
    await store.remove(place, keys.slice(1), { emptied: 'goes' });
    expect(server.dataAt(mount, 'floe/db')).toEqual({ USER: 'floe' });
    await store.remove(place, keys);
    expect(server.dataAt(mount, 'floe/db')).toEqual({});
    await store.put(place, { USER: 'floe' });
    server.state.denied.add(version === '2' ? `${mount}/delete/` : 'nothing');
    await store.remove(place, keys, { emptied: 'goes' });
    expect(server.dataAt(mount, 'floe/db')).toEqual(version === '2' ? {} : undefined);
    server.state.denied.clear();
    await store.put(place, { USER: 'floe' });
    await store.remove(place, keys, { emptied: 'goes' });
    expect(server.dataAt(mount, 'floe/db')).toBeUndefined();
    expect(await failureOf(store.list(place))).toMatchObject({ upstream: 'pathNotFound' });
  });

  it('tells its version', async () => {
    expect(await open().kvVersion?.(mount)).toBe(Number(version));
  });

  it('has no such entry, no such key', async () => {
    const store = open();
    expect(await failureOf(store.list({ ...place, path: 'nope' }))).toMatchObject({
      upstream: 'pathNotFound',
    });
    expect(await failureOf(store.get(place, 'NOPE'))).toMatchObject({ upstream: 'secretNotFound' });
  });

  it('says which right is missing', async () => {
    server.state.denied.add(version === '2' ? `${mount}/data/` : `${mount}/floe`);
    const error = await failureOf(open().read(place));
    expect(error).toMatchObject({ upstream: 'forbidden', exitCode: 4 });
    expect(error.message).toContain(`${mount}/floe/db`);
  });
});

describe('KV version 2', () => {
  const place = { project: MOUNTS.v2, environment: '', path: 'floe/db' };

  it('writes after a deleted version, whose number still counts', async () => {
    server.seed(MOUNTS.v2, 'floe/db', { A: VALUE });
    server.softDelete(MOUNTS.v2, 'floe/db');
    const store = open();
    expect(await failureOf(store.read(place))).toMatchObject({ upstream: 'pathNotFound' });
    expect(await store.put(place, { B: VALUE })).toMatchObject({ created: ['B'], madePlace: true });
    expect(server.dataAt(MOUNTS.v2, 'floe/db')).toEqual({ B: VALUE });
  });

  it('does not take away what came meanwhile', async () => {
    server.seed(MOUNTS.v2, 'floe/db', { A: VALUE });
    const store = open();
    await store.list(place);
    const [read] = [{ data: { data: { A: VALUE }, metadata: { version: 1 } } }];
    server.answer('/data/floe/db', { status: 200, body: read }, 1);
    server.seed(MOUNTS.v2, 'floe/db', { A: 'theirs' });
    await store.remove(place, ['A'], { emptied: 'goes' });
    expect(server.dataAt(MOUNTS.v2, 'floe/db')).toEqual({ A: 'theirs' });
  });

  it('does not write over what came meanwhile', async () => {
    const store = open();
    server.answer('/data/floe/db', { status: 404, body: { errors: [] } }, 1);
    server.seed(MOUNTS.v2, 'floe/db', { A: VALUE });
    server.answer('/metadata/floe/db', { status: 404, body: { errors: [] } }, 1);
    expect(await failureOf(store.put(place, { A: 'mine' }))).toMatchObject({ upstream: 'conflict' });
    expect(server.dataAt(MOUNTS.v2, 'floe/db')).toEqual({ A: VALUE });
  });
});

describe('logins', () => {
  const place = { project: MOUNTS.v2, environment: '', path: 'floe/db' };
  beforeEach(() => server.seed(MOUNTS.v2, 'floe/db', { A: VALUE }));

  it.each([
    ['kubernetes', KUBERNETES],
    ['approle', APPROLE],
    ['token', TOKEN],
  ])('by %s', async (_method, login) => {
    expect(await open(login).list(place)).toEqual(['A']);
  });

  it('again where the token has ended', async () => {
    const store = open();
    await store.list(place);
    server.state.tokens.clear();
    expect(await store.list(place)).toEqual(['A']);
    expect(server.asked('POST', '/login')).toBe(2);
  });

  it.each([
    ['a wrong role', { ...KUBERNETES, role: 'nobody' }],
    ['a wrong token of the pod', { ...KUBERNETES, jwt: async (): Promise<string> => 'wrong' }],
    ['a wrong secret id', { ...APPROLE, secretId: 'wrong' }],
    ['an auth mount that is not there', { ...KUBERNETES, mount: 'nope' }],
  ] as const)('once alone with %s', async (_what, login) => {
    const store = open(login);
    expect(await failureOf(store.list(place))).toMatchObject({ upstream: 'unauthorized', exitCode: 4 });
    expect(await failureOf(store.list(place))).toMatchObject({ upstream: 'unauthorized' });
    expect(server.requests).toHaveLength(1);
  });

  it('says of a token that was given that it is not taken', async () => {
    const store = open({ method: 'token', token: 'wrong' });
    expect(await failureOf(store.list(place))).toMatchObject({ upstream: 'unauthorized' });
    expect(server.requests).toHaveLength(1);
  });

  it('in a namespace, and the refusal without it', async () => {
    server.state.namespace = 'team-data';
    expect(await open(KUBERNETES, { namespace: 'team-data' }).list(place)).toEqual(['A']);
    expect(await failureOf(open(TOKEN).list(place))).toMatchObject({ upstream: 'mountNotFound' });
  });
});

test.each([
  ['sealed', 'sealed'],
  ['standby', 'standby'],
  ['limited', 'rateLimited'],
] as const)('a Vault that is %s', async (condition, upstream) => {
  server.state.condition = condition;
  const error = await failureOf(open(TOKEN).list({ project: MOUNTS.v2, environment: '', path: 'x' }));
  expect(error).toMatchObject({ upstream, exitCode: 8 });
  expect(error.retryAfterSeconds).toBe(condition === 'limited' ? 7 : undefined);
});

test.each([
  ['mountNotFound', 'nope'],
  ['unsupported', MOUNTS.database],
] as const)('%s of the mount %s', async (upstream, project) => {
  expect(await failureOf(open().list({ project, environment: '', path: 'x' }))).toMatchObject({ upstream });
});

test('a path never leads out of its mount', async () => {
  const error = await failureOf(open().list({ project: MOUNTS.v2, environment: '', path: '../sys/seal' }));
  expect(error).toMatchObject({ upstream: 'invalid' });
});

test.each(['hang', 'stall'] as const)('a Vault that would %s', async (fault) => {
  server.fail('/ui/mounts', fault);
  const store = open(TOKEN, { limit: { milliseconds: 300 } });
  expect(await failureOf(store.list({ project: MOUNTS.v2, environment: '', path: 'x' }))).toMatchObject({
    upstream: 'timeout',
  });
});

test('a write that nobody confirmed may have happened', async () => {
  const place = { project: MOUNTS.v1, environment: '', path: 'x' };
  const store = open(TOKEN, { limit: { milliseconds: 2_000 } });
  await store.names(place);
  const writing = store.put(place, { A: VALUE });
  server.fail('/legacy/x', 'hang');
  expect((await failureOf(writing)).upstream).toBe('timeout');
});

test('a Vault that is not there, or breaks the connection', async () => {
  server.fail('/ui/mounts', 'reset', 1);
  const place = { project: MOUNTS.v2, environment: '', path: 'x' };
  expect(await failureOf(open(TOKEN).list(place))).toMatchObject({ upstream: 'unavailable', exitCode: 8 });
  await server.stop();
  const error = await failureOf(open(TOKEN).list(place));
  expect(error).toMatchObject({ upstream: 'unavailable' });
  expect(error.message).not.toMatch(/127\.0\.0\.1|http/);
});

test('an address that is none', () => {
  expect(() => open(TOKEN, { address: 'vault:8200' })).toThrow('upstream.vault.address is not a URL');
});

async function failureOf(work: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await work.then(vi.fn(), (fault: unknown) => fault);
  expect(error).toMatchObject({ name: 'UpstreamError' });
  expect((error as Error).message).not.toContain(VALUE);
  return error as UpstreamError;
}
