/** Each plugin with exactly the permissions that the chart gives it alone; and what is said where one is missing. */
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { parse } from 'yaml';
import { PLUGINS } from '../../src/plugins/index.ts';
import type { Plugin } from '../../src/plugins/plugin.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import type { Authority } from '../../tools/certificates.ts';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { CUSTOM_KINDS } from '../../tools/control-plane/crds.ts';
import { kubeconfigText } from '../../tools/control-plane/kubeconfig.ts';
import { rendered, set } from '../chart/rendered.ts';
import type { Rendered } from '../chart/rendered.ts';
import { loadGolden } from '../golden/golden.ts';
import { needs } from '../needs.ts';
import { manifestOf } from '../stories/given.ts';
import type { Manifest } from '../stories/manifest.ts';
import { startWebhook } from '../stories/webhook-process.ts';
import type { WebhookProcess } from '../stories/webhook-process.ts';
import { HOME } from './cluster.ts';
import { register, SERVED_BY, unregister } from './registration.ts';
import { podAsking, tryPod } from './served.ts';
import { temporaryFile } from './temporary-file.ts';
import { collectionOf, createWorld, pathOf } from './world.ts';

const cluster = inject('cluster');
const PERMISSIONS = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];
/** Far from the numbers of the stories and the golden tables, which share the cluster. */
const FIRST = 9500;
const CEILING = { timeout: 60_000, interval: 50 };
const CLUSTER_WIDE = CUSTOM_KINDS.filter((kind) => kind.cluster === true).map(({ kind }) => kind);

/** A Secret that no sync resource targets: whichever kind cannot be read might. */
const UNCLAIMED = 'plain';

/** What the plugin keeps: the golden tables' Secrets whose row says Synced, and the objects behind them. */
function keptBy(id: string): { readonly objects: readonly Manifest[]; readonly secrets: readonly string[] } {
  const golden = loadGolden().find(({ plugin }) => plugin === id);
  if (golden === undefined) return { objects: [], secrets: [UNCLAIMED] };
  const synced = golden.rows.filter(({ state, type }) => state === 'Synced' && !CLUSTER_WIDE.includes(type));
  const objects = golden.objects.filter(({ kind }) => !CLUSTER_WIDE.includes(String(kind)));
  return { objects, secrets: synced.map(({ name }) => name) };
}

describe
  .skipIf(!needs('apiserver') || !needs('helm'))
  .each(PLUGINS.map((plugin, index) => [plugin.id, plugin, FIRST + index] as const))(
  'the permissions of %s',
  (id, plugin: Plugin, number) => {
    const name = `only-${id}`;
    const namespace = `floe-jobs-${number}`;
    const { objects, secrets } = keptBy(id);
    const ofChart = rendered(
      ...set(`config.plugins.enabled={${id}}`, `fullnameOverride=${name}`, 'controllers.separate=true'),
    );
    let api: ApiClient;
    let authority: Authority;
    let kubeconfig: string;
    let webhook: WebhookProcess | undefined;

    const start = async (port?: number): Promise<WebhookProcess> => {
      const map = ofChart.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
      const { server: _server, certificates: _certificates, ...config } = parse(map.data['config.yaml']);
      const args = ['--kubeconfig', kubeconfig];
      // As the chart's webhook Deployment says where the controllers are another.
      const env = { FLOE_SECRETS_CONTROLLERS_ENABLED: 'false' };
      webhook = await startWebhook({ config, authority, args, env, ...(port === undefined ? {} : { port }) });
      return webhook;
    };
    /** Everything that is said of a pod that asks for this Secret. */
    const said = async (secret: string): Promise<string> => {
      const { message = '', warnings = [], trouble = '' } = await tryPod(api, namespace, podAsking(secret));
      return [message, ...warnings, trouble].join('\n');
    };
    /** The program started anew, with the role that the chart gives but for this resource. */
    const startWithout = async (plural: string): Promise<void> => {
      const { rules } = ofChart.find(
        ({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name,
      );
      const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}`;
      const left = rules.flatMap(({ resources, ...rule }: Rendered) => {
        const others = resources.filter((resource: string) => resource !== plural);
        return others.length === 0 ? [] : [{ ...rule, resources: others }];
      });
      await api.request('PUT', path, { ...(await api.request<object>('GET', path)), rules: left });
      const port = webhook?.port;
      await webhook?.stop();
      await start(port);
    };

    beforeAll(async () => {
      if (cluster === undefined) throw new Error('no cluster');
      api = makeApiClient(cluster);
      const own = ofChart.filter(
        ({ kind, metadata }) => PERMISSIONS.includes(kind) && metadata.name === name,
      );
      expect(new Set(own.map(({ kind }) => kind))).toEqual(new Set(PERMISSIONS));
      for (const object of own) await api.request('POST', collectionOf(object), object);
      const account = `/api/v1/namespaces/${HOME}/serviceaccounts/${name}/token`;
      const { status } = await api.request<Rendered>('POST', account, { spec: { expirationSeconds: 3600 } });
      kubeconfig = temporaryFile(
        kubeconfigText({ server: cluster.server, ca: cluster.ca, token: status.token }),
      );
      await createWorld(api, [...objects, manifestOf({ Secret: UNCLAIMED })], { now: new Date(), number });
      const labels = { 'secrets.floe.dev/injection': 'enabled', [SERVED_BY]: name };
      const annotations = { 'secrets.floe.dev/plugin': id };
      await api.request(
        'PATCH',
        pathOf({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }),
        {
          metadata: { labels, annotations },
        },
      );
      authority = await makeAuthority(name);
      const { port } = await start();
      await register(api, { name, port, ca: authority.certPem });
    });
    afterAll(async () => {
      if (api !== undefined) await unregister(api, name);
      await webhook?.stop();
      await api?.close();
    });

    test('are enough for what it keeps', async () => {
      expect(secrets.length).toBeGreaterThan(0);
      for (const secret of secrets) {
        const answer = await tryPod(api, namespace, podAsking(secret));
        expect({ ...answer, pod: undefined }).toMatchObject({ allowed: true, injected: [secret] });
        expect(answer.warnings?.filter((warning) => /FLOE-E82\d/.test(warning))).toEqual([]);
      }
      expect(webhook?.log()).not.toContain('forbidden');
    });

    test.each(['secrets', ...plugin.kinds.map(({ resource }) => resource.plural)])(
      'are asked for by name where %s may not be read',
      async (plural) => {
        await startWithout(plural);
        const named = new RegExp(`cannot (get|list) ${plural}[. ]`);
        await vi.waitFor(async () => {
          const words = await said(UNCLAIMED);
          expect(words).toContain('FLOE-E821');
          expect(words).toMatch(named);
        }, CEILING);
      },
    );
  },
);
