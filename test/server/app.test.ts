import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Request } from '../../src/review/request.ts';
import { authority, decision, post, review, startWebhook } from './webhook.ts';

describe('a review', () => {
  it.each(['/mutate', '/validate'])('posted to %s is answered with its uid and version', async (path) => {
    const { port } = await startWebhook();
    const answer = await post(port, review({ uid: 'u-7' }), { path });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.parse(answer.text)).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u-7', allowed: true },
    });
  });

  it('is handed over with its door, its content and the time that the API server gives', async () => {
    const seen: [Request, number][] = [];
    const { port } = await startWebhook({
      admit: (request, timeoutMs) => {
        seen.push([request, timeoutMs]);
        return Promise.resolve(decision({}));
      },
    });
    const timeouts = ['?timeout=5s', '', '?timeout=soon', '?timeout=1h', '?timeout=0s'];
    for (const query of timeouts) await post(port, review(), { path: `/mutate${query}` });
    expect(seen.map(([, timeoutMs]) => timeoutMs)).toEqual([5000, 10_000, 10_000, 30_000, 10_000]);
    expect(seen[0]?.[0]).toMatchObject({
      door: 'mutate',
      namespace: 'floe-jobs',
      user: { username: 'jane' },
    });
  });

  it('may hold keys that name parts of JavaScript: they are data', async () => {
    const objects: unknown[] = [];
    const { port } = await startWebhook({
      admit: ({ object }) => {
        objects.push(object);
        return decision({});
      },
    });
    const body = review({ object: { annotations: 'HERE' } }).replace(
      '"HERE"',
      '{"__proto__":{"x":"1"},"\\u005f_proto__":{"y":"2"},"constructor":{"prototype":{"z":"3"}}}',
    );
    const answer = await post(port, body);
    expect(answer.status).toBe(200);
    const { annotations } = objects[0] as { annotations: object };
    expect(Object.keys(annotations)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['y']).toBeUndefined();
  });

  it('may be nested deeply', async () => {
    const { port } = await startWebhook();
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const body = review({ object: { deep: 'HERE' } }).replace('"HERE"', deep);
    expect((await post(port, body)).status).toBe(200);
  });

  it('may be 16 MiB long, and no longer', async () => {
    const { port } = await startWebhook();
    const limit = 16 * 1024 * 1024;
    const padding = limit - Buffer.byteLength(review({ object: '' }));
    expect((await post(port, review({ object: 'x'.repeat(padding) }))).status).toBe(200);
    const tooLong = post(port, review({ object: 'x'.repeat(padding + 1) }));
    // The server answers before it has read everything; whether that answer is seen is up to the kernel.
    const seen = await tooLong.then(
      ({ status }) => status,
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect([413, 'EPIPE', 'ECONNRESET']).toContain(seen);
  });

  it('may say which charset it is in', async () => {
    const { port } = await startWebhook();
    expect((await post(port, review(), { type: 'application/json; charset=utf-8' })).status).toBe(200);
  });
});

describe('what is no review', () => {
  it.each<[string, string, number, { type?: string | undefined; method?: string; path?: string }]>([
    ['of another type', review(), 415, { type: 'text/plain' }],
    ['of no type', review(), 415, { type: undefined }],
    ['of a type that is none', review(), 415, { type: 'json' }],
    ['not JSON', '{"kind":', 400, {}],
    ['empty', '', 400, {}],
    ['JSON that is no object', 'null', 400, {}],
    ['another kind', '{"apiVersion":"v1","kind":"Pod"}', 400, {}],
    ['another version', review().replace('k8s.io/v1"', 'k8s.io/v1beta1"'), 400, {}],
    ['without a uid', review({ uid: '' }), 400, {}],
    ['at another path', review(), 404, { path: '/' }],
    ['below a door', review(), 404, { path: '/mutate/' }],
    ['not posted', '', 405, { method: 'GET' }],
  ])('is refused: %s', async (_what, body, status, given) => {
    const { port } = await startWebhook();
    const answer = await post(port, body, given);
    expect(answer.status).toBe(status);
    expect(answer.response).toEqual({});
  });
});

describe('a fault of our own', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    [
      'throws what is no error',
      () => {
        throw undefined;
      },
    ],
    [
      'decides what cannot be written',
      () => decision({ auditAnnotations: circular as Record<string, string> }),
    ],
    ['decides nothing', () => undefined as never],
  ])('is a refusal with status 200: a judgement that %s', async (_what, admit) => {
    const { port, logLines, metrics, auditLines } = await startWebhook({ admit });
    const answer = await post(port, review({ uid: 'u-9' }));
    expect(answer.status).toBe(200);
    expect(answer.response).toMatchObject({ uid: 'u-9', allowed: false });
    expect(answer.response.status?.message).toContain('FLOE-E820');
    expect(logLines.join('')).toContain('review failed');
    expect(auditLines.map((line) => (JSON.parse(line) as { result: string }).result)).toEqual(['error']);
    expect(await metrics.text()).toMatch(/requests_total\{operation="CREATE",result="error".*\} 1/);
  });

  it('in what only counts does not change the decision', async () => {
    const failing = () => {
      throw new Error('disk full');
    };
    const { port, logLines } = await startWebhook({ audit: { decided: failing, failed: failing } });
    expect((await post(port, review())).response).toMatchObject({ allowed: true });
    expect(logLines.join('')).toContain('review not recorded');
  });
});

describe('a connection', () => {
  it('is kept for the next review, for longer than the API server keeps it idle', async () => {
    const { app, port } = await startWebhook();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const first = await post(port, review(), { agent });
    const second = await post(port, review(), { agent });
    agent.destroy();
    expect(second.socket).toBe(first.socket);
    expect(app.server.keepAliveTimeout).toBeGreaterThan(90_000);
    expect(app.server.requestTimeout).toBe(15_000);
  });

  it('speaks HTTP/1.1 only, over TLS 1.2 or newer', async () => {
    const { port } = await startWebhook();
    const options = { host: 'localhost', port, ca: authority.certPem, ALPNProtocols: ['h2', 'http/1.1'] };
    const protocol = await new Promise((resolve, reject) => {
      const socket = connect(options, () => {
        resolve(socket.alpnProtocol);
        socket.destroy();
      }).on('error', reject);
    });
    expect(protocol).toBe('http/1.1');
    const old = new Promise((resolve, reject) => {
      const socket = connect({ ...options, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }, () => {
        socket.destroy();
        resolve('connected');
      }).on('error', reject);
    });
    await expect(old).rejects.toThrow();
  });

  it('that draining ends says so in every answer', async () => {
    const { port } = await startWebhook({ draining: () => true });
    const agent = new Agent({ keepAlive: true });
    const answers = [await post(port, review(), { agent }), await post(port, 'no', { agent })];
    expect(answers.map(({ headers }) => headers.connection)).toEqual(['close', 'close']);
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
  });
});

describe('one source that is refused without end', () => {
  it('is refused all the same, without a word about Secrets', async () => {
    const refusal = { code: 403, reason: 'Forbidden', message: "FLOE-E801: Secret 'db' not found" } as const;
    const admit = () => decision({ allowed: false, refusal });
    let told = 0;
    const { port } = await startWebhook({ admit, mayTell: () => told++ === 0 });
    const first = await post(port, review());
    const second = await post(port, review());
    expect(first.text).toContain('FLOE-E801');
    expect(second.status).toBe(200);
    expect(second.response).toMatchObject({
      allowed: false,
      status: { code: 429, details: { retryAfterSeconds: 1 } },
    });
    expect(second.text).not.toMatch(/FLOE|db/);
  });
});
