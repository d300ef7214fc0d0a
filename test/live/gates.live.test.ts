/** Pods that wait behind a gate, with the controllers that make them: who starts when, and who is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { asArray, dig, text } from '../../src/kube/json.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { infisicalSecret } from '../stories/infisical-objects.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';
import { makeSecret, podAsking, startServed, tryPod } from './served.ts';
import type { Served } from './served.ts';
import { createWorld } from './world.ts';

const CEILING = { timeout: 90_000, interval: 50 };
const INJECT = { annotations: { 'secrets.floe.dev/inject': 'db' } };
const GATED = { schedulingGates: [{ name: 'secrets.floe.dev/pending' }] };

describe.skipIf(!needs('controllers'))('gates', () => {
  let plane: ControlPlane;
  let served: Served;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, tokens: [WEBHOOK] });
    await prepareCluster(plane);
    served = await startServed(plane, {
      name: 'gates',
      kubeconfig: plane.kubeconfigFor(WEBHOOK.token),
      config: { pending: { gateTimeout: '3s' } },
    });
  });
  afterAll(async () => {
    await served?.stop();
    await plane?.stop();
  });

  const pods = async (namespace: string): Promise<readonly unknown[]> =>
    asArray(dig(await plane.request('GET', `/api/v1/namespaces/${namespace}/pods`), 'items'));
  const specs = async (namespace: string) => (await pods(namespace)).map((pod) => dig(pod, 'spec'));
  const waits = async (namespace: string, count: number): Promise<void> =>
    vi.waitFor(async () => {
      expect(await specs(namespace)).toEqual(
        Array.from({ length: count }, () => expect.objectContaining(GATED)),
      );
    }, CEILING);
  const runs = async (namespace: string, count: number): Promise<void> =>
    vi.waitFor(async () => {
      const phases = (await pods(namespace)).map((pod) => text(dig(pod, 'status'), 'phase'));
      expect(phases).toEqual(Array.from({ length: count }, () => 'Running'));
    }, CEILING);
  const events = async (namespace: string) =>
    asArray(dig(await plane.request('GET', `/api/v1/namespaces/${namespace}/events`), 'items'))
      .filter((event) => text(dig(event, 'source'), 'component') === 'floe-secrets-webhook')
      .map((event) => `${text(dig(event, 'involvedObject'), 'kind')} ${text(event, 'reason')}`);

  /** A namespace whose Secret `db` is still to come. */
  const waiting = async (pending = 'gate'): Promise<string> => {
    const namespace = await served.namespace({ 'secrets.floe.dev/pending': pending });
    if (pending === 'gate') await claim(namespace);
    return namespace;
  };
  const claim = async (namespace: string): Promise<void> => {
    const sync = { name: 'sync', namespace, target: 'db', status: 'none', kind: 'InfisicalSecret' };
    await createWorld(plane, [infisicalSecret(sync)], { now: new Date() });
  };
  const make = async (namespace: string, kind: string, spec: object): Promise<unknown> => {
    const [group, plural] = kind === 'Job' ? ['batch', 'jobs'] : ['apps', `${kind.toLowerCase()}s`];
    return plane.request('POST', `/apis/${group}/v1/namespaces/${namespace}/${plural}`, {
      metadata: { name: 'dbt' },
      spec: { template: { metadata: { labels: { app: 'dbt' }, ...INJECT }, spec: POD }, ...spec },
    });
  };
  /** That its Secret is on its way is learned from a watch; until then the pod is refused. */
  const createPod = async (namespace: string): Promise<void> => {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    await vi.waitFor(async () => plane.request('POST', path, podAsking('db')), CEILING);
  };
  const POD = { containers: [{ name: 'dbt', image: 'dbt' }] };
  const selector = { matchLabels: { app: 'dbt' } };

  test.each([
    ['Deployment', { replicas: 2, selector }, 2],
    ['StatefulSet', { replicas: 2, selector, serviceName: 'dbt', podManagementPolicy: 'Parallel' }, 2],
    ['DaemonSet', { selector }, 1],
    ['Job', { template: { metadata: INJECT, spec: { ...POD, restartPolicy: 'Never' } } }, 1],
  ] as const)(
    'the pods of a %s wait, and start by themselves when the Secret comes',
    async (kind, spec, count) => {
      const namespace = await waiting();
      await make(namespace, kind, spec);
      await waits(namespace, count);
      await vi.waitFor(async () => expect(await events(namespace)).toContain('Pod SecretsPending'), CEILING);
      await makeSecret(plane, namespace, 'db', { PASSWORD: 'in the end' });
      await vi.waitFor(async () => {
        for (const pod of await pods(namespace)) {
          expect(dig(pod, 'spec', 'schedulingGates')).toBeUndefined();
          expect(dig(pod, 'metadata', 'annotations', 'secrets.floe.dev/versions')).toMatch(/^db=\d+$/);
          const name = text(dig(pod, 'metadata'), 'name') ?? '';
          expect(plane.kubelet?.effectiveEnv(namespace, name, 'dbt')).toMatchObject({
            PASSWORD: 'in the end',
          });
        }
      }, CEILING);
      await vi.waitFor(async () => expect(await events(namespace)).toContain('Pod SecretsReady'), CEILING);
    },
  );

  test('a pod waits for a Secret that nothing claims yet, where its namespace says so', async () => {
    const namespace = await waiting('gate-missing');
    await createPod(namespace);
    await waits(namespace, 1);
    await claim(namespace);
    await sleep(500);
    await waits(namespace, 1);
    await makeSecret(plane, namespace, 'db');
    await runs(namespace, 1);
  });

  test('a pod that has its node already is refused', async () => {
    const namespace = await waiting();
    const placed = podAsking('db', { nodeName: 'somewhere' });
    await vi.waitFor(
      async () =>
        expect(await tryPod(plane, namespace, placed, '')).toMatchObject({ allowed: false, code: 429 }),
      CEILING,
    );
  });

  test('a gate that stays closed is told of, and stays closed', async () => {
    const namespace = await waiting();
    await createPod(namespace);
    await vi.waitFor(async () => expect(await events(namespace)).toContain('Pod SecretsOverdue'), CEILING);
    const metrics = await (await fetch(`http://127.0.0.1:${served.webhook.opsPort}/metrics`)).text();
    await waits(namespace, 1);
    await vi.waitFor(async () => {
      const now = await (await fetch(`http://127.0.0.1:${served.webhook.opsPort}/metrics`)).text();
      expect(now).toContain(`floe_secrets_gated_pods{namespace="${namespace}",overdue="true"} 1`);
    }, CEILING);
    expect(metrics).toContain('floe_secrets_gates_opened_total');
  });

  test.each([
    ['asks for gates no more', { annotations: { 'secrets.floe.dev/pending': 'deny' } }],
    ['is strict no more', { labels: { 'secrets.floe.dev/enforcement': 'warn' } }],
    ['takes part no more', { labels: { 'secrets.floe.dev/injection': null } }],
  ])('gates are opened where the namespace %s', async (_what, metadata) => {
    const namespace = await waiting();
    await createPod(namespace);
    await waits(namespace, 1);
    await plane.request('PATCH', `/api/v1/namespaces/${namespace}`, { metadata });
    await vi.waitFor(async () => {
      expect(await specs(namespace)).toEqual([
        expect.not.objectContaining({ schedulingGates: expect.anything() }),
      ]);
    }, CEILING);
  });
});
