import { afterEach, describe, expect, it } from 'vitest';
import { missedPods } from '../../src/cluster/missed-pods.ts';
import { reducePod } from '../../src/cluster/reduce-running.ts';
import { createReportBoard } from '../../src/cluster/report-board.ts';
import { retries } from '../../src/cluster/retries.ts';
import { syncHealth } from '../../src/cluster/sync-health.ts';
import { asArray, dig } from '../../src/kube/json.ts';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import { NAMESPACE, SECRET } from '../../src/kube/object.ts';
import { workloadKind } from '../../src/kube/workload.ts';
import { workload } from '../reload/setup.ts';
import { syncKind } from '../review/setup.ts';
import { infisicalSecret } from './infisical-secret.ts';
import type { Reign } from './reign.ts';
import { createReign } from './reign.ts';

const GROUP = '/apis/wgpolicyk8s.io/v1alpha2';
const REPORT = `${GROUP}/namespaces/floe-jobs/policyreports/floe-secrets-webhook`;
const EVENTS = '/api/v1/events?fieldSelector=reason%3DFailedCreate';
const SETS = '/apis/apps/v1/namespaces/floe-jobs/replicasets';
const TURN = 10_000;
const { resource } = syncKind('InfisicalSecret');
let reign: Reign;
afterEach(() => reign.die());

function lead(isServed = true): void {
  reign = createReign();
  if (isServed) reign.objects.set(GROUP, { resources: [{ name: 'policyreports' }] });
  reign.put(NAMESPACE, {
    metadata: { name: 'floe-jobs', labels: { 'secrets.floe.dev/injection': 'enabled' } },
  });
  reign.lead(missedPods, retries, syncHealth(reign.config));
}

function sync(secretName: string, isGood: boolean): void {
  reign.put(resource, infisicalSecret(secretName, isGood));
}

function misses(name: string): JsonObject {
  const pod = {
    metadata: {
      name,
      namespace: 'floe-jobs',
      uid: `uid-${name}`,
      annotations: { 'secrets.floe.dev/inject': 'db' },
    },
    spec: { containers: [{ name: 'dbt' }] },
    status: { phase: 'Running' },
  };
  reign.objects.set(`/api/v1/namespaces/floe-jobs/pods/${name}`, pod);
  reign.running.putPod(reducePod(pod));
  return pod;
}

function refuses(name: string, replicas = 1): void {
  const template = {
    metadata: { annotations: { 'secrets.floe.dev/inject': 'db' } },
    spec: { containers: [{ name: 'dbt' }] },
  };
  const about = { name, namespace: 'floe-jobs', uid: `uid-${name}` };
  reign.objects.set(`${SETS}/${name}`, { kind: 'ReplicaSet', metadata: about, spec: { replicas, template } });
  reign.feed(EVENTS).add({
    metadata: { name: `of-${name}`, namespace: 'floe-jobs' },
    involvedObject: { apiVersion: 'apps/v1', kind: 'ReplicaSet', ...about },
    message: 'admission webhook "mutate.secrets.floe.dev" denied the request: FLOE-E801: x',
    lastTimestamp: new Date().toISOString(),
  });
}

const reports = () => reign.writes.filter(({ path }) => path.startsWith(GROUP));
const results = () => asArray(dig(reports().at(-1)?.body, 'results')).map(brief);
function brief(one: Json): string {
  const [about] = asArray(dig(one, 'resources'));
  return [dig(one, 'rule'), dig(one, 'result'), dig(about, 'kind'), dig(about, 'name')].map(String).join(' ');
}

describe('the PolicyReport of a namespace', () => {
  it('tells what fails first: refused workloads, missed pods and syncs; and takes back what is right again', async () => {
    lead();
    sync('good', true);
    sync('bad', false);
    misses('missed');
    refuses('refused');
    refuses('scaled-down', 0);
    refuses('api-7d4b');
    const deployment = workload('Deployment', { namespace: 'floe-jobs', name: 'api', uid: 'uid-api' });
    const owner = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'api',
      uid: 'uid-api',
      controller: true,
    };
    reign.running.putWorkload(deployment);
    reign.running.putWorkload({
      ...deployment,
      kind: workloadKind('apps', 'ReplicaSet')!,
      name: 'api-7d4b',
      uid: 'uid-api-7d4b',
      owner,
    });
    await reign.pass(3 * TURN);
    expect(reports().at(-1)).toMatchObject({
      method: 'PATCH',
      path: `${REPORT}?fieldManager=floe-secrets-webhook&force=true`,
    });
    expect(results().toSorted()).toEqual([
      'injected fail Pod missed',
      'present fail Deployment api',
      'present fail ReplicaSet refused',
      'sync fail Secret bad',
      'sync pass Secret good',
    ]);
    expect(results().at(-1)).toBe('sync pass Secret good');
    expect(reports().at(-1)?.body).toMatchObject({
      summary: { pass: 1, fail: 4 },
      results: expect.arrayContaining([
        expect.objectContaining({
          rule: 'present',
          message: expect.stringMatching(/^FLOE-E801: Secret 'db' /),
        }),
      ]),
    });
    const count = reports().length;
    await reign.pass(10 * TURN);
    expect(reports()).toHaveLength(count);
    reign.put(SECRET, {
      kind: 'Secret',
      metadata: { namespace: 'floe-jobs', name: 'db' },
      data: { PASSWORD: 'dg==' },
    });
    const gone = misses('missed');
    reign.running.removePod(reducePod(gone));
    await reign.pass(2 * TURN);
    expect(results()).toEqual(['sync fail Secret bad', 'sync pass Secret good']);
  });

  it('goes with its last result, also where the leader before this one left it', async () => {
    lead();
    await reign.pass(3 * TURN);
    expect(reports()).toEqual([{ method: 'DELETE', path: REPORT, body: undefined }]);
    sync('good', true);
    await reign.pass(2 * TURN);
    reign.remove(resource, 'floe-jobs', 'good');
    await reign.pass(2 * TURN);
    expect(reports().map(({ method }) => method)).toEqual(['DELETE', 'PATCH', 'DELETE']);
  });

  it('has room for a thousand results, and short words for each', async () => {
    lead();
    for (let index = 0; index < 1_100; index += 1) sync(`s${index}`, index !== 1_050);
    await reign.pass(2 * TURN);
    expect(results()).toHaveLength(1_000);
    expect(results()[0]).toBe('sync fail Secret s1050');
    expect(JSON.stringify(reports().at(-1)?.body).length).toBeLessThan(1_000_000);
  });

  it('is not written where nobody has installed its CRD', async () => {
    lead(false);
    sync('good', true);
    misses('missed');
    await reign.pass(5 * TURN);
    expect(reports()).toEqual([]);
  });
});

it('is fed from a board that has an end', () => {
  const board = createReportBoard();
  const one = {
    rule: 'injected',
    resource: { apiVersion: 'v1', kind: 'Pod', namespace: 'n', name: 'p' },
    message: 'm',
  } as const;
  for (let index = 0; index < 6_000; index += 1) board.put(`k${index}`, one);
  expect([...board.all()]).toHaveLength(5_000);
  board.put('k1', { ...one, message: 'new' });
  expect([...board.all()][1]).toMatchObject({ message: 'new' });
  board.takeBack('k1');
  expect([...board.all()]).toHaveLength(4_999);
});
