// More reviews than can be judged: nothing is turned away, memory is bounded, and afterwards all is as before.
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLiveCluster } from '../../src/cluster/live.ts';
import { defaultConfig } from '../../src/config/config.ts';
import type { Decision } from '../../src/review/decision.ts';
import { createReviewer } from '../../src/review/review.ts';
import type { Arrival } from '../../src/server/intake.ts';
import { createIntake } from '../../src/server/intake.ts';
import { watchPressure } from '../../src/server/pressure.ts';
import { startFakeApi } from '../cluster/fake-api.ts';
import { startWebhook as startProcess } from '../stories/webhook-process.ts';
import { authority, decision, post, review, startWebhook } from './webhook.ts';

const CEILING = { timeout: 60_000, interval: 10 };
const MIB = 1024 * 1024;
const large = (uid: string, bytes = 6 * MIB): string => review({ uid, object: 'x'.repeat(bytes) });

describe('large bodies', () => {
  it('take turns until they are answered, and hold up no small one', async () => {
    const waiting = new Map<string, (made: Decision) => void>();
    const actions: string[] = [];
    const { port } = await startWebhook({
      overloaded: (action) => actions.push(action),
      admit: ({ uid }) =>
        uid === 'small' ? decision({}) : new Promise((resolve) => waiting.set(uid, resolve)),
    });
    const uids = ['1', '2', '3', '4', '5'];
    const answers = Promise.all(
      uids.map(async (uid) => post(port, large(uid), { path: '/mutate?timeout=30s' })),
    );
    await vi.waitFor(() => expect(waiting.size).toBe(2), CEILING);
    await vi.waitFor(() => expect(actions).toEqual(['body_waited', 'body_waited', 'body_waited']), CEILING);
    expect((await post(port, review({ uid: 'small' }))).status).toBe(200);
    expect(waiting.size).toBe(2);
    for (let answered = 0; answered < uids.length; answered += 1) {
      await vi.waitFor(() => expect(waiting.size).toBeGreaterThan(0), CEILING);
      expect(waiting.size).toBeLessThanOrEqual(2);
      const [[uid, resolve] = []] = [...waiting];
      waiting.delete(uid ?? '');
      resolve?.(decision({}));
    }
    expect((await answers).map(({ status, response }) => [status, response.uid])).toEqual(
      uids.map((uid) => [200, uid]),
    );
  });

  it('that come slowly keep no others waiting for ever', async () => {
    const { port } = await startWebhook();
    const slow = await Promise.all([1, 2, 3].map(async () => startSlowly(port, '1s')));
    const answer = await post(port, large('quick'), { path: '/mutate?timeout=30s' });
    expect(answer.response.uid).toBe('quick');
    await Promise.all(slow.map(async ({ closed }) => closed));
  });

  it('whose senders go while they wait make room', async () => {
    const waiting: ((made: Decision) => void)[] = [];
    const { port } = await startWebhook({ admit: () => new Promise((resolve) => waiting.push(resolve)) });
    const first = Promise.all(['1', '2'].map(async (uid) => post(port, large(uid))));
    await vi.waitFor(() => expect(waiting).toHaveLength(2), CEILING);
    const impatient = await Promise.all([1, 2, 3].map(async () => startSlowly(port, '30s')));
    for (const { socket } of impatient) socket.destroy();
    const last = post(port, large('last'));
    for (const resolve of waiting) resolve(decision({}));
    await first;
    await vi.waitFor(() => expect(waiting).toHaveLength(3), CEILING);
    waiting[2]?.(decision({}));
    expect((await last).response.uid).toBe('last');
  });
});

async function connected(port: number): Promise<TLSSocket> {
  const socket = connect({ host: 'localhost', port, ca: authority.certPem });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()));
  return socket;
}

/** A request whose large body never comes whole. */
async function startSlowly(
  port: number,
  timeout: string,
): Promise<{ socket: TLSSocket; closed: Promise<unknown> }> {
  const socket = await connected(port);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const head = ['host: localhost', 'content-type: application/json', `content-length: ${6 * MIB}`];
  socket.write(`POST /mutate?timeout=${timeout} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n{"a":`);
  socket.resume();
  return { socket, closed };
}

