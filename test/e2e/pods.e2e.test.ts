/** The webhook as people run it, in front of pods that really run. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { needs } from '../needs.ts';
import { HOME, SERVICE } from '../live/cluster.ts';
import {
  CEILING,
  deployment,
  eventually,
  nameFor,
  openApi,
  podsOf,
  runToEnd,
  untilAvailable,
} from './cluster.ts';
import { steadyAdmissions } from './admissions.ts';
import { install, LABELS } from './stand-in.ts';

const PRINT = 'console.log(process.env.PASSWORD, process.env.DB_USER)';
const STAY = 'setInterval(() => {}, 1000)';

describe.skipIf(!needs('node'))('real pods', { timeout: 2 * CEILING }, () => {
  let api: ApiClient;
  let namespace: string;

  beforeAll(async () => {
    api = openApi(inject('realCluster'));
    await install(api);
    namespace = await makeNamespace();
    await makeSecret('db', { PASSWORD: 'from-the-secret', user: 'floe' });
  }, 2 * CEILING);
  afterAll(() => api?.close());

  async function makeNamespace(): Promise<string> {
    const name = nameFor('floe-jobs');
    await api.request('POST', '/api/v1/namespaces', { metadata: { name, labels: LABELS } });
    return name;
  }

  async function makeSecret(name: string, stringData: Readonly<Record<string, string>>): Promise<void> {
    await api.request('POST', `/api/v1/namespaces/${namespace}/secrets`, { metadata: { name }, stringData });
  }

  test('start, and print the variables that they were given', async () => {
    const annotations = { 'secrets.floe.dev/inject': 'db', 'secrets.floe.dev/env': 'DB_USER=db/user' };
    expect(await runToEnd(api, namespace, { script: PRINT, annotations })).toBe('from-the-secret floe\n');
  });

  test('of a Deployment come as soon as the Secret does, and each has it', async () => {
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
    expect(await podsOf(api, namespace, name)).toEqual([]);
    await makeSecret('late', { PASSWORD: 'better-late' });
    await untilAvailable(api, namespace, name);
    const pods = await podsOf(api, namespace, name);
    const printed = pods.map(({ metadata }) =>
      api.request('GET', `/api/v1/namespaces/${namespace}/pods/${metadata.name}/log`),
    );
    expect(await Promise.all(printed)).toEqual(['better-late\n', 'better-late\n']);
  });

  test.each([
    ['of uid 0', { runAsUser: 0 }, '400'],
    ['of uid 1000', { runAsUser: 1000 }, '444'],
    ['of uid 1000 with an fsGroup', { runAsUser: 1000, fsGroup: 2000 }, '440'],
    ['of an image whose user is not root', {}, '444'],
  ])('read injected files: %s', async (_who, securityContext, mode) => {
    const file = '/run/secrets/db/PASSWORD';
    const script = `const fs = require('fs'); console.log(fs.readFileSync('${file}', 'utf8'), (fs.statSync('${file}').mode & 0o777).toString(8))`;
    const annotations = { 'secrets.floe.dev/files': 'db' };
    expect(await runToEnd(api, namespace, { script, annotations, securityContext })).toBe(
      `from-the-secret ${mode}\n`,
    );
  });

  test('are admitted and injected without a gap while the webhook is updated', async () => {
    const admissions = steadyAdmissions(api, namespace, 'db');
    await admissions.atLeast(50);
    await api.request('PATCH', `/apis/apps/v1/namespaces/${HOME}/deployments/${SERVICE}`, {
      spec: { template: { metadata: { annotations: { 'test.floe.dev/rolled': 'yes' } } } },
    });
    await untilAvailable(api, HOME, SERVICE);
    // The last of the old pods drains for a while after it has left the count.
    await eventually(async () => expect(await podsOf(api, HOME, SERVICE)).toHaveLength(2));
    await admissions.atLeast(50);
    const { failed, notInjected } = await admissions.stop();
    expect([failed, notInjected]).toEqual([[], 0]);
  });
});
