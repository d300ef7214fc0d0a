/** Replicas that come and go, connections that break, an API server that restarts: no admission fails for it. */
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { makeAuthority } from '../../tools/certificates.ts';
import type { Authority } from '../../tools/certificates.ts';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { kubeconfigText } from '../../tools/control-plane/kubeconfig.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { infisicalSecret } from '../stories/infisical-objects.ts';
import { render } from '../stories/rendering.ts';
import { startWebhook } from '../stories/webhook-process.ts';
import type { WebhookProcess } from '../stories/webhook-process.ts';
import { startBalancer, startTunnel } from './balancer.ts';
import type { Balancer } from './balancer.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';
import { startLoad } from './load.ts';
import { register, unregister } from './registration.ts';
import { makeNamespace, makeSecret, podAsking, startServed, tryPod } from './served.ts';
import type { Served } from './served.ts';
import { temporaryFile } from './temporary-file.ts';
import { createWorld } from './world.ts';

const cluster = inject('cluster');
const CEILING = { timeout: 60_000, interval: 50 };

describe.skipIf(!needs('apiserver'))('two replicas', () => {
  let api: ApiClient;
  let balancer: Balancer;
  let authority: Authority;
  const replicas: WebhookProcess[] = [];

  const startReplica = async (): Promise<WebhookProcess> => {
    if (cluster === undefined) throw new Error('no cluster');
    const replica = await startWebhook({
      config: { server: { drain: '2s' } },
      authority,
      args: ['--kubeconfig', cluster.webhookKubeconfig],
    });
    replicas.push(replica);
    balancer.add(replica);
    return replica;
  };

  beforeAll(async () => {
    if (cluster === undefined) throw new Error('no cluster');
    api = makeApiClient(cluster);
    authority = await makeAuthority('replicas');
    balancer = await startBalancer();
    await startReplica();
    await startReplica();
    await register(api, { name: 'replicas', port: balancer.port, ca: authority.certPem });
  });
  afterAll(async () => {
    await unregister(api, 'replicas');
    await Promise.all(replicas.map((replica) => replica.stop()));
    await balancer?.stop();
    await api?.close();
  });

  test('one after the other is replaced under load, and no admission fails', async () => {
    const namespace = await makeNamespace(api, 'replicas');
    await makeSecret(api, namespace, 'db');
    const load = startLoad(api, namespace);
    for (const old of replicas.slice()) {
      await load.atLeast(50);
      await startReplica();
      expect(await old.stop()).toBe(0);
    }
    await load.atLeast(50);
    const { failed, unjudged } = await load.stop();
    expect([failed, unjudged]).toEqual([[], []]);
  });
});

describe.skipIf(!needs('apiserver'))('a webhook that loses its API server', () => {
  let plane: ControlPlane;
  let tunnel: Omit<Balancer, 'add'>;
  let served: Served;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: false, tokens: [WEBHOOK] });
    await prepareCluster(plane);
    tunnel = await startTunnel(Number(new URL(plane.server).port));
    const kubeconfig = temporaryFile(
      kubeconfigText({ server: `https://127.0.0.1:${tunnel.port}`, ca: plane.ca, token: WEBHOOK.token }),
    );
    served = await startServed(plane, { name: 'outage', kubeconfig });
  });
  afterAll(async () => {
    await served?.stop();
    await tunnel?.stop();
    await plane?.stop();
  });

  /** A new sync resource is learned from a watch alone, so what is said of it tells whether the watch lives. */
  const learnsOfNews = async (): Promise<void> => {
    const namespace = await served.namespace();
    const resource = infisicalSecret({
      name: 'news',
      namespace,
      target: 'db',
      status: 'failing',
      kind: 'InfisicalSecret',
    });
    await createWorld(plane, [resource], { now: new Date() });
    await vi.waitFor(async () => {
      const answer = await tryPod(plane, namespace, podAsking('db'));
      expect(answer.message).toContain("InfisicalSecret 'news'");
    }, CEILING);
    await makeSecret(plane, namespace, 'other');
    expect(await tryPod(plane, namespace, podAsking('other'))).toMatchObject({
      allowed: true,
      injected: ['other'],
    });
  };

  test('learns of what is new', learnsOfNews, 90_000);

  test('learns of what is new after its connections broke', async () => {
    tunnel.cut();
    await learnsOfNews();
  });

  test('learns of what is new after the API server restarted', async () => {
    await plane.restartApiServer();
    await learnsOfNews();
  });
});

describe.skipIf(!needs('apiserver'))('a cluster without CRDs', () => {
  let plane: ControlPlane;
  let served: Served;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: false, tokens: [WEBHOOK] });
    await prepareCluster(plane, { kinds: [] });
    const kubeconfig = plane.kubeconfigFor(WEBHOOK.token);
    served = await startServed(plane, { name: 'bare', kubeconfig });
  });
  afterAll(async () => {
    await served?.stop();
    await plane?.stop();
  });

  test('is served at once, and its CRDs are noticed when they come', async () => {
    const namespace = await served.namespace();
    expect((await tryPod(plane, namespace, podAsking('db'))).message).toContain('FLOE-E801');
    const { INFISICAL_KINDS, installCrds } = await import('../../tools/control-plane/crds.ts');
    await installCrds(plane, INFISICAL_KINDS);
    const resource = infisicalSecret({
      name: 'late',
      namespace,
      target: 'db',
      status: 'failing',
      kind: 'InfisicalSecret',
    });
    await createWorld(plane, [render(resource, { now: new Date() })], { now: new Date() });
    await vi.waitFor(async () => {
      const answer = await tryPod(plane, namespace, podAsking('db'));
      expect(answer.message).toContain("FLOE-E803: Secret 'db'");
    }, CEILING);
  });
});