describe('a process that is behind', () => {
  it('knows it, and that it has caught up', async () => {
    const pressure = watchPressure();
    onTestFinished(pressure.stop);
    await vi.waitFor(() => expect(pressure.isHigh()).toBe(false), CEILING);
    block(400);
    expect(pressure.isHigh()).toBe(true);
    expect(pressure.lateMs()).toBeGreaterThan(200);
    await vi.waitFor(() => expect(pressure.isHigh()).toBe(false), CEILING);
  });

  it('judges with the time that is left', async () => {
    const judged: number[] = [];
    const { port } = await startWebhook({
      pressure: { isHigh: () => true, lateMs: () => 3_000, stop: () => undefined },
      admit: (_request, timeoutMs) => {
        judged.push(timeoutMs);
        return decision({});
      },
    });
    for (const timeout of ['5s', '2s']) {
      const answer = await post(port, review(), { path: `/mutate?timeout=${timeout}` });
      expect(answer.response.allowed).toBe(true);
    }
    expect(judged).toEqual([2_000, 1]);
  });

  it.each([
    [true, 'goes', []],
    [true, 'stays', ['{}']],
    [false, 'goes', ['{}']],
  ] as const)(
    'behind: %s; a caller who %s while its request waits is judged for: %j',
    async (isHigh, caller, judged) => {
      const taken: (string | undefined)[] = [];
      const actions: string[] = [];
      const intake = createIntake({
        bodyLimit: 100,
        pressure: { isHigh: () => isHigh, lateMs: () => 1_000, stop: () => undefined },
        overloaded: (action) => actions.push(action),
      });
      const message = Object.assign(new PassThrough(), {
        headers: { 'content-length': '2' },
        socket: new Socket(),
      });
      const arrival = { message, response: new EventEmitter(), timeoutMs: 5_000 } as unknown as Arrival;
      intake.take(arrival, (body) => taken.push(body?.toString()));
      message.end('{}');
      await once(message, 'end');
      if (caller === 'goes') message.socket.destroy();
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      expect(taken).toEqual(judged);
      expect(actions).toEqual(judged.length === 0 ? ['caller_gone'] : []);
    },
  );
});

function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

