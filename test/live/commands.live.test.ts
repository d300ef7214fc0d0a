/** Commands over a cluster whose controllers make pods: what people see, and what becomes of what they do. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { run as exporting } from '../../src/cli/export.ts';
import { run as explain } from '../../src/cli/explain.ts';
import type { Options } from '../../src/cli/options.ts';
import { run as restoring } from '../../src/cli/restore.ts';
import { run as restart } from '../../src/cli/restart.ts';
import { run as scan } from '../../src/cli/scan.ts';
import { run as usage } from '../../src/cli/usage.ts';
import { asArray, dig, text } from '../../src/kube/json.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import type { Outcome } from '../cli/captured.ts';
import { captured, folderOf } from '../cli/captured.ts';
import { needs } from '../needs.ts';
import { infisicalSecret } from '../stories/infisical-objects.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';
import { makeSecret, startServed } from './served.ts';
import type { Served } from './served.ts';
import { createWorld } from './world.ts';

const CEILING = { timeout: 90_000, interval: 200 };
const INJECT = 'secrets.floe.dev/inject';
const reader = { token: 'reader-token', user: 'reader', groups: [] };

type Run = Parameters<typeof captured>[0];

/** Times in managedFields have whole seconds, and data of a pod's own second may be newer than the pod. */
async function anotherSecond(): Promise<void> {
  await new Promise((done) => setTimeout(done, 1_100));
}

