/** Controllers of their own, and Secrets of two namespaces alone: each part with the permissions that are left to it. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { asArray, dig } from '../../src/kube/json.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { run as runUninstall } from '../../src/cli/uninstall.ts';
import { captured } from '../cli/captured.ts';
import { inventory, kindsOfChart } from '../e2e/inventory.ts';
import { needs } from '../needs.ts';
import { infisicalSecret } from '../stories/infisical-objects.ts';
import { FOREIGN_KINDS, helm } from './chart.ts';
import { HOME, SERVICE } from './cluster.ts';
import { JOBS, LENIENT_JOBS, install, policies } from './installation.ts';
import type { Installation } from './installation.ts';
import { makeSecret, podAsking, tryPod } from './served.ts';
import { createWorld } from './world.ts';

const CONTROLLERS = `${SERVICE}-controllers`;
const ELSEWHERE = 'floe-elsewhere';
const CEILING = { timeout: 60_000, interval: 100 };

describe.skipIf(!needs('apiserver') || !needs('helm'))('an installation in two parts', () => {
  let installation: Installation;
  let plane: ControlPlane;

  beforeAll(async () => {
    const permissions = `controllers.separate=true,rbac.secretNamespaces={${JOBS},${LENIENT_JOBS}}`;
    const metrics = ['serviceMonitor', 'prometheusRule', 'dashboard'].map(
      (one) => `metrics.${one}.enabled=true`,
    );
    installation = await install({
      values: ['--set', permissions, '--set', metrics.join(',')],
      kinds: FOREIGN_KINDS,
      controlPlane: () => ({ controllers: false }),
    });
    plane = installation.plane;
    // The certificate that the others wait for is the leader's to make.
    await installation.start({ account: CONTROLLERS, env: await environmentOf(CONTROLLERS), serving: false });
    const env = await environmentOf(SERVICE);
    await installation.start({ env });
    await installation.start({ env });
  });
  afterAll(() => installation?.stop());

  /** What the chart's Deployment says to its pods. */
  const environmentOf = async (deployment: string): Promise<Readonly<Record<string, string>>> => {
    const path = `/apis/apps/v1/namespaces/${HOME}/deployments/${deployment}`;
    const { spec } = await plane.request<DeploymentObject>('GET', path);
    const env = spec.template.spec.containers.flatMap((container) => container.env);
    return Object.fromEntries(env.map(({ name, value = '' }) => [name, value]));
  };
  const may = async (account: string, verb: string, what: ResourceAttributes): Promise<boolean> => {
    const { status } = await plane.request<{ readonly status: { readonly allowed: boolean } }>(
      'POST',
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      {
        spec: {
          user: `system:serviceaccount:${HOME}:${account}`,
          resourceAttributes: { verb, ...what },
        },
      },
    );
    return status.allowed;
  };

  test('is closed by its controllers, and judges with its replicas', async () => {
    await installation.untilClosed();
    expect(await policies(plane)).toMatchObject({ mutate: 'Fail', validate: 'Fail' });
    await installation.underLoad();
    const [controllers, ...replicas] = installation.replicas;
    expect(controllers?.log()).toContain('"leading"');
    for (const replica of replicas) expect(replica.log()).not.toContain('"leading"');
    for (const { log } of installation.replicas) expect(log()).not.toContain('forbidden');
  });

  test('opens gates, which only its controllers may', async () => {
    const waits = { name: 'sync', namespace: JOBS, target: 'soon', status: 'none', kind: 'InfisicalSecret' };
    await createWorld(plane, [infisicalSecret(waits)], { now: new Date() });
    const annotations = { 'secrets.floe.dev/inject': 'soon', 'secrets.floe.dev/pending': 'gate' };
    const pods = `/api/v1/namespaces/${JOBS}/pods`;
    const pod = { ...podAsking(''), metadata: { name: 'waits', annotations } };
    const gates = async (): Promise<number> =>
      asArray(dig(await plane.request('GET', `${pods}/waits`), 'spec', 'schedulingGates')).length;
    // The sync resource is learned from a watch.
    await vi.waitFor(() => plane.request('POST', pods, pod), CEILING);
    expect(await gates()).toBe(1);
    await makeSecret(plane, JOBS, 'soon');
    await vi.waitFor(async () => expect(await gates()).toBe(0), CEILING);
    const podsOfJobs = { resource: 'pods', namespace: JOBS };
    expect([await may(CONTROLLERS, 'patch', podsOfJobs), await may(SERVICE, 'patch', podsOfJobs)]).toEqual([
      true,
      false,
    ]);
  });

  test('refuses pods of a namespace whose Secrets it may not read, and says what it lacks', async () => {
    const labels = { 'secrets.floe.dev/injection': 'enabled' };
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name: ELSEWHERE, labels } });
    await makeSecret(plane, ELSEWHERE, 'db');
    await vi.waitFor(async () => {
      const { allowed, message } = await tryPod(plane, ELSEWHERE, podAsking('db'));
      expect(allowed).toBe(false);
      expect(message).toContain('FLOE-E821');
      expect(message).toContain(`get secrets`);
      expect(message).toContain(ELSEWHERE);
    }, CEILING);
    for (const account of [SERVICE, CONTROLLERS]) {
      const secrets = { resource: 'secrets', name: 'db' };
      expect(await may(account, 'get', { ...secrets, namespace: JOBS })).toBe(true);
      expect(await may(account, 'get', { ...secrets, namespace: ELSEWHERE })).toBe(false);
      expect(await may(account, 'list', { ...secrets, namespace: JOBS })).toBe(false);
    }
  });

  test('leaves nothing of its many kinds behind', async () => {
    const kinds = await kindsOfChart(plane.kubeconfig);
    const ours = async (): Promise<readonly string[]> =>
      (await inventory(plane, kinds)).filter((name) => name.includes(SERVICE));
    expect(new Set((await ours()).map((name) => name.split(' ')[0])).size).toBeGreaterThan(15);
    for (const replica of installation.replicas.slice()) await installation.end(replica);
    // The hook is a Job, which nothing runs here; the command is what it runs.
    await captured(runUninstall, { kubeconfig: plane.kubeconfig, name: SERVICE });
    await helm(plane.kubeconfig, 'uninstall', SERVICE, '-n', HOME, '--no-hooks');
    expect(await ours()).toEqual([]);
  });
});

interface ResourceAttributes {
  readonly resource: string;
  readonly namespace: string;
  readonly name?: string;
}

interface DeploymentObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly env: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
}
