/** Refused pods beside healthy ones: their controllers' workers must not stand in the webhook's door. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { asArray, dig } from '../../src/kube/json.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { infisicalSecret } from '../stories/infisical-objects.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';
import { makeSecret, startServed } from './served.ts';
import type { Served } from './served.ts';
import { createWorld } from './world.ts';

const CEILING = { timeout: 90_000, interval: 10 };
const INJECT = { annotations: { 'secrets.floe.dev/inject': 'db' } };
const BROKEN = 20;
/** A stall of the machine passes; a webhook that holds requests does so each time. */
const ROUNDS = 3;
const MOST_ADDED = 2_000;

/**
 * By default kube-controller-manager asks the API server 20 times a second. That alone delays the Deployment after
 * twenty others by seconds, whoever refuses their pods; where it may ask more, only the webhook could.
 */
const LIMITS = [
  ['as it comes', [], 'what Pod Security refuses'],
  ['that may ask more', ['--kube-api-qps=1000', '--kube-api-burst=1000'], 'none at all'],
] as const;

describe.skipIf(!needs('controllers')).each(LIMITS)('a controller manager %s', (_name, flags, beside) => {
  let plane: ControlPlane;
  let served: Served;

  beforeAll(async () => {
    plane = await startControlPlane({
      controllers: true,
      tokens: [WEBHOOK],
      controllerManagerFlags: flags,
    });
    await prepareCluster(plane);
    served = await startServed(plane, { name: 'crowd', kubeconfig: plane.kubeconfigFor(WEBHOOK.token) });
  });
  afterAll(async () => {
    await served?.stop();
    await plane?.stop();
  });

  const deployments = (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const pods = async (namespace: string): Promise<readonly unknown[]> =>
    asArray(dig(await plane.request('GET', `/api/v1/namespaces/${namespace}/pods`), 'items'));
  const deploy = (namespace: string, name: string): Promise<unknown> =>
    plane.request('POST', deployments(namespace), {
      metadata: { name },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name }, ...INJECT },
          spec: { containers: [{ name: 'dbt', image: 'dbt' }] },
        },
      },
    });
  /** Milliseconds from a Deployment to its pod. */
  const timeToPod = async (): Promise<number> => {
    const namespace = await served.namespace();
    await makeSecret(plane, namespace, 'db');
    await deploy(namespace, 'healthy');
    const began = performance.now();
    await vi.waitFor(async () => expect(await pods(namespace)).toHaveLength(1), CEILING);
    return performance.now() - began;
  };
  /** Deployments whose pods are refused: by the webhook for a failed sync, or by the API server itself. */
  const crowd = async (by: 'webhook' | 'pod security'): Promise<string> => {
    const namespace = await served.namespace();
    if (by === 'webhook') {
      const sync = { name: 'sync', namespace, target: 'db', status: 'failing', kind: 'InfisicalSecret' };
      await createWorld(plane, [infisicalSecret(sync)], { now: new Date() });
    } else {
      await makeSecret(plane, namespace, 'db');
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      await plane.request('PATCH', `/api/v1/namespaces/${namespace}`, { metadata: { labels } });
    }
    for (let index = 0; index < BROKEN; index += 1) await deploy(namespace, `broken-${index}`);
    return namespace;
  };
  const leave = async (namespace: string): Promise<void> => {
    await plane.request('DELETE', deployments(namespace));
    await vi.waitFor(async () => {
      const sets = await plane.request('GET', `/apis/apps/v1/namespaces/${namespace}/replicasets`);
      expect(dig(sets, 'items')).toEqual([]);
    }, CEILING);
  };
  /** Whose pods do not come, and of which the Deployments say so in the webhook's words. */
  const refused = async (namespace: string): Promise<number> =>
    asArray(dig(await plane.request('GET', deployments(namespace)), 'items'))
      .map((one) => JSON.stringify(dig(one, 'status', 'conditions') ?? []))
      .filter((conditions) => conditions.includes("FLOE-E803: Secret 'db'")).length;
  const timeBeside = async (by: 'webhook' | 'pod security'): Promise<number> => {
    const namespace = await crowd(by);
    const time = await timeToPod();
    expect(await pods(namespace)).toEqual([]);
    if (by === 'webhook')
      await vi.waitFor(async () => expect(await refused(namespace)).toBe(BROKEN), CEILING);
    await leave(namespace);
    return time;
  };

  test(`twenty broken Deployments delay a healthy one by no two seconds more than ${beside}`, async () => {
    const added: number[] = [];
    for (let round = 0; round < ROUNDS && !added.some((time) => time < MOST_ADDED); round += 1) {
      const without = flags.length === 0 ? await timeBeside('pod security') : await timeToPod();
      added.push((await timeBeside('webhook')) - without);
    }
    expect(Math.min(...added)).toBeLessThan(MOST_ADDED);
  });
});
