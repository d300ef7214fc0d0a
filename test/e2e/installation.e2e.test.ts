/** From the README's lines to `helm uninstall`, in front of pods that really run. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { INFISICAL_KINDS, installCrds } from '../../tools/control-plane/crds.ts';
import { configurations } from '../live/chart.ts';
import { HOME, SERVICE } from '../live/cluster.ts';
import { startLoad } from '../live/load.ts';
import { createWorld } from '../live/world.ts';
import { infisicalSecret } from '../stories/infisical-objects.ts';
import { needs } from '../needs.ts';
import {
  CEILING,
  createPod,
  deployment,
  eventually,
  nameFor,
  openApi,
  podsOf,
  printedBy,
  runToEnd,
  untilAvailable,
} from './cluster.ts';
import { inventory, kindsOfChart } from './inventory.ts';
import { linesBelow, typeLine } from './readme.ts';

const PRINT = 'console.log(process.env.PASSWORD, process.env.DB_USER)';
const GATED = expect.objectContaining({
  spec: expect.objectContaining({ schedulingGates: [{ name: 'secrets.floe.dev/pending' }] }),
});
const STAY = 'setInterval(() => {}, 1000)';
const LINES = linesBelow('## Installing it');

describe.skipIf(!needs('node') || !needs('helm') || !needs('kubectl'))(
  'an installation',
  { timeout: 2 * CEILING },
  () => {
    const kubeconfig = inject('realCluster') ?? '';
    const namespace = 'floe-jobs';
    let api: ApiClient;
    let kinds: ReadonlySet<string>;
    let before: readonly string[];

    beforeAll(async () => {
      api = openApi(kubeconfig);
      kinds = await kindsOfChart(kubeconfig);
      await installCrds(api, INFISICAL_KINDS);
      await api.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
      before = await inventory(api, kinds);
      for (const line of LINES) await typeLine(kubeconfig, line);
      await untilAvailable(api, HOME, SERVICE);
      // From here on a pod that nobody judges is refused.
      await eventually(async () => expect(JSON.stringify(await configurations(api))).toContain('"Fail"'));
      await makeSecret('db', { PASSWORD: 'from-the-secret', user: 'floe' });
    }, 2 * CEILING);
    afterAll(() => api?.close());

    async function makeSecret(name: string, stringData: Readonly<Record<string, string>>): Promise<void> {
      await api.request('POST', `/api/v1/namespaces/${namespace}/secrets`, {
        metadata: { name },
        stringData,
      });
    }

    test("by the README's two lines brings a pod that runs and prints the variables that it was given", async () => {
      expect(LINES).toEqual([
        expect.stringMatching(/^helm install /),
        expect.stringMatching(/^kubectl label namespace floe-jobs /),
      ]);
      const annotations = { 'secrets.floe.dev/inject': 'db', 'secrets.floe.dev/env': 'DB_USER=db/user' };
      expect(await runToEnd(api, namespace, { script: PRINT, annotations })).toBe('from-the-secret floe\n');
    });

    test('lets the pods of a Deployment come as soon as their Secret does', async () => {
      const name = nameFor('waits');
      const annotations = { 'secrets.floe.dev/inject': 'late' };
      const app = { annotations, script: `console.log(process.env.PASSWORD); ${STAY}` };
      const path = `/apis/apps/v1/namespaces/${namespace}`;
      await api.request('POST', `${path}/deployments`, deployment(name, 2, app));
      await eventually(async () => {
        const { items } = await api.request<{ readonly items: readonly { readonly status: object }[] }>(
          'GET',
          `${path}/replicasets?labelSelector=app%3D${name}`,
        );
        expect(JSON.stringify(items[0]?.status)).toContain("FLOE-E801: Secret 'late'");
      });
      expect(await podsOf(api, namespace, `app=${name}`)).toEqual([]);
      await makeSecret('late', { PASSWORD: 'better-late' });
      await untilAvailable(api, namespace, name);
      const pods = await podsOf(api, namespace, `app=${name}`);
      // A container that has started has not yet printed.
      await eventually(async () => {
        const printed = pods.map(({ metadata }) =>
          api.request('GET', `/api/v1/namespaces/${namespace}/pods/${metadata.name}/log`),
        );
        expect(await Promise.all(printed)).toEqual(['better-late\n', 'better-late\n']);
      });
    });

    test('passes its own examination', async () => {
      expect(await typeLine(kubeconfig, `helm test ${SERVICE} -n ${HOME}`)).toMatch(/Phase: +Succeeded/);
    });

    test('keeps a pod behind a gate until its Secret comes', async () => {
      const resource = infisicalSecret({ name: 'sync', namespace, target: 'soon', status: 'none' });
      await createWorld(api, [resource], { now: new Date() });
      const annotations = { 'secrets.floe.dev/inject': 'soon', 'secrets.floe.dev/pending': 'gate' };
      // The sync resource is learned from a watch, by each replica; until then the pod is refused.
      const name = await eventually(async () => createPod(api, namespace, { script: PRINT, annotations }));
      expect(await podsOf(api, namespace)).toContainEqual(GATED);
      await makeSecret('soon', { PASSWORD: 'worth-the-wait' });
      expect(await printedBy(api, namespace, name)).toBe('worth-the-wait undefined\n');
    });

    test.each([
      ['of uid 0', { runAsUser: 0 }, '400'],
      ['of uid 1000', { runAsUser: 1000 }, '444'],
      ['of uid 1000 with an fsGroup', { runAsUser: 1000, fsGroup: 2000 }, '440'],
      ['of an image whose user is not root', {}, '444'],
    ])('gives a pod files that it can read: %s', async (_who, securityContext, mode) => {
      const file = '/run/secrets/db/PASSWORD';
      const script = `const fs = require('fs'); console.log(fs.readFileSync('${file}', 'utf8'), (fs.statSync('${file}').mode & 0o777).toString(8))`;
      const annotations = { 'secrets.floe.dev/files': 'db' };
      expect(await runToEnd(api, namespace, { script, annotations, securityContext })).toBe(
        `from-the-secret ${mode}\n`,
      );
    });

    test('is updated without a pod that is refused or not injected', async () => {
      const load = startLoad(api, namespace, { workers: 4 });
      await load.atLeast(50);
      await typeLine(kubeconfig, `kubectl rollout restart deployment/${SERVICE} -n ${HOME}`);
      await untilAvailable(api, HOME, SERVICE);
      // The last of the old pods drains for a while after it has left the count.
      await eventually(async () => expect(await podsOf(api, HOME)).toHaveLength(2));
      await load.atLeast(50);
      const { failed, unjudged } = await load.stop();
      expect([failed, unjudged]).toEqual([[], []]);
    });

    test('leaves nothing behind once it is uninstalled', async () => {
      expect(await inventory(api, kinds)).not.toEqual(before);
      await typeLine(kubeconfig, `kubectl delete deployments,pods --all -n ${namespace}`);
      await typeLine(kubeconfig, `kubectl delete secrets --all -n ${namespace}`);
      await typeLine(kubeconfig, `helm uninstall ${SERVICE} -n ${HOME}`);
      await eventually(async () =>
        expect((await inventory(api, kinds)).toSorted()).toEqual(before.toSorted()),
      );
    });
  },
);
