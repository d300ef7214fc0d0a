// The whole program as a process: `serve` over a folder of manifests, real TLS, real signals.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startCollector } from './collector.ts';
import { certificateDirectory, post, review, servingPair } from './webhook.ts';

const NAMESPACE = `
apiVersion: v1
kind: Namespace
metadata: {name: floe-jobs, labels: {secrets.floe.dev/injection: enabled}}
`;
const SECRET = `
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: floe-jobs}
stringData: {PASSWORD: not-to-be-seen}
`;
const POD = {
  metadata: { name: 'dbt', annotations: { 'secrets.floe.dev/inject': 'db' } },
  spec: { containers: [{ name: 'dbt', image: 'dbt' }] },
};
const PATIENCE = { timeout: 60_000 };

interface Server {
  readonly process: ChildProcess;
  readonly world: string;
  readonly port: number;
  readonly ops: string;
  readonly exit: Promise<number | null>;
  readonly stdout: () => string;
}

type Variables = Readonly<Record<string, string>>;

function run(args: readonly string[], variables: Variables = {}) {
  const child = spawn(process.execPath, ['src/main.ts', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, exit, stdout: () => stdout, stderr: () => stderr };
}

async function serve(drain: string, variables: Variables = {}): Promise<Server> {
  const world = mkdtempSync(join(tmpdir(), 'floe-world-'));
  writeFileSync(join(world, 'namespace.yaml'), NAMESPACE);
  const certificates = certificateDirectory(servingPair);
  const ports = ['--port', '0', '--ops-port', '0'];
  const places = ['--world', world, '--cert-dir', certificates];
  const started = run(['serve', ...places, '--server-drain', drain, ...ports], variables);
  const listening = await vi.waitUntil(() => {
    expect(started.child.exitCode, started.stderr()).toBeNull();
    return /"port":(\d+),"opsPort":(\d+)/.exec(started.stderr());
  }, PATIENCE);
  const [, port, opsPort] = listening;
  const ops = `http://localhost:${opsPort}`;
  await vi.waitUntil(async () => (await fetch(`${ops}/readyz`)).status === 200, PATIENCE);
  return {
    process: started.child,
    world,
    port: Number(port),
    ops,
    exit: started.exit,
    stdout: started.stdout,
  };
}

describe('serve --world', () => {
  it('judges by the manifests as they are now, counts it and writes it down', async () => {
    const { port, world, ops, stdout, process: child, exit } = await serve('0s');
    const create = () => post(port, review({ object: POD }), { path: '/mutate?timeout=5s' });
    expect((await create()).response).toMatchObject({ allowed: false, status: { code: 403 } });
    writeFileSync(join(world, 'secret.yaml'), SECRET);
    await vi.waitUntil(async () => (await create()).response.allowed === true, PATIENCE);
    const metrics = await (await fetch(`${ops}/metrics`)).text();
    expect(metrics).toMatch(
      /admission_requests_total\{operation="CREATE",result="allowed",code="",namespace="floe-jobs"\} 1/,
    );
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    const [line] = stdout().split('\n');
    expect(JSON.parse(line ?? '')).toMatchObject({
      secret_path: 'floe-jobs/db',
      result: 'denied',
      logger: 'floe.audit',
    });
    expect(stdout()).not.toContain('not-to-be-seen');
  });

  it('serves every review while it drains, is not ready meanwhile, and ends with 0', async () => {
    const { port, ops, process: child, exit } = await serve('5s');
    child.kill('SIGTERM');
    await vi.waitUntil(async () => (await fetch(`${ops}/readyz`)).status === 503, PATIENCE);
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(port, review())));
    expect(answers.map(({ status, headers }) => [status, headers.connection])).toEqual(
      answers.map(() => [200, 'close']),
    );
    expect(await exit).toBe(0);
    await expect(post(port, review())).rejects.toThrow(/ECONNREFUSED/);
  });

  it.each(['http', 'grpc'] as const)(
    'sends the traces of its last reviews before it ends (%s)',
    async (way) => {
      const collector = await startCollector(way);
      const {
        port,
        process: child,
        exit,
      } = await serve('0s', {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: way === 'grpc' ? 'grpc' : 'http/protobuf',
      });
      await post(port, review({ object: POD }), { path: '/mutate?timeout=5s' });
      child.kill('SIGTERM');
      expect(await exit).toBe(0);
      expect(collector.spans.map(({ name, attributes }) => [name, attributes['secrets.allowed']])).toEqual([
        ['secrets.mutate', false],
      ]);
      expect(collector.spans[0]?.resource['service.name']).toBe('floe-secrets-webhook');
    },
  );

  it('ends in time where the collector of its traces hangs, and serves without it', async () => {
    const collector = await startCollector('http', () => 'hang');
    const { port, process: child, exit } = await serve('0s', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    expect((await post(port, review({ object: POD }))).status).toBe(200);
    child.kill('SIGTERM');
    const started = performance.now();
    expect(await exit).toBe(0);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('ends at once at a second signal', async () => {
    const { ops, process: child, exit } = await serve('1h');
    child.kill('SIGTERM');
    await vi.waitUntil(async () => (await fetch(`${ops}/readyz`)).status === 503, PATIENCE);
    child.kill('SIGINT');
    expect(await exit).toBe(1);
  });
});

describe('serve without what it needs', () => {
  const certificates = certificateDirectory(servingPair);
  it.each([
    ['a certificate', ['--world', certificates], 2, /--cert-dir/],
    [
      'the files of one',
      ['--cert-dir', '/nowhere', '--world', certificates],
      3,
      /\/nowhere\/tls\.crt cannot be read/,
    ],
    ['its folder', ['--cert-dir', certificates, '--world', '/nowhere'], 3, /\/nowhere, does not exist/],
    ['its settings', ['--config', '/nowhere'], 3, /config file \/nowhere does not exist/],
    [
      'settings that it understands',
      ['--server-port', 'https'],
      2,
      /server\.port is "https"; .*flag --server-port/,
    ],
    ['options that it knows', ['--server-prot', '1'], 2, /Did you mean --server-port\?/],
  ])('says so and ends: %s', async (_what, args, exitCode, message) => {
    const { exit, stderr } = run(['serve', ...args]);
    expect(await exit).toBe(exitCode);
    expect(stderr()).toMatch(message);
    expect(stderr()).not.toMatch(/^\s+at /m);
  });
});
