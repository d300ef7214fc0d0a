import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyOfWant } from '../../src/cluster/answers.ts';
import { createLookup } from '../../src/cluster/lookup.ts';
import { reduceObject, reduceSecret } from '../../src/cluster/reduce.ts';
import { JOB, SECRET_PROVIDER_CLASS } from '../../src/kube/object.ts';
import type { Want } from '../../src/kube/world.ts';
import { present } from '../../src/kube/world.ts';
import type { FakeApi } from './fake-api.ts';
import { send, startFakeApi, status } from './fake-api.ts';

const CEILING = { timeout: 60_000, interval: 5 };
const SECRETS = '/api/v1/secrets';
const DB = '/api/v1/namespaces/floe-jobs/secrets/db';
const secret = {
  metadata: { namespace: 'floe-jobs', name: 'db' },
  type: 'Opaque',
  data: { password: 'aHVudGVyMg==' },
};

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
  api.serve(SECRETS, [secret]);
});
afterEach(async () => api.close());

const want = (name = 'db', full = false): Want => ({ what: 'secret', namespace: 'floe-jobs', name, full });
const create = (options: { max?: number; ttl?: number; timeoutMs?: number; concurrency?: number } = {}) =>
  createLookup(api.client(), { max: 100, ttl: 60_000, ...options });

describe('a read of a Secret', () => {
  it('asks for metadata alone, and for all of it where keys are asked', async () => {
    const lookup = create();
    await lookup.read(want());
    await lookup.read(want('db', true));
    const accepts = api.requests.map(({ accept }) => accept);
    expect(accepts[0]).toBe('application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
    expect(accepts[1]).toBe('application/json');
  });

  it('never hands on a value', async () => {
    const answer = await create().read(want('db', true));
    expect(answer).toMatchObject({
      read: { state: 'present', value: { keys: ['password'], keysComplete: true } },
    });
    expect(JSON.stringify(answer)).not.toContain('aHVudGVyMg');
  });

  it('tells absent, forbidden and unavailable apart', async () => {
    const lookup = create();
    expect(await lookup.read(want('other'))).toEqual({ what: 'secret', read: { state: 'absent' } });
    const answers: Record<string, number> = { forbidden: 403, broken: 500 };
    api.intercept(({ path }, response) => {
      const code = answers[path.split('/').pop() ?? ''];
      if (code !== undefined) status(response, code, 'Reason', 'secrets "x" for User "someone" at 10.0.0.1');
      return true;
    });
    const failure = async (name: string, from = lookup) => {
      const { read } = await from.read(want(name));
      return read.state === 'failed' ? read.failure : undefined;
    };
    expect(await failure('forbidden')).toEqual({
      reason: 'forbidden',
      message: 'cannot get secrets in namespace floe-jobs (RBAC)',
    });
    expect(await failure('broken')).toEqual({
      reason: 'unavailable',
      message: 'cannot get secrets in namespace floe-jobs: HTTP 500 Reason',
    });
    expect(await failure('silent', create({ timeoutMs: 200 }))).toEqual({
      reason: 'unavailable',
      message: 'cannot get secrets in namespace floe-jobs: no answer in time',
    });
  });

  it.each(['../pods', 'UPPER', 'a/b', 'a?watch=1', '', 'x'.repeat(254), '%2e%2e'])(
    'of the impossible name %j is absent without a request',
    async (name) => {
      expect((await create().read(want(name))).read).toEqual({ state: 'absent' });
      const elsewhere: Want = { what: 'secret', namespace: 'a/../b', name: 'db', full: false };
      expect((await create().read(elsewhere)).read).toEqual({ state: 'absent' });
      expect(api.requests).toEqual([]);
    },
  );
});

describe('many who ask at once', () => {
  it('cause one request', async () => {
    const lookup = create();
    const answers = await Promise.all(Array.from({ length: 200 }, async () => lookup.read(want())));
    expect(new Set(answers.map(({ read }) => read.state))).toEqual(new Set(['present']));
    expect(api.asked(DB)).toHaveLength(1);
  });

  it('but want it fresh, cause one more, which sees what came in the meantime', async () => {
    const lookup = create();
    const held = Promise.withResolvers<() => void>();
    api.intercept((_, response) => {
      if (api.requests.length > 1) return false;
      held.resolve(() => status(response, 404, 'NotFound', 'not found'));
      return true;
    });
    const early = lookup.read(want());
    const answerEarly = await held.promise;
    const late = Promise.all(Array.from({ length: 50 }, async () => lookup.read(want(), true)));
    answerEarly();
    expect((await early).read).toEqual({ state: 'absent' });
    expect(new Set((await late).map(({ read }) => read.state))).toEqual(new Set(['present']));
    expect(api.asked(DB)).toHaveLength(2);
  });

  it('do not get past the bound on requests under way', async () => {
    const running: ServerResponse[] = [];
    api.intercept((_, response) => {
      running.push(response);
      return true;
    });
    const lookup = create({ concurrency: 3, timeoutMs: 60_000 });
    const answers = Promise.all(
      Array.from({ length: 20 }, async (_, index) => lookup.read(want(`s${index}`))),
    );
    for (let left = 20; left > 0; left -= 1) {
      await vi.waitFor(() => expect(running).toHaveLength(Math.min(3, left)), CEILING);
      status(running.shift()!, 404, 'NotFound', '');
    }
    expect((await answers).every(({ read }) => read.state === 'absent')).toBe(true);
    expect(api.requests).toHaveLength(20);
  });

  it('give up together when the server hangs, those who wait for their turn too', async () => {
    api.intercept(() => true);
    const lookup = create({ concurrency: 1, timeoutMs: 100 });
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => lookup.read(want(`s${index}`))),
    );
    expect(answers.every(({ read }) => read.state === 'failed')).toBe(true);
  });
});

