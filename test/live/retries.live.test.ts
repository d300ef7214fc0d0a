/** Refused pods without gates: their owners try again as soon as the Secret comes, whatever their back-off. */
import { setTimeout as sleep } from 'node:timers/promises';
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

const CEILING = { timeout: 120_000, interval: 50 };
const INJECT = { annotations: { 'secrets.floe.dev/inject': 'db' } };
const POD = { containers: [{ name: 'dbt', image: 'dbt' }] };
const selector = { matchLabels: { app: 'dbt' } };
const apps = { group: 'apps', selector };

const KINDS = [
  { kind: 'Deployment', plural: 'deployments', touched: 'replicasets', spec: { replicas: 2 }, ...apps },
  {
    kind: 'StatefulSet',
    plural: 'statefulsets',
    touched: 'statefulsets',
    spec: { replicas: 1, serviceName: 'dbt' },
    ...apps,
  },
  { kind: 'DaemonSet', plural: 'daemonsets', touched: 'daemonsets', spec: {}, ...apps },
  { kind: 'Job', plural: 'jobs', touched: 'jobs', spec: {}, group: 'batch', selector: undefined },
] as const;

describe.skipIf(!needs('controllers'))('owners of refused pods', () => {
  let plane: ControlPlane;
  let served: Served;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, tokens: [WEBHOOK] });
    await prepareCluster(plane);
    served = await startServed(plane, { name: 'retries', kubeconfig: plane.kubeconfigFor(WEBHOOK.token) });
  });
  afterAll(async () => {
    await served?.stop();
    await plane?.stop();
  });

  const listed = async (path: string): Promise<readonly unknown[]> =>
    asArray(dig(await plane.request('GET', path), 'items'));
  const refusals = async (namespace: string): Promise<number> => {
    const events = await listed(`/api/v1/namespaces/${namespace}/events?fieldSelector=reason%3DFailedCreate`);
    return Math.max(0, ...events.map((event) => Number(dig(event, 'count') ?? 1)));
  };

  test.each(
    KINDS.flatMap((one) => [[one.kind, 'failing', one] as const, [one.kind, 'missing', one] as const]),
  )(
    'a %s tries at once when its %s Secret comes',
    async (_kind, state, { kind, group, plural, touched, spec, selector: labels }) => {
      const namespace = await served.namespace();
      if (state === 'failing') {
        const sync = { name: 'sync', namespace, target: 'db', status: 'failing', kind: 'InfisicalSecret' };
        await createWorld(plane, [infisicalSecret(sync)], { now: new Date() });
      }
      const isJob = kind === 'Job';
      await plane.request('POST', `/apis/${group}/v1/namespaces/${namespace}/${plural}`, {
        metadata: { name: 'dbt' },
        spec: {
          ...spec,
          ...(labels === undefined ? {} : { selector: labels }),
          template: {
            metadata: { labels: { app: 'dbt' }, ...INJECT },
            spec: { ...POD, ...(isJob ? { restartPolicy: 'Never' } : {}) },
          },
        },
      });
      // Until its back-off is long: then nothing but a touch can bring its pod soon.
      await vi.waitFor(
        async () => expect(await refusals(namespace)).toBeGreaterThanOrEqual(isJob ? 4 : 11),
        CEILING,
      );
      expect(await listed(`/api/v1/namespaces/${namespace}/pods`)).toEqual([]);
      await makeSecret(plane, namespace, 'db', { PASSWORD: 'late' });
      await vi.waitFor(async () => {
        expect((await listed(`/api/v1/namespaces/${namespace}/pods`)).length).toBeGreaterThan(0);
      }, CEILING);
      const owners = await vi.waitFor(async () => {
        const found = await listed(`/apis/${group}/v1/namespaces/${namespace}/${touched}`);
        const touches = found.map((owner) =>
          text(dig(owner, 'metadata', 'annotations'), 'secrets.floe.dev/retry'),
        );
        expect(touches).toEqual([expect.stringMatching(/^\d{4}-/)]);
        return found;
      }, CEILING);
      // It is in no template, so nothing rolls.
      expect(JSON.stringify(owners.map((owner) => dig(owner, 'spec')))).not.toContain(
        'secrets.floe.dev/retry',
      );
    },
  );

  test('are left alone where the Event that names them is forged', async () => {
    const namespace = await served.namespace();
    await makeSecret(plane, namespace, 'db');
    const owner = await plane.request('POST', `/apis/apps/v1/namespaces/${namespace}/statefulsets`, {
      metadata: { name: 'calm' },
      spec: {
        replicas: 0,
        serviceName: 'x',
        selector,
        template: { metadata: { labels: selector.matchLabels }, spec: POD },
      },
    });
    const message = 'denied: admission webhook "validate.secrets.floe.dev" denied the request: FLOE-E803: x';
    const forged = (name: string, uid: unknown) => ({
      metadata: { generateName: 'forged-', namespace },
      involvedObject: { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace, name, uid },
      reason: 'FailedCreate',
      type: 'Warning',
      message,
      count: 1,
      lastTimestamp: new Date().toISOString(),
    });
    const path = `/api/v1/namespaces/${namespace}/events`;
    await plane.request('POST', path, forged('calm', '11111111-1111-4111-8111-111111111111'));
    await plane.request('POST', path, forged('../../secrets', dig(owner, 'metadata', 'uid')));
    await sleep(2_000);
    const after = await plane.request('GET', `/apis/apps/v1/namespaces/${namespace}/statefulsets/calm`);
    expect(dig(after, 'metadata', 'annotations')).toBeUndefined();
    expect(served.webhook.child.exitCode).toBeNull();
  });
});
