/**
 * The README's walk-throughs on a real cluster, line by line, as somebody types them: what the page shows is what the
 * terminal showed. FLOE_SHOW_WALK=1 prints what it shows now.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { findSops } from '../../tools/sops.ts';
import { needs } from '../needs.ts';
import { ROOT } from '../sources.ts';
import { programFile } from '../stories/program.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { IDENTITY, PROJECT, startInfisical } from '../upstream/infisical-server.ts';
import { MANIFESTS, encrypted, makeKey } from '../upstream/sops-files.ts';
import { startVault } from '../upstream/vault-server.ts';
import { prepareCluster } from './cluster.ts';
import { startEsoOperator } from './eso-operator.ts';
import type { SyncingOperator } from './infisical-operator.ts';
import { startSyncingOperator } from './infisical-operator.ts';
import { startVaultOperator } from './vault-operator.ts';
import { OPERATOR_NAMESPACE } from './vault-reader.ts';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const HOST = 'https://app.infisical.com';

/** The lines of a walk-through, each with what the page shows after it. */
function walk(name: string): readonly (readonly [line: string, shown: string])[] {
  const found = new RegExp(`^<!-- live walk-through: ${name} -->\n\n\`\`\`text\n(.*?)^\`\`\``, 'ms').exec(
    README,
  );
  const steps = (found?.[1] ?? '').split(/^\$ /m).slice(1);
  expect(steps.length).toBeGreaterThan(0);
  return steps.map((step) => {
    const [line = '', ...shown] = step.trimEnd().split('\n');
    return [line, shown.join('\n')] as const;
  });
}

interface Scene {
  readonly plane: ControlPlane;
  readonly operator: SyncingOperator;
  readonly infisical: InfisicalServer;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A namespace with Infisical's operator, and what people have set up to type commands. */
async function setScene(): Promise<Scene> {
  const [plane, infisical] = await Promise.all([
    startControlPlane({ controllers: true }),
    startInfisical('current'),
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'floe-walk-'));
  await prepareCluster(plane);
  const labels = { 'floe.dev/environment': 'prod' };
  await plane.request('POST', '/api/v1/namespaces', { metadata: { name: 'floe-jobs', labels } });
  const operator = startSyncingOperator(plane, 'floe-jobs', () => infisical);
  onTestFinished(async () => {
    await operator.stop();
    await Promise.all([infisical.stop(), plane.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });
  const env = {
    PATH: `${commands(folder)}:${process.env['PATH'] ?? ''}`,
    KUBECONFIG: plane.kubeconfig,
    FLOE_SECRETS_UPSTREAM_INFISICAL_HOST_API: `${infisical.url}/api`,
    FLOE_SECRETS_UPSTREAM_INFISICAL_PROJECT: PROJECT.slug,
    FLOE_SECRETS_UPSTREAM_INFISICAL_PATH: '/jobs',
    FLOE_SECRETS_UPSTREAM_INFISICAL_CREDENTIALS: 'infisical-operator-system/machine-identity',
    INFISICAL_CLIENT_ID: IDENTITY.clientId,
    INFISICAL_CLIENT_SECRET: IDENTITY.clientSecret,
  };
  return { plane, operator, infisical, folder, env };
}

async function walkThrough(name: string, scene: Scene): Promise<void> {
  const { infisical, folder, env } = scene;
  for (const [line, shown] of walk(name)) {
    const said = (await typed(line, { cwd: folder, env })).replaceAll(infisical.url, HOST);
    if (process.env['FLOE_SHOW_WALK'] !== undefined) process.stdout.write(`$ ${line}\n${said}\n`);
    else expect(said, line).toBe(shown);
    await untilSettled(scene);
  }
}

/** What the operator does takes it a moment, and so does the garbage collector. */
async function untilSettled({ plane, operator }: Scene): Promise<void> {
  await operator.passed();
  await vi.waitFor(async () => {
    const { items } = await plane.request<{ readonly items: readonly Named[] }>(
      'GET',
      '/api/v1/namespaces/floe-jobs/secrets',
    );
    expect(items.filter(({ metadata }) => metadata.name.endsWith('-floe-rehearsal'))).toEqual([]);
  }, SOON);
}

interface Named {
  readonly metadata: { readonly name: string };
}

describe.skipIf(!needs('controllers'))('the walk-through', () => {
  test.skipIf(!needs('sops') || !needs('age'))('from a repository of SOPS', async () => {
    const scene = await setScene();
    const key = repository(scene.folder);
    symlinkSync(findSops() ?? '', join(scene.folder, 'bin/sops'));
    await scene.plane.request('POST', '/api/v1/namespaces/floe-jobs/secrets', {
      metadata: { name: 'db', labels: { 'kustomize.toolkit.fluxcd.io/name': 'jobs' } },
      stringData: { USERNAME: 'floe', PASSWORD: 'made-up' },
    });
    await walkThrough('sops', { ...scene, env: { ...key.env, ...scene.env } });
  });

  test('from External Secrets', async () => {
    const scene = await setScene();
    const { plane, infisical } = scene;
    const compute = { SNOWFLAKE_USER: 'floe', SNOWFLAKE_PASSWORD: 'made-up' };
    const vault = { 'root-user': 'floe', 'root-password': 'made-up' };
    infisical.seed('prod', '/compute', compute);
    await applyAll(scene, 'eso.yaml');
    const eso = startEsoOperator(plane, 'floe-jobs', { stores: { team: () => compute, old: () => vault } });
    onTestFinished(async () => eso.stop());
    await expectSynced(plane);
    await walkThrough('eso', scene);
  });

  test('out of Infisical', async () => {
    const scene = await setScene();
    const { plane, infisical } = scene;
    infisical.seed('prod', '/minio', { 'root-user': 'floe', 'root-password': 'made-up' });
    infisical.seed('prod', '/compute', { SNOWFLAKE_USER: 'floe', SNOWFLAKE_PASSWORD: 'made-up' });
    const vault = await startVault();
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name: OPERATOR_NAMESPACE } });
    await applyAll(scene, 'infisical.yaml');
    const stores = { team: () => infisical.valuesAt('prod', '/compute') ?? {} };
    const operators = [
      startEsoOperator(plane, 'floe-jobs', { stores }),
      startVaultOperator(plane, 'floe-jobs', () => vault),
    ];
    onTestFinished(async () => {
      await Promise.all(operators.map(async (operator) => operator.stop()));
      await vault.stop();
    });
    await expectSynced(plane);
    await walkThrough('out', {
      ...scene,
      env: { ...scene.env, VAULT_ADDR: vault.url, VAULT_TOKEN: 'root-token' },
    });
  });
});

