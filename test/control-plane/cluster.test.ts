import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clusterChoice, openExisting } from '../../tools/control-plane/cluster.ts';
import { kubeconfigText, readKubeconfig } from '../../tools/control-plane/kubeconfig.ts';
import { temporaryDirectory } from './temporary.ts';

function kubeconfig(text: string): string {
  const file = join(temporaryDirectory(), 'config');
  writeFileSync(file, text);
  return file;
}

const OWN = { server: 'https://127.0.0.1:6443', ca: '', token: 't' };

describe('FLOE_TEST_CLUSTER', () => {
  it('is auto where it says nothing, and refuses what it does not know', () => {
    expect(clusterChoice({})).toBe('auto');
    expect(clusterChoice({ FLOE_TEST_CLUSTER: 'kind' })).toBe('kind');
    expect(() => clusterChoice({ FLOE_TEST_CLUSTER: 'minikube' })).toThrow(
      'it can be auto, apiserver, controllers, node, kind, existing',
    );
  });
});

describe('an existing cluster', () => {
  it('has to be allowed by the name of its context', () => {
    const KUBECONFIG = kubeconfig(kubeconfigText(OWN));
    expect(() => openExisting({})).toThrow('needs KUBECONFIG');
    expect(() => openExisting({ KUBECONFIG })).toThrow('FLOE_TEST_ALLOW_CONTEXT=floe-test');
    expect(() => openExisting({ KUBECONFIG, FLOE_TEST_ALLOW_CONTEXT: 'production' })).toThrow(
      'the current context of',
    );
  });

  it('is reached by the name that FLOE_TEST_HOST gives', async () => {
    const env = { KUBECONFIG: kubeconfig(kubeconfigText(OWN)), FLOE_TEST_ALLOW_CONTEXT: 'floe-test' };
    const cluster = openExisting({ ...env, FLOE_TEST_HOST: 'dev.example' });
    expect(await cluster.exposeWebhook(8443)).toEqual({ externalName: 'dev.example', port: 8443 });
    await expect(cluster.restartApiServer()).rejects.toThrow('not restarted');
    await cluster.stop();
    const nameless = openExisting(env);
    await expect(nameless.exposeWebhook(8443)).rejects.toThrow('FLOE_TEST_HOST');
    await nameless.stop();
  });
});

describe('readKubeconfig', () => {
  it('reads back what kubeconfigText writes', () => {
    const { context, endpoint } = readKubeconfig(kubeconfig(kubeconfigText({ ...OWN, ca: 'CA' })));
    expect(context).toBe('floe-test');
    expect(endpoint).toMatchObject({ server: OWN.server, ca: 'CA', token: 't' });
  });

  it('reads client certificates, as data and as files beside it', () => {
    const file = kubeconfig(`
current-context: admin@kind
contexts: [{name: admin@kind, context: {cluster: kind, user: admin}}]
clusters: [{name: kind, cluster: {server: "https://localhost:1/", certificate-authority: ca.crt}}]
users: [{name: admin, user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}}]
`);
    writeFileSync(join(file, '..', 'ca.crt'), 'CA');
    expect(readKubeconfig(file)).toEqual({
      context: 'admin@kind',
      endpoint: { server: 'https://localhost:1', ca: 'CA', token: undefined, cert: 'CERT', key: 'KEY' },
    });
  });

  it('refuses a context without credentials of its own', () => {
    const file = kubeconfig(`
current-context: cloud
contexts: [{name: cloud, context: {cluster: cloud, user: me}}]
clusters: [{name: cloud, cluster: {server: "https://cloud"}}]
users: [{name: me, user: {exec: {command: login}}}]
`);
    expect(() => readKubeconfig(file)).toThrow("'cloud' has neither a token nor a client certificate");
  });
});
