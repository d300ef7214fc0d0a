import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../src/cluster/api-error.ts';
import { createClient } from '../../src/cluster/client.ts';
import { endpointOf } from '../../src/cluster/credentials.ts';
import type { FakeApi } from './fake-api.ts';
import { send, startFakeApi, status } from './fake-api.ts';

const SECRETS = '/api/v1/secrets';
const ONE = '/api/v1/namespaces/floe-jobs/secrets/db';

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(async () => api.close());

const failureOf = async (call: Promise<unknown>): Promise<ApiError> => {
  const error: unknown = await call.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  if (!(error instanceof ApiError)) throw new Error(`no ApiError but ${String(error)}`);
  return error;
};

describe('the connection', () => {
  it('is kept for many reads', async () => {
    api.serve(SECRETS);
    const client = api.client();
    for (let read = 0; read < 20; read += 1) await client.get(SECRETS);
    // The next read may begin a moment before the last one's connection is free.
    expect(api.connections()).toBeLessThanOrEqual(2);
  });

  it('verifies the server against the given CA only', async () => {
    const stranger = createClient({ current: async () => endpointOf(api.url, { headers: {}, tls: {} }) });
    const error = await failureOf(stranger.get(SECRETS));
    expect(error.status).toBe(0);
    expect(error.reason).toMatch(/SIGNED|VERIFY|ISSUER/);
    expect(api.requests).toHaveLength(0);
    await stranger.close();
  });

  it('keeps the path prefix of a server behind a management server', async () => {
    const endpoint = endpointOf(`${api.url}/k8s/clusters/c-1/`, { headers: {}, tls: { ca: api.ca } });
    const client = createClient({ current: async () => endpoint });
    await failureOf(client.get(ONE));
    expect(api.requests.map(({ path }) => path)).toEqual([`/k8s/clusters/c-1${ONE}`]);
    await client.close();
  });

  it('survives a kept connection that died in the meantime', async () => {
    api.serve(SECRETS);
    const client = api.client();
    await client.get(SECRETS);
    let resets = 1;
    api.intercept(() => {
      if (resets === 0) return false;
      resets -= 1;
      api.resetConnections();
      return true;
    });
    expect(await client.get(SECRETS)).toMatchObject({ kind: 'List' });
  });

  it('does not send a write again: it may have arrived', async () => {
    api.intercept(() => {
      api.resetConnections();
      return true;
    });
    expect(await failureOf(api.client().post(SECRETS, {}))).toMatchObject({ status: 0 });
    expect(api.requests).toHaveLength(1);
  });
});

describe('credentials', () => {
  it('are asked for again, once, after a 401', async () => {
    api.serve(SECRETS);
    api.intercept(({ authorization }, response) => {
      if (authorization === 'Bearer new') return false;
      status(response, 401, 'Unauthorized', 'Unauthorized');
      return true;
    });
    const renewals: boolean[] = [];
    const tls = { ca: api.ca };
    const client = createClient({
      current: async (renew = false) => {
        renewals.push(renew);
        return endpointOf(api.url, { headers: { authorization: renew ? 'Bearer new' : 'Bearer old' }, tls });
      },
    });
    expect(await client.get(SECRETS)).toMatchObject({ kind: 'List' });
    expect(renewals).toEqual([false, true]);
    // The next read may begin a moment before the last one's connection is free.
    expect(api.connections()).toBeLessThanOrEqual(2);
    await client.close();
  });

  it('that stay refused are a 401, without the token', async () => {
    api.intercept((_, response) => {
      status(response, 401, 'Unauthorized', 'Unauthorized');
      return true;
    });
    const error = await failureOf(api.client('very-secret-token').get(ONE));
    expect(error).toMatchObject({ status: 401, reason: 'Unauthorized' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('very-secret-token');
    expect(api.requests).toHaveLength(2);
  });
});

describe('answers', () => {
  it('that are no JSON are an error that does not quote them', async () => {
    api.intercept((_, response) => {
      response.end('{"data":{"password":"aHVudGVyMg=="},');
      return true;
    });
    const error = await failureOf(api.client().get(ONE));
    expect(error.message).toBe('the answer is no JSON');
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('aHVudGVyMg');
  });

  it('that never come end with the call, and so does a call that is given up', async () => {
    api.intercept(() => true);
    const client = api.client();
    expect(await failureOf(client.get(ONE, { timeoutMs: 50 }))).toMatchObject({
      message: 'no answer in time',
    });
    const given = new AbortController();
    const call = failureOf(client.get(ONE, { signal: given.signal }));
    given.abort();
    expect(await call).toMatchObject({ message: 'the call was given up' });
  });

  it('carry the body and its type of a write', async () => {
    api.intercept((_, response) => {
      send(response, 201, { ok: true });
      return true;
    });
    const call = { contentType: 'application/json-patch+json' };
    expect(await api.client().send('PATCH', ONE, [{ op: 'test' }], call)).toEqual({ ok: true });
    expect(api.requests[0]).toMatchObject({ method: 'PATCH', body: '[{"op":"test"}]' });
  });
});

describe('lists and watches', () => {
  it('come in pages of one version', async () => {
    api.serve(
      SECRETS,
      Array.from({ length: 1_201 }, (_, index) => ({ metadata: { namespace: 'a', name: `s${index}` } })),
    );
    const sizes: number[] = [];
    for await (const page of api.client().list(SECRETS)) sizes.push(page.items.length);
    expect(sizes).toEqual([500, 500, 201]);
  });

  it('give each line as an object, however the bytes are cut', async () => {
    api.serve(SECRETS);
    const stop = new AbortController();
    const events = await api.client().watch(`${SECRETS}?watch=1`, { signal: stop.signal, idleMs: 10_000 });
    const line = Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', word: 'grün' })}\n`);
    const cut = line.indexOf(0xc3) + 1;
    const iterator = events[Symbol.asyncIterator]();
    const next = iterator.next();
    api.write(SECRETS, line.subarray(0, cut));
    await sleep(20);
    api.write(SECRETS, line.subarray(cut));
    expect((await next).value).toMatchObject({ word: 'grün' });
    stop.abort();
    expect(await failureOf(iterator.next())).toMatchObject({ status: 0 });
  });
});