describe('more live looks than the API server answers', () => {
  const held: ServerResponse[] = [];
  afterEach(() => void held.splice(0));

  it('cost lenient namespaces a warning, strict ones E820 in time, and nobody anything afterwards', async () => {
    const api = await startFakeApi();
    const modes = { strict: 'strict-jobs', warn: 'warn-jobs' };
    const labels = (mode: string) => ({
      'secrets.floe.dev/injection': 'enabled',
      'secrets.floe.dev/enforcement': mode,
    });
    api.serve(
      '/api/v1/namespaces',
      Object.entries(modes).map(([mode, name]) => ({ metadata: { name, labels: labels(mode) } })),
    );
    api.serve(
      '/api/v1/serviceaccounts',
      Object.values(modes).map((namespace) => ({ metadata: { namespace, name: 'default' } })),
    );
    api.serve('/apis/apiextensions.k8s.io/v1/customresourcedefinitions');
    api.serve(
      '/api/v1/secrets',
      namesOf(0, PODS * EACH).map((name) => ({ metadata: { namespace: 'strict-jobs', name } })),
    );
    let slow = true;
    api.intercept(({ path }, response) => {
      if (!slow || !path.includes('/secrets/')) return false;
      held.push(response);
      return true;
    });
    const left: string[] = [];
    const cluster = createLiveCluster({ client: api.client(), kinds: [], config: defaultConfig() });
    onTestFinished(async () => {
      await cluster.stop();
      await api.close();
    });
    await vi.waitFor(() => expect(cluster.ready().ready).toBe(true), CEILING);
    const admit = cluster.admission({
      review: createReviewer(defaultConfig()),
      now: Date.now,
      leftOut: () => void left.push('left out'),
    });
    const { port } = await startWebhook({ admit });
    const ask = async (namespace: string, ...secrets: readonly string[]) =>
      post(port, review({ namespace, object: podOf(secrets) }), { path: '/validate?timeout=5s' });

    const answers: Awaited<ReturnType<typeof ask>>[] = [];
    // They come again until the lenient one has met the crowd: how fast they pile up is the machine's.
    const strict = Promise.all(
      Array.from({ length: PODS }, async (_, index) => {
        do answers.push(await ask(modes.strict, ...namesOf(index * EACH, EACH)));
        while (left.length === 0);
      }),
    );
    await vi.waitFor(async () => {
      const warned = await ask(modes.warn, 'other');
      expect(warned.response.allowed).toBe(true);
      expect(warned.text).toMatch(/left out, because too many reviews wait/);
    }, CEILING);
    expect(left).toHaveLength(1);

    await strict;
    expect(answers.length).toBeGreaterThanOrEqual(PODS);
    expect(answers.filter(({ status, response }) => status !== 200 || response.allowed !== false)).toEqual(
      [],
    );
    for (const { text } of answers) expect(text).toContain('FLOE-E820');
    for (const { text } of answers) expect(text).not.toMatch(/retryAfterSeconds":(?!1\b)/);

    slow = false;
    for (const response of held) response.destroy();
    await vi.waitFor(
      async () => expect((await ask(modes.strict, 's7')).response.allowed).toBe(true),
      CEILING,
    );
    expect((await ask(modes.warn, 'other')).text).not.toContain('left out');
  });
});

/** Few pods with many Secrets each: a slow machine, too, brings them all in the two seconds that a look may take. */
const [PODS, EACH] = [40, 16];

const namesOf = (first: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `s${first + index}`);

const podOf = (secrets: readonly string[]) => ({
  metadata: { name: 'dbt' },
  spec: {
    containers: [{ name: 'dbt', image: 'dbt', envFrom: secrets.map((name) => ({ secretRef: { name } })) }],
  },
});

it('a flood of large reviews whose callers give up passes, within bounded memory', async () => {
  const world = mkdtempSync(join(tmpdir(), 'floe-flood-'));
  writeFileSync(
    join(world, 'namespace.yaml'),
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: floe-jobs, labels: {secrets.floe.dev/injection: enabled}}\n',
  );
  const webhook = await startProcess({ config: {}, authority, args: ['--world', world] });
  onTestFinished(async () => void (await webhook.stop()));
  const outcomes = await flood(webhook.port);
  expect(outcomes['200']).toBeGreaterThan(0);
  expect(Object.keys(outcomes).filter((outcome) => !['200', 'gone'].includes(outcome))).toEqual([]);
  const answer = await post(webhook.port, review({ uid: 'after' }), { path: '/mutate?timeout=5s' });
  expect([answer.status, answer.response.uid]).toEqual([200, 'after']);
  const metrics = await (await fetch(`http://localhost:${webhook.opsPort}/metrics`)).text();
  expect(metrics).toMatch(/floe_secrets_overload_total\{action="body_waited"\} [1-9]/);
  const [, resident = ''] = /^process_resident_memory_bytes (\S+)/m.exec(metrics) ?? [];
  // 200 bodies of 3 MiB were sent at once.
  expect(Number(resident)).toBeLessThan(500 * MIB);
});

/** 200 callers at a time, every other one of whom waits for five seconds only, in a process of their own. */
async function flood(port: number): Promise<Readonly<Record<string, number>>> {
  const script = `
    import { Agent, request } from 'node:https';
    const agent = new Agent({ keepAlive: false });
    const body = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u', operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'Pod' }, namespace: 'floe-jobs', name: 'dbt', userInfo: { username: 'jane', groups: [] },
      object: { metadata: { name: 'dbt', annotations: Object.fromEntries(Array.from({ length: 30000 }, (_, i) => ['k' + i, 'x'.repeat(90)])) },
        spec: { containers: [{ name: 'dbt', image: 'dbt' }] } } } });
    const outcomes = {};
    const count = (what) => (outcomes[what] = (outcomes[what] ?? 0) + 1);
    const ask = (patience) => new Promise((done) => {
      const asked = request({ host: 'localhost', port: process.argv[1], path: '/mutate?timeout=' + patience + 's', method: 'POST', agent, rejectUnauthorized: false,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (answer) => {
        answer.resume(); answer.on('end', () => { count(answer.statusCode); end(); }); });
      const timer = setTimeout(() => { count('gone'); asked.destroy(); done(); ended = true; }, patience * 1000);
      let ended = false;
      const end = () => { if (!ended) { ended = true; clearTimeout(timer); done(); } };
      asked.on('error', () => { if (!ended) count('gone'); end(); });
      asked.end(body);
    });
    await Promise.all(Array.from({ length: 200 }, async (_, index) => { for (let turn = 0; turn < 2; turn += 1) await ask(index % 2 === 0 ? 5 : 30); }));
    process.stdout.write(JSON.stringify(outcomes));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let written = '';
  child.stdout.on('data', (chunk: Buffer) => (written += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(written) as Record<string, number>;
}
