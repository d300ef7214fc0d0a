import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAuthority } from '../../tools/certificates.ts';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { readKubeconfig } from '../../tools/control-plane/kubeconfig.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { program, temporaryDirectory } from './temporary.ts';

describe.skipIf(!needs('apiserver'))('a control plane without controllers', () => {
  let cluster: ControlPlane;
  const webhook = { token: 'webhook-token', user: 'webhook', groups: ['readers', 'floe'] };

  beforeAll(async () => {
    cluster = await startControlPlane({ controllers: false, tokens: [webhook] });
  });
  afterAll(() => cluster.stop());

  it('says what it can', () => {
    expect(cluster.capabilities).toEqual({ controllers: false, node: 'none' });
    expect(cluster.kubelet).toBeUndefined();
  });

  it('answers who has its token, and nobody else', async () => {
    expect(await cluster.request('GET', '/version')).toMatchObject({ major: '1' });
    const stranger = cluster.as('another');
    await expect(stranger.request('GET', '/api/v1/secrets')).rejects.toMatchObject({
      status: 401,
      reason: 'Unauthorized',
    });
    expect((await cluster.as(undefined).send('GET', '/api/v1/secrets')).status).toBe(403);
  });

  it('is not mistaken for another server', async () => {
    const { certPem } = await makeAuthority('floe-control-plane');
    const mistaken = makeApiClient({ server: cluster.server, ca: certPem, token: cluster.token });
    await expect(mistaken.request('GET', '/version')).rejects.toThrow(/certificate/);
    await mistaken.close();
  });

  it('knows further users, whom RBAC allows nothing yet', async () => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const { body } = await cluster.as(webhook.token).send('POST', path, review);
    expect(body).toMatchObject({
      status: { userInfo: { username: 'webhook', groups: expect.arrayContaining(['readers', 'floe']) } },
    });
    await expect(cluster.as(webhook.token).request('GET', '/api/v1/secrets')).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('User "webhook" cannot list resource "secrets"'),
    });
  });

  it('writes kubeconfigs for its administrator and for others', () => {
    const { server, ca } = cluster;
    expect(readKubeconfig(cluster.kubeconfig).endpoint).toMatchObject({ server, ca, token: cluster.token });
    const other = readKubeconfig(cluster.kubeconfigFor(webhook.token));
    expect(other.endpoint).toMatchObject({ server, ca, token: webhook.token });
  });

  it('takes a Pod without a service account', async () => {
    const pod = { metadata: { name: 'alone' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const path = '/api/v1/namespaces/default/pods';
    expect(await cluster.request('POST', path, pod)).toMatchObject({ metadata: { name: 'alone' } });
  });

  it('is away while the API server restarts, and back with the same data on the same port', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    await cluster.request('POST', path, { metadata: { name: 'kept' }, data: { a: 'b' } });
    let away = false;
    await cluster.restartApiServer(async () => {
      away = await cluster.request('GET', '/version').then(
        () => false,
        () => true,
      );
    });
    expect(away).toBe(true);
    expect(await cluster.request('GET', `${path}/kept`)).toMatchObject({ data: { a: 'b' } });
  });
});

describe('starting and stopping', () => {
  it.skipIf(!needs('apiserver'))('leaves nothing when it is stopped, however often', async () => {
    const cluster = await startControlPlane({ controllers: false });
    const directory = dirname(cluster.kubeconfig);
    expect(existsSync(directory)).toBe(true);
    await Promise.all([cluster.stop(), cluster.stop()]);
    expect(existsSync(directory)).toBe(false);
    await expect(cluster.request('GET', '/version')).rejects.toThrow();
  });

  it('asks for another port when somebody was faster, five times', async () => {
    const directory = temporaryDirectory();
    const ports = join(directory, 'ports');
    const words = 'failed to listen on 127.0.0.1: bind: address already in use';
    const controlPlane = program(
      join(directory, 'controlplane'),
      `read -r settings; echo "$settings" | grep -o 'secure-port=[0-9]*' | head -1 >> ${ports}; echo "${words}" >&2; exit 1`,
    );
    const start = startControlPlane({ binaries: { layout: 'one', controlPlane }, controllers: false });
    await expect(start).rejects.toThrow(words);
    expect(readFileSync(ports, 'utf8').trim().split('\n')).toHaveLength(5);
  });

  it('says why a server ended', async () => {
    const controlPlane = program(
      join(temporaryDirectory(), 'controlplane'),
      'echo "unknown flag" >&2; exit 2',
    );
    const start = startControlPlane({ binaries: { layout: 'one', controlPlane }, controllers: false });
    await expect(start).rejects.toThrow(/controlplane ended with code 2\n[^]*unknown flag/);
  });

  it('refuses controllers where there is no program for them', async () => {
    const binaries = { layout: 'separate', etcd: '/bin/false', apiServer: '/bin/false' } as const;
    await expect(startControlPlane({ binaries, controllers: true })).rejects.toThrow(
      /no kube-controller-manager/,
    );
  });

  it('refuses a token that would not fit the file', async () => {
    const start = startControlPlane({
      binaries: { layout: 'one', controlPlane: '/bin/false' },
      tokens: [{ token: 'a,b', user: 'x' }],
    });
    await expect(start).rejects.toThrow(/cannot hold quotes/);
  });
});
