/** What doctor hears of a leader that has more Secrets to look at than its rate allows. */
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { stringify } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import { run as runDoctor } from '../../src/cli/doctor.ts';
import { dig } from '../../src/kube/json.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import { captured } from '../cli/captured.ts';
import { needs } from '../needs.ts';
import { SERVICE } from './cluster.ts';
import { makeSecret, startServed } from './served.ts';
import type { Served } from './served.ts';

const cluster = inject('cluster');
const CEILING = { timeout: 60_000, interval: 200 };
const AUTO = { 'secrets.floe.dev/auto-reload': 'true' };
/** Forty Secrets take eight seconds, where four are asked for. */
const RELOAD = { pollInterval: '4s', qps: 5 };

describe.skipIf(!needs('apiserver'))('doctor', () => {
  let api: ApiClient;
  let served: Served;
  beforeAll(async () => {
    if (cluster === undefined) throw new Error('no cluster');
    api = makeApiClient(cluster);
    const config = { reload: RELOAD };
    served = await startServed(api, { name: 'doctor', kubeconfig: cluster.webhookKubeconfig, config });
    await api.request('POST', `/api/v1/namespaces/${served.home}/configmaps`, {
      metadata: { name: SERVICE },
      data: {
        'config.yaml': stringify({
          apiVersion: 'floe.dev/v1alpha1',
          kind: 'SecretsWebhookConfig',
          reload: RELOAD,
        }),
      },
    });
  });
  afterAll(() => served?.stop());

  const reload = async (): Promise<readonly unknown[]> => {
    const kubeconfig = cluster?.kubeconfig ?? '';
    const options = { kubeconfig, namespace: served.home, name: SERVICE, output: 'json' };
    const { out } = await captured(
      (given, terminal) => runDoctor(given, terminal, manifest.version),
      options,
    );
    const { items } = JSON.parse(out) as { readonly items: readonly { readonly check: string }[] };
    return items.filter(({ check }) => check === 'reload');
  };
  const uses = async (names: readonly string[]): Promise<void> => {
    const namespace = await served.namespace(AUTO);
    for (const name of names) await makeSecret(api, namespace, name);
    const template = {
      metadata: { labels: { app: 'api' } },
      spec: { containers: [{ name: 'dbt', image: 'dbt' }] },
    };
    const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets`;
    const { metadata } = await api.request<{ readonly metadata: object }>('POST', path, {
      metadata: { name: 'api' },
      spec: { serviceName: 'api', selector: { matchLabels: { app: 'api' } }, template },
    });
    // What its controller would make.
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'api', uid: dig(metadata, 'uid') };
    await api.request('POST', `/api/v1/namespaces/${namespace}/pods`, {
      metadata: {
        name: 'api-0',
        annotations: { 'secrets.floe.dev/inject': names.map((name) => `${name}_=${name}`).join() },
        ownerReferences: [{ ...owner, controller: true }],
      },
      spec: { automountServiceAccountToken: false, containers: template.spec.containers },
    });
  };

  test('is content with few Secrets, and says what to do about many', async () => {
    await uses(['a']);
    await vi.waitFor(
      async () =>
        expect(await reload()).toEqual([
          {
            check: 'reload',
            outcome: 'ok',
            message: '1 Secret polled for restarts, each every 4s',
            fix: null,
          },
        ]),
      CEILING,
    );
    await uses(Array.from({ length: 39 }, (_, index) => `s${index}`));
    await vi.waitFor(
      async () =>
        expect(await reload()).toEqual([
          {
            check: 'reload',
            outcome: 'warning',
            message: expect.stringContaining('40 Secrets polled for restarts, each every 8s: reload.qps 5'),
            fix: expect.stringContaining('set reload.qps to 10'),
          },
        ]),
      CEILING,
    );
  });
});