describe('the memory', () => {
  it('keeps presence', async () => {
    const lookup = create();
    expect(lookup.memory.secret(keyOfWant(want()))).toBeUndefined();
    await lookup.read(want());
    expect(lookup.memory.secret(keyOfWant(want()))).toMatchObject({ name: 'db' });
  });

  it('keeps neither absence nor failure, and forgets what is gone', async () => {
    const lookup = create();
    await lookup.read(want('other'));
    expect(lookup.memory.secret(keyOfWant(want('other')))).toBeUndefined();
    await lookup.read(want());
    api.remove(SECRETS, secret);
    await lookup.read(want());
    expect(lookup.memory.secret(keyOfWant(want()))).toBeUndefined();
  });

  it('prefers the whole read to later metadata of the same version', async () => {
    const lookup = create();
    await lookup.read(want('db', true));
    api.intercept((_, response) => {
      send(response, 200, {
        kind: 'PartialObjectMetadata',
        metadata: { ...secret.metadata, resourceVersion: '101' },
      });
      return true;
    });
    await lookup.read(want());
    expect(lookup.memory.secret(keyOfWant(want()))).toMatchObject({
      keysComplete: true,
      resourceVersion: '101',
    });
    api.intercept((_, response) => {
      send(response, 200, {
        kind: 'PartialObjectMetadata',
        metadata: { ...secret.metadata, resourceVersion: '999' },
      });
      return true;
    });
    await lookup.read(want());
    expect(lookup.memory.secret(keyOfWant(want()))).toMatchObject({ keysComplete: false });
  });

  it('holds no more than it may, and for no longer', async () => {
    api.serve(
      SECRETS,
      Array.from({ length: 10 }, (_, index) => ({ metadata: { namespace: 'floe-jobs', name: `s${index}` } })),
    );
    const lookup = create({ max: 3, ttl: 40 });
    for (let index = 0; index < 10; index += 1) await lookup.read(want(`s${index}`));
    const known = () =>
      Array.from({ length: 10 }, (_, index) => lookup.memory.secret(keyOfWant(want(`s${index}`))));
    expect(known().filter((record) => record !== undefined).length).toBeLessThanOrEqual(3);
    await sleep(80);
    expect(known().every((record) => record === undefined)).toBe(true);
  });

  it('of Secrets and objects that are large holds few', () => {
    const { memory } = create({ max: 10_000 });
    const names = Array.from({ length: 60 }, (_, index) => `s${index}`);
    const data = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, '']));
    const large = 'x'.repeat(500_000);
    const placeOf = (name: string) => ({ kind: SECRET_PROVIDER_CLASS, namespace: 'floe-jobs', name });
    for (const name of names) {
      const record = reduceSecret({ kind: 'Secret', metadata: { namespace: 'floe-jobs', name }, data });
      memory.remember(keyOfWant(want(name)), { what: 'secret', read: present(record) });
      const object = reduceObject(SECRET_PROVIDER_CLASS, { metadata: { name }, spec: { large } });
      memory.remember(keyOfWant({ what: 'object', ...placeOf(name) }), {
        what: 'object',
        read: present(object),
      });
    }
    const secrets = names.filter((name) => memory.secret(keyOfWant(want(name))) !== undefined);
    const objects = names.filter(
      (name) => memory.object(keyOfWant({ what: 'object', ...placeOf(name) })) !== undefined,
    );
    expect([secrets.at(-1), objects.at(-1)]).toEqual(['s59', 's59']);
    expect([secrets.length < 25, objects.length < 40]).toEqual([true, true]);
  });

  it.each([{ max: 0 }, { ttl: 0 }])('of %j remembers nothing', async (options) => {
    const lookup = create(options);
    await lookup.read(want());
    expect(lookup.memory.secret(keyOfWant(want()))).toBeUndefined();
  });
});

