/** The real SDK against the stand-in of both generations: what it answers, and what each refusal becomes. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeAuthority } from '../../tools/certificates.ts';
import { createInfisical } from '../../src/upstream/infisical.ts';
import type { InfisicalLogin } from '../../src/upstream/infisical-login.ts';
import type { Store } from '../../src/upstream/store.ts';
import { trustAuthority } from '../../src/upstream/trust.ts';
import type { UpstreamError } from '../../src/upstream/upstream-error.ts';
import { folderOf } from '../cli/captured.ts';
import type { Generation, InfisicalServer } from './infisical-server.ts';
import { IDENTITY, PROJECT, startInfisical } from './infisical-server.ts';
import { quickenTimers } from './quick-clock.ts';

const GENERATIONS: readonly Generation[] = ['2024', 'current'];
const UNIVERSAL: InfisicalLogin = { method: 'universal', ...IDENTITY };
/** A value that must be in no message. */
const VALUE = 'made-up-value';

const place = { project: PROJECT.slug, environment: 'prod', path: '/compute' };

describe.each(GENERATIONS)('against a server of %s', (generation) => {
  let server: InfisicalServer;
  const stores: Store[] = [];
  const open = (login: InfisicalLogin = UNIVERSAL, milliseconds = 25_000): Store => {
    const store = createInfisical({ hostAPI: `${server.url}/api`, login, limit: { milliseconds } });
    stores.push(store);
    return store;
  };

  beforeEach(async () => {
    server = await startInfisical(generation);
    server.seed('prod', '/compute', { USER: 'floe', PASSWORD: VALUE });
  });
  afterEach(async () => {
    vi.unstubAllGlobals();
    await Promise.all(stores.splice(0).map(async (store) => store.close()));
    await server.stop();
  });

  it('lists keys without asking for values, reads, and gets one', async () => {
    const store = open();
    expect(await store.list(place)).toEqual(['PASSWORD', 'USER']);
    expect(server.requests.at(-1)?.query.get('viewSecretValue')).toBe('false');
    expect(await store.read(place)).toEqual({ USER: 'floe', PASSWORD: VALUE });
    expect(await store.get(place, 'PASSWORD')).toBe(VALUE);
    expect(await store.names({ ...place, path: '/' })).toEqual(['compute']);
    expect(server.asked('POST', '/login')).toBe(1);
  });

  it('takes the id of a project as well as its slug, which it asks for once', async () => {
    const store = open();
    await store.list(place);
    await store.list(place);
    await store.list({ ...place, project: PROJECT.id });
    expect(server.requests.filter(({ path }) => path.includes(PROJECT.slug)).length).toBe(
      generation === '2024' ? 2 : 1,
    );
  });

  it('writes a new folder with its keys', async () => {
    const target = { ...place, path: 'ingest/salesforce' };
    const put = await open().put(target, { B: VALUE, A: 'a' });
    expect(put).toEqual({ created: ['A', 'B'], replaced: [], unchanged: [], madePlace: true });
    expect(server.valuesAt('prod', '/ingest/salesforce')).toEqual({ A: 'a', B: VALUE });
  });

  it('writes nothing in a dry run', async () => {
    const put = await open().put({ ...place, path: '/new' }, { A: VALUE }, { dryRun: true });
    expect(put).toMatchObject({ created: ['A'], madePlace: true });
    expect(server.valuesAt('prod', '/new')).toBeUndefined();
    expect(
      server.requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/login')),
    ).toEqual([]);
  });

  it('refuses to overwrite before it writes anything, and overwrites where it is told to', async () => {
    const store = open();
    const error = await failureOf(store.put(place, { NEW: 'x', PASSWORD: 'other' }));
    expect(error).toMatchObject({ upstream: 'exists', exitCode: 1 });
    expect(error.message).toContain("'PASSWORD' exists already");
    expect(server.valuesAt('prod', '/compute')).toEqual({ USER: 'floe', PASSWORD: VALUE });
    const put = await store.put(place, { USER: 'floe', PASSWORD: 'other' }, { overwrite: true });
    expect(put).toEqual({ created: [], replaced: ['PASSWORD'], unchanged: ['USER'], madePlace: false });
    await store.remove(place, ['PASSWORD', 'NOT_THERE']);
    expect(server.valuesAt('prod', '/compute')).toEqual({ USER: 'floe' });
  });

  it('takes back what it wrote when a later key fails', async () => {
    server.answer('/raw/C', {
      status: 500,
      body: { statusCode: 500, message: 'Something went wrong', error: 'x' },
    });
    const error = await failureOf(open().put(place, { A: VALUE, B: VALUE, C: VALUE }));
    expect(error).toMatchObject({ upstream: 'unavailable' });
    expect(error.message).toContain('taken back');
    expect(server.valuesAt('prod', '/compute')).toEqual({ USER: 'floe', PASSWORD: VALUE });
  });

  it('meets its own first attempt after a broken connection, and is content', async () => {
    quickenTimers();
    server.fail('/raw/A', 'answered-then-reset', 1);
    expect(await open().put(place, { A: VALUE })).toMatchObject({ created: ['A'] });
    expect(server.asked('POST', '/raw/A')).toBe(2);
  });

  it.each(['kubernetes', 'oidc'] as const)(
    'logs in by %s auth with a token that is read each time',
    async (method) => {
      const jwt = vi.fn(async () => `${IDENTITY.jwt}\n`);
      const store = open({ method, identityId: IDENTITY.identityId, jwt });
      expect(await store.list(place)).toHaveLength(2);
      server.endTokens('expired');
      expect(await store.list(place)).toHaveLength(2);
      expect(jwt).toHaveBeenCalledTimes(2);
      expect(server.asked('POST', `${method}-auth/login`)).toBe(2);
    },
  );

  it.each(['expired', 'deleted'] as const)(
    'logs in again where a token is %s, and never renews',
    async (how) => {
      const store = open();
      await store.list(place);
      server.endTokens(how);
      const lists = await Promise.all([store.list(place), store.list(place), store.list(place)]);
      expect(lists.map((keys) => keys.length)).toEqual([2, 2, 2]);
      expect(server.asked('POST', '/login')).toBe(2);
      expect(server.requests.some(({ path }) => path.includes('renew'))).toBe(false);
    },
  );

  it('shares one login among calls that begin together', async () => {
    const store = open();
    await Promise.all(Array.from({ length: 5 }, async () => store.list(place)));
    expect(server.asked('POST', '/login')).toBe(1);
  });

  it('gives up a token that stays bad after another login', async () => {
    server.answer('/secrets/raw', {
      status: 403,
      body: { statusCode: 403, message: 'invalid signature', error: 'TokenError' },
    });
    expect(await failureOf(open().list(place))).toMatchObject({ upstream: 'unauthorized', exitCode: 4 });
    expect(server.asked('POST', '/login')).toBe(2);
  });

  it('does not log in again with a token that was given', async () => {
    const store = open({ method: 'token', token: 'somebody-elses' });
    expect(await failureOf(store.list(place))).toMatchObject({ upstream: 'unauthorized' });
    expect(server.asked('POST', '/login')).toBe(0);
  });

  it('never tries refused credentials twice', async () => {
    const store = open({ method: 'universal', clientId: IDENTITY.clientId, clientSecret: 'wrong' });
    const first = await failureOf(store.list(place));
    expect(first).toMatchObject({ upstream: 'unauthorized', exitCode: 4 });
    expect(await failureOf(store.read(place))).toBe(first);
    expect(server.asked('POST', '/login')).toBe(1);
  });

  it('knows an unknown client id, and an unknown identity', async () => {
    const store = open({ method: 'universal', clientId: 'nobody', clientSecret: 'x' });
    expect(await failureOf(store.list(place))).toMatchObject({ upstream: 'unauthorized' });
    const identity = open({ method: 'kubernetes', identityId: 'nobody', jwt: async () => 'x' });
    expect(await failureOf(identity.list(place))).toMatchObject({ upstream: 'unauthorized' });
  });

  it.each([
    ['projectNotFound', { project: 'nope' }],
    ['projectNotFound', { project: '00000000-0000-4000-8000-000000000000' }],
    ['pathNotFound', { path: '/nope' }],
    ['pathNotFound', { path: '/compute/nope' }],
    ['pathNotFound', { environment: 'nope' }],
  ] as const)('says %s of %o', async (upstream, wrong) => {
    const error = await failureOf(open().list({ ...place, ...wrong }));
    expect(error).toMatchObject({ upstream });
    expect(error.message).toContain(Object.values(wrong)[0]);
    expect(error.message).not.toContain('http');
  });

  it('says that the environment is not there where its root is asked for', async () => {
    const error = await failureOf(open().read({ ...place, environment: 'nope', path: '/' }));
    expect(['environmentNotFound', 'pathNotFound']).toContain(error.upstream);
  });

  it('gives an empty folder as empty', async () => {
    server.seed('prod', '/empty', {});
    expect(await open().list({ ...place, path: '/empty' })).toEqual([]);
    expect(await open().list({ ...place, environment: 'dev', path: '/' })).toEqual([]);
  });

  it('says which key is not there', async () => {
    const error = await failureOf(open().get(place, 'NOPE'));
    expect(error).toMatchObject({ upstream: 'secretNotFound' });
    expect(error.message).toContain("'NOPE'");
  });

  it('tells a foreign project from a missing right', async () => {
    server.state.member = false;
    expect(await failureOf(open().list({ ...place, project: PROJECT.id }))).toMatchObject({
      upstream: 'forbidden',
      exitCode: 4,
    });
    server.state.member = true;
    server.state.allows.delete('write');
    const error = await failureOf(open().put(place, { A: VALUE }));
    expect(error).toMatchObject({ upstream: 'forbidden' });
    expect(error.message).not.toContain(VALUE);
    expect(server.asked('POST', '/login')).toBe(2);
  });

  it('refuses a value that it may not see, and never writes what stands for one', async () => {
    server.state.allows.delete('values');
    const store = open();
    const error = await failureOf(store.get(place, 'PASSWORD'));
    expect(error).toMatchObject({ upstream: 'hidden', exitCode: 4 });
    expect(['hidden', 'forbidden']).toContain((await failureOf(store.read(place))).upstream);
    expect(await failureOf(store.put(place, { A: '<hidden-by-infisical>' }))).toMatchObject({
      upstream: 'hidden',
    });
    // What it cannot compare counts as another value.
    expect(await failureOf(store.put(place, { PASSWORD: VALUE }))).toMatchObject({ upstream: 'exists' });
  });

  it('refuses bytes that are no text', async () => {
    expect(await failureOf(open().put(place, { A: new Uint8Array([255]) }))).toMatchObject({
      upstream: 'unsupported',
    });
  });

  it('says of a rate limit when to come back', async () => {
    quickenTimers();
    server.state.limited = true;
    const error = await failureOf(open().list({ ...place, project: PROJECT.id }));
    expect(error).toMatchObject({
      upstream: 'rateLimited',
      exitCode: 8,
      retryAfterSeconds: generation === '2024' ? 60 : 59,
    });
  });

  it.each(['hang', 'stall'] as const)('does not wait for ever where the server would %s', async (fault) => {
    quickenTimers();
    server.fail('/secrets/raw', fault);
    const error = await failureOf(open().list({ ...place, project: PROJECT.id }));
    expect(error).toMatchObject({ upstream: 'timeout', exitCode: 8 });
  });

  it('says of a write that nobody confirmed that it may have happened', async () => {
    quickenTimers();
    server.fail('/raw/A', 'stall');
    expect((await failureOf(open().put(place, { A: VALUE }))).message).toContain(
      'whether it was written is not known',
    );
  });

  it('gives up a connection that breaks again and again', async () => {
    quickenTimers();
    server.fail('/secrets/raw', 'reset');
    expect(await failureOf(open().list({ ...place, project: PROJECT.id }))).toMatchObject({
      upstream: 'unavailable',
      exitCode: 8,
    });
  });

  it('says that nobody is there', async () => {
    quickenTimers();
    await server.stop();
    const error = await failureOf(open().list(place));
    expect(error).toMatchObject({ upstream: 'unavailable', exitCode: 8 });
    expect(error.message).not.toMatch(/127\.0\.0\.1|http/);
  });

  it('ends early where whoever asked goes', async () => {
    const controller = new AbortController();
    server.fail('/secrets/raw', 'hang');
    const store = createInfisical({
      hostAPI: server.url,
      login: UNIVERSAL,
      limit: { milliseconds: 60_000, signal: controller.signal },
    });
    stores.push(store);
    const listing = failureOf(store.list({ ...place, project: PROJECT.id }));
    await vi.waitFor(() => expect(server.asked('GET', '/secrets/raw')).toBe(1), { timeout: 60_000 });
    controller.abort();
    expect(await listing).toMatchObject({ upstream: 'timeout' });
  });

  it('says of another server that it is no Infisical, or that /api is too much', async () => {
    const store = createInfisical({
      hostAPI: `${server.url}/api/api`,
      login: UNIVERSAL,
      limit: { milliseconds: 20_000 },
    });
    stores.push(store);
    expect(await failureOf(store.list(place))).toMatchObject({ upstream: 'invalid' });
  });

  it('takes no word of a schema for a refused login', async () => {
    // The SDK drops a message that is a list; servers of 2024 give it the status of a refused login.
    const body = { message: [{ code: 'invalid_type', path: ['x'] }], error: 'ValidationFailure' };
    server.answer('/secrets/raw', { status: generation === '2024' ? 401 : 422, body });
    expect(await failureOf(open().list(place))).toMatchObject({ upstream: 'invalid', exitCode: 1 });
    expect(server.asked('POST', '/login')).toBe(1);
  });

  it('says that a reference could not be followed', async () => {
    const message = 'Failed to expand one or more secret references';
    server.answer('/secrets/raw', {
      status: 403,
      body: { statusCode: 403, message, error: 'ForbiddenRequestError' },
    });
    const error = await failureOf(open().read(place));
    expect(error).toMatchObject({ upstream: 'forbidden' });
    expect(error.message).toContain('refers to another one');
  });
});

