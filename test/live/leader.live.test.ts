/** Two replicas on one cluster: one leads, a killed leader is followed by the other, and a restarted API server by both. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { asArray, dig, text } from '../../src/kube/json.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { infisicalSecret } from '../stories/infisical-objects.ts';
import { startWebhook } from '../stories/webhook-process.ts';
import type { WebhookProcess } from '../stories/webhook-process.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';
import { kubeconfigIn, makeSecret, podAsking, startServed } from './served.ts';
import type { Served } from './served.ts';
import { createWorld } from './world.ts';

const CEILING = { timeout: 90_000, interval: 100 };

describe.skipIf(!needs('controllers'))('replicas', () => {
  let plane: ControlPlane;
  let served: Served;
  let second: WebhookProcess;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, tokens: [WEBHOOK] });
    await prepareCluster(plane);
    const kubeconfig = plane.kubeconfigFor(WEBHOOK.token);
    // The one that the API server calls; the other only stands for election.
    served = await startServed(plane, { name: 'leader', kubeconfig });
    second = await startWebhook({
      config: {},
      authority: await makeAuthority('second'),
      args: ['--kubeconfig', kubeconfigIn(served.home, kubeconfig)],
    });
  });
  afterAll(async () => {
    await served?.stop();
    await second?.stop();
    await plane?.stop();
  });

  const holder = async (): Promise<string> => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${served.home}/leases/floe-secrets-webhook`;
    return text(dig(await plane.request('GET', path), 'spec'), 'holderIdentity') ?? '';
  };
  const gatesIn = async (namespace: string): Promise<readonly unknown[]> =>
    asArray(dig(await plane.request('GET', `/api/v1/namespaces/${namespace}/pods`), 'items')).map(
      (pod) => asArray(dig(pod, 'spec', 'schedulingGates')).length,
    );
  /** A namespace with a pod that waits. */
  const waiting = async (): Promise<string> => {
    const namespace = await served.namespace({ 'secrets.floe.dev/pending': 'gate' });
    const sync = { name: 'sync', namespace, target: 'db', status: 'none', kind: 'InfisicalSecret' };
    await createWorld(plane, [infisicalSecret(sync)], { now: new Date() });
    await vi.waitFor(async () => {
      await plane.request('POST', `/api/v1/namespaces/${namespace}/pods`, podAsking('db'));
    }, CEILING);
    expect(await gatesIn(namespace)).toEqual([1]);
    return namespace;
  };
  const opens = async (namespace: string): Promise<void> => {
    await makeSecret(plane, namespace, 'db');
    await vi.waitFor(async () => expect(await gatesIn(namespace)).toEqual([0]), CEILING);
  };

  test('have one leader, and the other is ready all the same', async () => {
    expect(second.log()).not.toContain('"event":"leading"');
    expect((await fetch(`http://127.0.0.1:${second.opsPort}/readyz`)).status).toBe(200);
    await opens(await waiting());
  });

  test('go on after the API server was away', async () => {
    const namespace = await waiting();
    await plane.restartApiServer();
    await vi.waitFor(async () => expect(await holder()).not.toBe(''), CEILING);
    await opens(namespace);
  });

  test('find another leader when theirs is killed, which opens what still waits', async () => {
    const namespace = await waiting();
    const before = await holder();
    // Either may have come first when the API server was back.
    const leader = [served.webhook, second].find((one) => one.log().includes(before));
    expect(leader?.child.kill('SIGKILL')).toBe(true);
    await vi.waitFor(async () => expect(['', before]).not.toContain(await holder()), CEILING);
    await opens(namespace);
  });
});
