/** Controllers make the pods, the kubelet stand-in starts them: what becomes of workloads in the end. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { asArray, dig, text } from '../../src/kube/json.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { infisicalSecret } from '../stories/infisical-objects.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';
import { makeSecret, startServed } from './served.ts';
import type { Served } from './served.ts';
import { createWorld } from './world.ts';

const CEILING = { timeout: 90_000, interval: 100 };
const INJECT = 'secrets.floe.dev/inject';

describe.skipIf(!needs('controllers'))('a cluster with controllers', () => {
  let plane: ControlPlane;
  let served: Served;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, tokens: [WEBHOOK] });
    await prepareCluster(plane);
    served = await startServed(plane, {
      name: 'controllers',
      kubeconfig: plane.kubeconfigFor(WEBHOOK.token),
    });
  });
  afterAll(async () => {
    await served?.stop();
    await plane?.stop();
  });

  const deploy = (
    namespace: string,
    name: string,
    template: Record<string, unknown> = {},
  ): Promise<unknown> =>
    plane.request('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, {
      metadata: { name },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name }, ...template },
          spec: { containers: [{ name: 'dbt', image: 'dbt' }] },
        },
      },
    });

  const podsOf = async (namespace: string): Promise<readonly unknown[]> =>
    asArray(dig(await plane.request('GET', `/api/v1/namespaces/${namespace}/pods`), 'items'));

  const environments = async (namespace: string): Promise<readonly unknown[]> => {
    const names = (await podsOf(namespace)).map((pod) => text(dig(pod, 'metadata'), 'name') ?? '');
    return names.map((name) => plane.kubelet?.effectiveEnv(namespace, name, 'dbt'));
  };

  test("a Deployment's pods start with what its template asks for", async () => {
    const namespace = await served.namespace();
    await makeSecret(plane, namespace, 'db', { PASSWORD: 'from-the-secret' });
    await deploy(namespace, 'dbt', { annotations: { [INJECT]: 'db' } });
    await vi.waitFor(async () => {
      const started = expect.objectContaining({ PASSWORD: 'from-the-secret' });
      expect(await environments(namespace)).toEqual([started, started]);
    }, CEILING);
  });

  test("a Deployment's pods start with what the namespace asks for", async () => {
    const namespace = await served.namespace({ [INJECT]: 'DB_=db' });
    await makeSecret(plane, namespace, 'db', { PASSWORD: 'from-the-secret' });
    await deploy(namespace, 'dbt');
    await vi.waitFor(async () => {
      const started = expect.objectContaining({ DB_PASSWORD: 'from-the-secret' });
      expect(await environments(namespace)).toEqual([started, started]);
    }, CEILING);
  });

  test('a Deployment whose pods are refused says why, and recovers when the Secret comes', async () => {
    const namespace = await served.namespace();
    const resource = infisicalSecret({
      name: 'sync',
      namespace,
      target: 'db',
      status: 'failing',
      kind: 'InfisicalSecret',
    });
    await createWorld(plane, [resource], { now: new Date() });
    await deploy(namespace, 'dbt', { annotations: { [INJECT]: 'db' } });
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/dbt`;
    await vi.waitFor(async () => {
      const conditions = JSON.stringify(dig(await plane.request('GET', path), 'status', 'conditions'));
      expect(conditions).toContain("FLOE-E803: Secret 'db'");
      expect(conditions).toContain("InfisicalSecret 'sync'");
    }, CEILING);
    expect(await podsOf(namespace)).toEqual([]);
    await makeSecret(plane, namespace, 'db', { PASSWORD: 'late' });
    await vi.waitFor(async () => {
      const started = expect.objectContaining({ PASSWORD: 'late' });
      expect(await environments(namespace)).toEqual([started, started]);
    }, CEILING);
  });

  test("a CronJob's annotations reach the pods of its Jobs", async () => {
    const namespace = await served.namespace();
    await makeSecret(plane, namespace, 'db', { PASSWORD: 'nightly' });
    const cronJob = await plane.request('POST', `/apis/batch/v1/namespaces/${namespace}/cronjobs`, {
      metadata: { name: 'nightly', annotations: { [INJECT]: 'db' } },
      spec: { schedule: '0 3 1 1 *', suspend: true, jobTemplate: { spec: { template: JOB_POD } } },
    });
    // What `kubectl create job --from=cronjob/nightly` does.
    const owner = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      name: 'nightly',
      uid: dig(cronJob, 'metadata', 'uid'),
      controller: true,
    };
    await plane.request('POST', `/apis/batch/v1/namespaces/${namespace}/jobs`, {
      metadata: { name: 'nightly-1', ownerReferences: [owner] },
      spec: { template: JOB_POD },
    });
    await vi.waitFor(async () => {
      expect(await environments(namespace)).toEqual([expect.objectContaining({ PASSWORD: 'nightly' })]);
    }, CEILING);
  });

  test('imagePullSecrets of the ServiceAccount are no reference of the pod', async () => {
    const namespace = await served.namespace({ 'secrets.floe.dev/allowed-secrets': 'db' });
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
    await vi.waitFor(async () => {
      await plane.request('PATCH', account, { imagePullSecrets: [{ name: 'registry' }] });
    }, CEILING);
    await makeSecret(plane, namespace, 'db');
    await vi.waitFor(async () => {
      const pod = { metadata: { generateName: 'p-' }, spec: { containers: [{ name: 'dbt', image: 'dbt' }] } };
      const created = await plane.request('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
      expect(created).toMatchObject({ spec: { imagePullSecrets: [{ name: 'registry' }] } });
    }, CEILING);
  });
});

const JOB_POD = { spec: { restartPolicy: 'Never', containers: [{ name: 'dbt', image: 'dbt' }] } };
