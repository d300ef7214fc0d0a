/** What people see who work with kubectl. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { findTool } from '../../tools/control-plane/kubectl.ts';
import { needs } from '../needs.ts';
import { infisicalSecret } from '../stories/infisical-objects.ts';
import { makeSecret, podAsking, startServed, tryPod } from './served.ts';
import type { Served } from './served.ts';
import { createWorld } from './world.ts';

const cluster = inject('cluster');
const CEILING = { timeout: 60_000, interval: 50 };

describe.skipIf(!needs('apiserver') || !needs('kubectl'))('kubectl', () => {
  let api: ApiClient;
  let served: Served;
  let namespace: string;

  beforeAll(async () => {
    if (cluster === undefined) throw new Error('no cluster');
    api = makeApiClient(cluster);
    // A grace that outlives the test: what no status is written for stays pending.
    const config = { sync: { pendingGrace: '1h' } };
    served = await startServed(api, { name: 'kubectl', kubeconfig: cluster.webhookKubeconfig, config });
    namespace = await served.namespace();
  });
  afterAll(async () => {
    await served?.stop();
    await api?.close();
  });

  const pod = (name: string, secret: string): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, annotations: { 'secrets.floe.dev/inject': secret } },
      spec: { containers: [{ name: 'dbt', image: 'dbt' }] },
    });

  test('waits by itself for a Secret that is on its way', async () => {
    const resource = infisicalSecret({
      name: 'sync',
      namespace,
      target: 'db',
      status: 'none',
      kind: 'InfisicalSecret',
    });
    await createWorld(api, [resource], { now: new Date() });
    // The sync resource is learned from a watch.
    await vi.waitFor(async () => {
      const { message } = await tryPod(api, namespace, podAsking('db'));
      expect(message).toContain("InfisicalSecret 'sync'");
    }, CEILING);
    const before = await refusals(served);
    const create = kubectl(['create', '-f', '-'], pod('waits', 'db'));
    // It was refused at least once before the Secret comes.
    await vi.waitFor(async () => expect(await refusals(served)).toBeGreaterThan(before), CEILING);
    await makeSecret(api, namespace, 'db');
    expect(await create).toMatchObject({ code: 0, stdout: 'pod/waits created\n' });
  });

  test('says at once what is wrong with a Secret that nobody will bring', async () => {
    const { code, stderr } = await kubectl(['create', '-f', '-'], pod('refused', 'not-there'));
    expect(code).toBe(1);
    expect(stderr).toContain("FLOE-E801: Secret 'not-there' ");
  });

  test('debugs a pod whose Secrets are gone', async () => {
    await makeSecret(api, namespace, 'short-lived');
    expect(await kubectl(['create', '-f', '-'], pod('sick', 'short-lived'))).toMatchObject({ code: 0 });
    await api.request('DELETE', `/api/v1/namespaces/${namespace}/secrets/short-lived`);
    const debug = ['debug', 'sick', '-n', namespace, '--image=busybox', '--attach=false', '-c', 'debugger'];
    expect(await kubectl(debug, '')).toMatchObject({ code: 0 });
    const debugged = await api.request(`GET`, `/api/v1/namespaces/${namespace}/pods/sick`);
    expect(debugged).toMatchObject({ spec: { ephemeralContainers: [{ name: 'debugger' }] } });
  });
});

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function kubectl(args: readonly string[], input: string): Promise<Run> {
  const { path = '' } = findTool('kubectl');
  const child = execFile(path, ['--kubeconfig', cluster?.kubeconfig ?? '', ...args]);
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
  child.stdin?.end(input);
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

/** How often the webhook said 429, by its own count. */
async function refusals({ webhook }: Served): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${webhook.opsPort}/metrics`);
  const lines = (await response.text()).split('\n');
  const counted = lines.filter(
    (line) => line.startsWith('floe_secrets_admission_requests_total') && line.includes('FLOE-E803'),
  );
  return counted.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