describe('other reads', () => {
  it('find Namespaces and owners', async () => {
    api.serve('/api/v1/namespaces', [{ metadata: { name: 'floe-jobs', managedFields: [] }, status: {} }]);
    api.serve('/apis/batch/v1/jobs', [{ metadata: { namespace: 'floe-jobs', name: 'nightly' }, spec: {} }]);
    const lookup = create();
    const namespace: Want = { what: 'namespace', name: 'floe-jobs' };
    const job: Want = { what: 'object', kind: JOB, namespace: 'floe-jobs', name: 'nightly' };
    expect(await lookup.read(namespace)).toMatchObject({ what: 'object', read: { state: 'present' } });
    expect(await lookup.read(job)).toMatchObject({ read: { value: { raw: { spec: {} } } } });
    expect(lookup.memory.object(keyOfWant(job))).toBeDefined();
    // Of a Job only its metadata is judged, and it may be large.
    expect(api.requests.at(-1)?.accept).toContain('as=PartialObjectMetadata');
  });

  it('ask what a user may do, and remember it with all groups', async () => {
    api.intercept(({ body }, response) => {
      send(response, 201, { status: { allowed: body.includes('"admins"') } });
      return true;
    });
    const ask = (groups: string[]): Want => ({
      what: 'access',
      user: { username: 'jane', groups },
      verb: 'list',
      resource: 'secrets',
      namespace: 'floe-jobs',
    });
    const lookup = create();
    expect((await lookup.read(ask(['admins']))).read).toEqual({ state: 'present', value: true });
    expect((await lookup.read(ask(['guests']))).read).toEqual({ state: 'present', value: false });
    expect(lookup.memory.access(keyOfWant(ask(['admins'])))).toBe(true);
    expect(lookup.memory.access(keyOfWant(ask(['guests'])))).toBe(false);
    expect(keyOfWant(ask(['g'.repeat(1_000_000)])).length).toBeLessThan(100);
    expect(JSON.parse(api.requests[0]?.body ?? '')).toMatchObject({
      kind: 'SubjectAccessReview',
      spec: {
        user: 'jane',
        groups: ['admins'],
        resourceAttributes: { verb: 'list', resource: 'secrets', group: '', namespace: 'floe-jobs' },
      },
    });
  });
});