describe.skipIf(!needs('controllers'))('commands', () => {
  let plane: ControlPlane;
  let served: Served;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, tokens: [WEBHOOK, reader] });
    await prepareCluster(plane);
    served = await startServed(plane, { name: 'commands', kubeconfig: plane.kubeconfigFor(WEBHOOK.token) });
  });
  afterAll(async () => {
    await served?.stop();
    await plane?.stop();
  });

  const command = async (run: Run, options: Options): Promise<Outcome> =>
    captured(run, { kubeconfig: plane.kubeconfig, ...options });

  const deploy = async (namespace: string, name: string, secret: string): Promise<unknown> =>
    plane.request('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, {
      metadata: { name },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name }, annotations: { [INJECT]: secret } },
          spec: { containers: [{ name: 'dbt', image: 'dbt' }] },
        },
      },
    });

  const podsOf = async (namespace: string): Promise<readonly unknown[]> =>
    asArray(dig(await plane.request('GET', `/api/v1/namespaces/${namespace}/pods`), 'items'));

  const runningPods = async (namespace: string, count: number): Promise<readonly unknown[]> =>
    vi.waitFor(async () => {
      const pods = (await podsOf(namespace)).filter((pod) => dig(pod, 'status', 'phase') === 'Running');
      expect(pods).toHaveLength(count);
      return pods;
    }, CEILING);

  const nameOf = (object: unknown): string => text(dig(object, 'metadata'), 'name') ?? '';

  test('explain tells why the pods of a Deployment never came to be, with what its controller was told', async () => {
    const namespace = await served.namespace();
    await deploy(namespace, 'dbt', 'not-there');
    const told = await vi.waitFor(async () => {
      const outcome = await command(explain, { pod: 'deployment/dbt', namespace });
      expect(outcome.out).toContain("The controller's last refusal:");
      return outcome;
    }, CEILING);
    expect(told.code).toBe(5);
    expect(told.out).toContain(`Deployment ${namespace}/dbt: its pods are refused (strict)`);
    expect(told.out).toMatch(/FLOE-E801: Secret 'not-there' not found/);
    expect(told.out).toMatch(/admission webhook ".*" denied the request: FLOE-E801/);
    // A pod's name is all that somebody may know.
    const guessed = await command(explain, { pod: 'dbt-7f9c4-x2x2x', namespace });
    expect(guessed.err).toContain("explaining Deployment 'dbt'");
  });

  test('usage finds the pods that run an older version, and restart rolls them', async () => {
    const namespace = await served.namespace();
    await makeSecret(plane, namespace, 'db', { PASSWORD: 'old' });
    await anotherSecond();
    await deploy(namespace, 'dbt', 'db');
    const [before] = await runningPods(namespace, 1);
    const freshness = async (): Promise<unknown> => {
      const { out } = await command(usage, { secret: 'db', namespace, output: 'json' });
      const { items } = JSON.parse(out) as { readonly items: readonly Record<string, unknown>[] };
      return items.filter(({ kind }) => kind === 'Pod').map((pod) => pod['freshness']);
    };
    expect(await freshness()).toEqual(['current']);

    // Another's write of metadata changes no value.
    await anotherSecond();
    const secret = `/api/v1/namespaces/${namespace}/secrets/db`;
    await plane.request('PATCH', `${secret}?fieldManager=labeller`, {
      metadata: { labels: { touched: 'yes' } },
    });
    expect(await freshness()).toEqual(['current']);
    await plane.request('PATCH', secret, { stringData: { PASSWORD: 'new' } });
    expect(await freshness()).toEqual(['older']);

    const dry = await command(restart, { secret: 'db', namespace, dryRun: true });
    expect(dry.out).toMatch(/\nDeployment +dbt +would restart +-\n/);
    expect((await podsOf(namespace)).map(nameOf)).toEqual([nameOf(before)]);

    // A webhook believes a present Secret for secrets.cacheTtl, and writes on the pod which version it believes in.
    await new Promise((done) => setTimeout(done, 6_000));
    const rolled = await command(restart, { secret: 'db', namespace });
    expect([rolled.code, rolled.out]).toEqual([
      0,
      expect.stringMatching(/\nDeployment +dbt +restarted +-\n/),
    ]);
    await vi.waitFor(async () => expect(await freshness()).toEqual(['current']), CEILING);
    expect((await podsOf(namespace)).map(nameOf)).not.toContain(nameOf(before));
    const deployment = await plane.request('GET', `/apis/apps/v1/namespaces/${namespace}/deployments/dbt`);
    expect(dig(deployment, 'spec', 'template', 'metadata', 'annotations')).toMatchObject({
      [INJECT]: 'db',
      'secrets.floe.dev/restartedAt': expect.any(String) as unknown,
    });
  });

  test('scan tells what strict refuses, and the pods that came while the webhook was away', async () => {
    const namespace = await served.namespace();
    await makeSecret(plane, namespace, 'db');
    await deploy(namespace, 'good', 'db');
    await deploy(namespace, 'bad', 'not-there');
    await runningPods(namespace, 1);
    // As if the webhook had been away: a pod that asks, made while the namespace is out.
    const label = async (injection: string | null): Promise<unknown> =>
      plane.request('PATCH', `/api/v1/namespaces/${namespace}`, {
        metadata: { labels: { 'secrets.floe.dev/injection': injection } },
      });
    await label(null);
    const pod = {
      metadata: { generateName: 'missed-', annotations: { [INJECT]: 'db' } },
      spec: { containers: [{ name: 'dbt', image: 'dbt' }] },
    };
    const path = `/api/v1/namespaces/${namespace}/pods`;
    await vi.waitFor(async () => {
      const tried = await plane.request('POST', `${path}?dryRun=All`, pod);
      expect(dig(asArray(dig(tried, 'spec', 'containers'))[0], 'envFrom')).toBeUndefined();
    }, CEILING);
    await plane.request('POST', path, pod);
    await label('enabled');
    const { out, code } = await command(scan, { namespace, output: 'json' });
    expect(code).toBe(5);
    const { items } = JSON.parse(out) as { readonly items: readonly Record<string, unknown>[] };
    const of = (name: string): unknown => items.find((item) => String(item['name']).startsWith(name));
    expect(of('good')).toMatchObject({ kind: 'Deployment', allowed: true, mode: 'strict' });
    expect(of('bad')).toMatchObject({
      kind: 'Deployment',
      allowed: false,
      findings: [{ code: 'FLOE-E801' }],
    });
    expect(of('missed-')).toMatchObject({ kind: 'Pod', missed: true, findings: [{ code: 'FLOE-E807' }] });
    expect(out).not.toContain('ReplicaSet');
  });

  test('what export writes is brought back by restore', async () => {
    const namespace = await served.namespace({ [INJECT]: 'db' });
    await createWorld(
      plane,
      [infisicalSecret({ name: 'sync', namespace, target: 'db', status: 'none', kind: 'InfisicalSecret' })],
      { now: new Date() },
    );
    const exported = await command(exporting, { namespace });
    expect([exported.code, exported.err]).toEqual([0, '']);
    const cwd = folderOf({ 'wiring.yaml': exported.out });
    const restore = async (more: Options = {}): Promise<readonly (readonly unknown[])[]> => {
      const options = { kubeconfig: plane.kubeconfig, files: ['wiring.yaml'], output: 'json', ...more };
      const { out, code } = await captured(restoring, options, { cwd });
      expect(code).toBe(0);
      const { items } = JSON.parse(out) as { readonly items: readonly Record<string, unknown>[] };
      return items.map(({ kind, change }) => [kind, change]);
    };
    const same = [
      ['Namespace', 'none'],
      ['InfisicalSecret', 'none'],
    ];
    expect(await restore({ dryRun: true })).toEqual(same);

    const sync = `/apis/secrets.infisical.com/v1alpha1/namespaces/${namespace}/infisicalsecrets/sync`;
    const spec = dig(await plane.request('GET', sync), 'spec');
    await plane.request('DELETE', sync);
    await plane.request('PATCH', `/api/v1/namespaces/${namespace}`, {
      metadata: { annotations: { [INJECT]: null } },
    });
    const lost = [
      ['Namespace', 'change'],
      ['InfisicalSecret', 'create'],
    ];
    expect(await restore({ dryRun: true })).toEqual(lost);
    expect((await plane.send('GET', sync)).status).toBe(404);
    expect(await restore()).toEqual(lost);
    expect(dig(await plane.request('GET', sync), 'spec')).toEqual(spec);
    expect(await restore()).toEqual(same);

    // What somebody else wrote since is theirs, until it is taken over.
    await plane.request('PATCH', `/api/v1/namespaces/${namespace}`, {
      metadata: { annotations: { [INJECT]: 'other' } },
    });
    const kept = await captured(restoring, { kubeconfig: plane.kubeconfig, files: ['wiring.yaml'] }, { cwd });
    expect(kept.code).toBe(1);
    expect(kept.out).toMatch(
      /\nNamespace .* failed +others have written it differently: --force takes over\n/,
    );
    expect(await restore({ force: true })).toEqual([
      ['Namespace', 'change'],
      ['InfisicalSecret', 'none'],
    ]);
  });

  test('who may not list is told what is missing', async () => {
    const namespace = await served.namespace();
    const options = { kubeconfig: plane.kubeconfigFor(reader.token), namespace };
    const scanned = await command(scan, options);
    expect(scanned.code).toBe(4);
    expect(scanned.err).toMatch(
      new RegExp(`cannot list [^;]*\\bpods\\b[^;]* in namespace ${namespace} \\(RBAC\\)`),
    );
    const everywhere = await command(scan, { kubeconfig: options.kubeconfig });
    expect(everywhere.err).toContain('cannot list namespaces (RBAC); name one with -n');
    expect((await command(explain, { ...options, pod: 'x' })).err).toMatch(/cannot list [^;]*\bpods\b/);
  });
});