it('is locked out by others, says so, and does not knock again', async () => {
  const server = await startInfisical('current');
  server.state.failures = 3;
  const store = createInfisical({ hostAPI: server.url, login: UNIVERSAL, limit: { milliseconds: 20_000 } });
  expect(await failureOf(store.list(place))).toMatchObject({ upstream: 'locked', exitCode: 4 });
  expect(await failureOf(store.list(place))).toMatchObject({ upstream: 'locked' });
  expect(server.asked('POST', '/login')).toBe(1);
  await Promise.all([store.close(), server.stop()]);
});

it('speaks TLS with a CA of its own, once the process trusts it', async () => {
  const authority = await makeAuthority('stand-in Infisical');
  const pair = await authority.issue({ names: ['localhost'], ips: ['127.0.0.1'] });
  const server = await startInfisical('current', { pair });
  server.seed('prod', '/compute', { USER: 'floe' });
  const cwd = folderOf({ 'ca.crt': authority.certPem });
  const ca = await trustAuthority('ca.crt', 'upstream.infisical.caFile', { cwd });
  const store = createInfisical({
    hostAPI: server.url,
    login: UNIVERSAL,
    limit: { milliseconds: 20_000 },
    ca,
  });
  expect(await store.list(place)).toEqual(['USER']);
  await Promise.all([store.close(), server.stop()]);
});

it('refuses an address that is none', () => {
  const open = (): Store =>
    createInfisical({ hostAPI: 'infisical.example', login: UNIVERSAL, limit: { milliseconds: 1 } });
  expect(open).toThrow('upstream.infisical.hostAPI is not a URL');
});

async function failureOf(work: Promise<unknown>): Promise<UpstreamError> {
  const error = await work.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  expect(error).toMatchObject({ name: 'UpstreamError' });
  expect((error as Error).message).not.toContain(VALUE);
  return error as UpstreamError;
}
