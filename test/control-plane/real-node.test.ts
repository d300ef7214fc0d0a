import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { basename, dirname } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { groupsNamed } from '../../tools/control-plane/control-groups.ts';
import { PAUSE_IMAGE } from '../../tools/control-plane/node-config.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import { needs } from '../needs.ts';
import { eventually, gone } from './temporary.ts';

const PODS = '/api/v1/namespaces/default/pods';

interface PodStatus {
  readonly status: { readonly phase: string; readonly podIP?: string };
}

async function start(): Promise<ControlPlane> {
  const plane = await startControlPlane({ controllers: true, node: 'real' });
  onTestFinished(() => plane.stop());
  return plane;
}

async function runPod(plane: ControlPlane): Promise<string> {
  const spec = { containers: [{ name: 'pause', image: PAUSE_IMAGE, imagePullPolicy: 'Never' }] };
  await plane.request('POST', PODS, { metadata: { name: 'pause' }, spec });
  let pod: PodStatus = { status: { phase: 'Pending' } };
  await eventually(async () => {
    pod = await plane.request('GET', `${PODS}/pause`);
    return pod.status.phase === 'Running';
  }, 'the pod runs');
  return pod.status.podIP ?? '';
}

describe.skipIf(!needs('node'))('a real node', () => {
  it('runs pods, several runs beside each other, and leaves nothing of them', async () => {
    const settings = '/proc/sys/kernel/panic';
    const before = readFileSync(settings, 'utf8');
    const planes = await Promise.all([start(), start()]);
    // Their networks are their own: the same address in both is two pods.
    const addresses = await Promise.all(planes.map(runPod));
    expect(addresses[0]).toMatch(/^10\.244\.0\.\d+$/);
    expect(addresses[1]).toMatch(/^10\.244\.0\.\d+$/);
    const directories = planes.map(({ kubeconfig }) => dirname(kubeconfig));
    expect(directories.flatMap((one) => groupsNamed(basename(one)))).not.toEqual([]);
    await Promise.all(planes.map((plane) => plane.stop()));
    for (const directory of directories) await gone(directory);
    expect(directories.flatMap((one) => groupsNamed(basename(one)))).toEqual([]);
    expect(readFileSync(settings, 'utf8')).toBe(before);
  });

  it('leads from its network to a port of this machine, and comes back after the API server was away', async () => {
    const plane = await start();
    const authority = await makeAuthority('webhook');
    const { certPem: cert, keyPem: key } = await authority.issue({ names: ['localhost'] });
    let asked = 0;
    const server = createServer({ cert, key }, (_request, response) => {
      asked += 1;
      response.writeHead(503).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const { port } = await plane.exposeWebhook(
      typeof address === 'object' && address !== null ? address.port : 0,
    );
    await plane.restartApiServer();
    await plane.request('POST', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
      metadata: { name: 'here' },
      webhooks: [
        {
          name: 'here.floe.test',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          rules: [
            { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] },
          ],
          clientConfig: {
            url: `https://localhost:${port}/`,
            caBundle: Buffer.from(authority.certPem).toString('base64'),
          },
        },
      ],
    });
    // A new configuration is known a moment later.
    await eventually(async () => {
      await plane.send('POST', '/api/v1/namespaces/default/configmaps?dryRun=All', {
        metadata: { generateName: 'x-' },
      });
      return asked > 0;
    }, 'the API server asks this process');
  });
});
