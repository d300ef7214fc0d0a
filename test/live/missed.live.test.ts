/** Pods that came to be while the webhook was away, and syncs that fail under pods that run. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { asArray, dig, text } from '../../src/kube/json.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { infisicalSecret } from '../stories/infisical-objects.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';
import { NOT_MUTATED } from './registration.ts';
import { makeSecret, startServed } from './served.ts';
import type { Served } from './served.ts';
import { createWorld } from './world.ts';

const CEILING = { timeout: 90_000, interval: 100 };
/** As wgpolicyk8s.io defines it, as far as this project writes it: nothing else is accepted. */
const POLICY_REPORTS = {
  metadata: { name: 'policyreports.wgpolicyk8s.io' },
  spec: {
    group: 'wgpolicyk8s.io',
    names: { kind: 'PolicyReport', plural: 'policyreports' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1alpha2',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              summary: { type: 'object', additionalProperties: { type: 'integer' } },
              results: {
                type: 'array',
                items: {
                  type: 'object',
                  required: ['policy'],
                  properties: {
                    ...Object.fromEntries(
                      ['policy', 'rule', 'source', 'category', 'severity', 'result', 'message'].map(
                        (name) => [name, { type: 'string' }],
                      ),
                    ),
                    scored: { type: 'boolean' },
                    resources: {
                      type: 'array',
                      items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};
const INJECT = { annotations: { 'secrets.floe.dev/inject': 'db' } };
const DEPLOYMENT = {
  metadata: { name: 'dbt' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'dbt' } },
    template: {
      metadata: { labels: { app: 'dbt' }, ...INJECT },
      spec: { containers: [{ name: 'dbt', image: 'dbt' }] },
    },
  },
};

describe.skipIf(!needs('controllers'))('running pods', () => {
  let plane: ControlPlane;
  let served: Served;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, tokens: [WEBHOOK] });
    await prepareCluster(plane);
    await plane.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', POLICY_REPORTS);
    await vi.waitFor(
      async () => plane.request('GET', '/apis/wgpolicyk8s.io/v1alpha2/policyreports'),
      CEILING,
    );
    served = await startServed(plane, {
      name: 'missed',
      kubeconfig: plane.kubeconfigFor(WEBHOOK.token),
      config: { missedPods: { evict: true } },
    });
  });
  afterAll(async () => {
    await served?.stop();
    await plane?.stop();
  });

  const podsIn = async (namespace: string): Promise<readonly unknown[]> =>
    asArray(dig(await plane.request('GET', `/api/v1/namespaces/${namespace}/pods`), 'items'));
  const metrics = async () => (await fetch(`http://127.0.0.1:${served.webhook.opsPort}/metrics`)).text();
  const events = async (namespace: string) =>
    asArray(dig(await plane.request('GET', `/api/v1/namespaces/${namespace}/events`), 'items')).map(
      (event) => `${text(dig(event, 'involvedObject'), 'kind')} ${text(event, 'reason')}`,
    );
  /** What fails by the namespace's PolicyReport: rule, kind. */
  const failures = async (namespace: string): Promise<readonly string[]> => {
    const path = `/apis/wgpolicyk8s.io/v1alpha2/namespaces/${namespace}/policyreports`;
    return asArray(dig(await plane.request('GET', path), 'items'))
      .flatMap((report) => asArray(dig(report, 'results')))
      .filter((result) => text(result, 'result') === 'fail')
      .map((result) => `${text(result, 'rule')} ${text(asArray(dig(result, 'resources'))[0], 'kind')}`);
  };
  const deploy = async (namespace: string): Promise<void> => {
    await plane.request('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, DEPLOYMENT);
    await vi.waitFor(async () => expect(await podsIn(namespace)).toHaveLength(1), CEILING);
  };
  /** In its namespace nobody is asked, as if the webhook were away with `failurePolicy: Ignore`. */
  const AWAY = { [NOT_MUTATED]: 'true', 'secrets.floe.dev/enforcement': 'audit' };
  const BACK = { [NOT_MUTATED]: null, 'secrets.floe.dev/enforcement': 'strict' };

  test('that missed their injection are found, and evicted for better ones', async () => {
    const namespace = await served.namespace({}, AWAY);
    await makeSecret(plane, namespace, 'db', { PASSWORD: 'p' });
    await deploy(namespace);
    const [missed] = await podsIn(namespace);
    expect(JSON.stringify(missed)).not.toContain('secretRef');
    await vi.waitFor(
      async () => expect(await events(namespace)).toContain('Deployment InjectionMissed'),
      CEILING,
    );
    await vi.waitFor(async () => {
      expect(await metrics()).toContain(`floe_secrets_missed_pods{namespace="${namespace}"} 1`);
    }, CEILING);
    await vi.waitFor(async () => expect(await failures(namespace)).toEqual(['injected Pod']), CEILING);
    await plane.request('PATCH', `/api/v1/namespaces/${namespace}`, { metadata: { labels: BACK } });
    await vi.waitFor(async () => {
      const [pod] = await podsIn(namespace);
      expect(dig(pod, 'metadata', 'uid')).not.toBe(dig(missed, 'metadata', 'uid'));
      expect(JSON.stringify(pod)).toContain('secretRef');
    }, CEILING);
    await vi.waitFor(async () => {
      expect(await metrics()).not.toContain(`floe_secrets_missed_pods{namespace="${namespace}"} 1`);
    }, CEILING);
    await vi.waitFor(async () => expect(await failures(namespace)).toEqual([]), CEILING);
  });

  test('that were refused are in the report, as long as they would be', async () => {
    const namespace = await served.namespace();
    await plane.request('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, DEPLOYMENT);
    await vi.waitFor(async () => expect(await failures(namespace)).toEqual(['present Deployment']), CEILING);
    await makeSecret(plane, namespace, 'db');
    await vi.waitFor(async () => expect(await podsIn(namespace)).toHaveLength(1), CEILING);
    await vi.waitFor(async () => expect(await failures(namespace)).toEqual([]), CEILING);
  });

  test('are told when the sync of their Secret fails, and when its source goes', async () => {
    const namespace = await served.namespace();
    const made = (status: string) =>
      infisicalSecret({ name: 'sync', namespace, target: 'db', status, kind: 'InfisicalSecret' });
    await createWorld(plane, [made('ready')], { now: new Date() });
    await makeSecret(plane, namespace, 'db');
    await deploy(namespace);
    const labels = `{namespace="${namespace}",secret="db",plugin="infisical"}`;
    await vi.waitFor(
      async () => expect(await metrics()).toContain(`floe_secrets_sync_ready${labels} 1`),
      CEILING,
    );
    const path = `/apis/secrets.infisical.com/v1alpha1/namespaces/${namespace}/infisicalsecrets/sync`;
    const current = await plane.request<object>('GET', path);
    await plane.request('PUT', `${path}/status`, { ...current, status: made('failing')['status'] });
    await vi.waitFor(
      async () => expect(await metrics()).toContain(`floe_secrets_sync_ready${labels} 0`),
      CEILING,
    );
    await vi.waitFor(
      async () => expect(await events(namespace)).toContain('Deployment SecretStale'),
      CEILING,
    );
    const reports = `/apis/wgpolicyk8s.io/v1alpha2/namespaces/${namespace}/policyreports`;
    await vi.waitFor(async () => {
      const report = await plane.request('GET', `${reports}/floe-secrets-webhook`);
      expect(report).toMatchObject({
        summary: { pass: 0, fail: 1 },
        results: [{ result: 'fail', resources: [{ kind: 'Secret', name: 'db' }] }],
      });
    }, CEILING);
    await plane.request('DELETE', path);
    await vi.waitFor(
      async () => expect(await events(namespace)).toContain('Deployment SecretSourceGone'),
      CEILING,
    );
  });
});