/** What a file of the README's has, with the address of the stand-in. */
async function applyAll({ plane, infisical }: Scene, file: string): Promise<void> {
  const text = readFileSync(join(ROOT, 'test/readme', file), 'utf8').replaceAll(HOST, infisical.url);
  for (const document of parseAllDocuments(text)) {
    const object = document.toJS() as Applied;
    const place = `${object.apiVersion}/namespaces/${object.metadata.namespace}`;
    await plane.request('POST', `/apis/${place}/${object.kind.toLowerCase()}s`, object);
  }
}

interface Applied {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace: string };
}

async function expectSynced(plane: ControlPlane): Promise<void> {
  await vi.waitFor(async () => {
    for (const name of ['snowflake-credentials', 'minio']) {
      await plane.request('GET', `/api/v1/namespaces/floe-jobs/secrets/${name}`);
    }
  }, SOON);
}

const SOON = { timeout: 60_000, interval: 50 };

function repository(folder: string): ReturnType<typeof makeKey> {
  const key = makeKey(folder);
  mkdirSync(join(folder, 'secrets'));
  const put = (name: string, content: string, more: readonly string[] = []): string =>
    encrypted(join(folder, 'secrets', name), content, { ...key, more });
  put('api-keys.env', 'STRIPE=made-up\nSENDGRID=made-up\n');
  put('app.enc.json', JSON.stringify({ debug: false, database: { url: 'made-up', pool: 5 } }));
  put(
    'db.yaml',
    'apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: floe-jobs}\nstringData: {USERNAME: floe, PASSWORD: made-up}\n',
    MANIFESTS,
  );
  return key;
}

/** A folder for PATH with what people have installed. */
function commands(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const script = `#!/bin/sh\nexec "${process.execPath}" "${programFile()}" "$@"\n`;
  writeFileSync(join(bin, 'floe-secrets'), script, { mode: 0o755 });
  return bin;
}

/** Both outputs, as a terminal shows them. Not synchronous: the operator and Infisical are played in this process. */
async function typed(
  line: string,
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<string> {
  // The exit code is not shown; a plan with an obstacle is not 0.
  const { stdout } = await promisify(execFile)('sh', ['-c', `{ ${line}; } 2>&1 || true`], { cwd, env });
  return stdout.trimEnd();
}
