import { afterEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../src/cluster/api-error.ts';
import { missedPods } from '../../src/cluster/missed-pods.ts';
import { reducePod } from '../../src/cluster/reduce-running.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { NAMESPACE, SECRET } from '../../src/kube/object.ts';
import { workload } from '../reload/setup.ts';
import type { Reign } from './reign.ts';
import { createReign } from './reign.ts';

const PODS = '/api/v1/namespaces/floe-jobs/pods';
const SECOND = 1_000;
let reign: Reign;
afterEach(() => reign.die());

function lead(evict: boolean): void {
  reign = createReign({ missedPods: { evict } });
  reign.put(NAMESPACE, {
    metadata: { name: 'floe-jobs', labels: { 'secrets.floe.dev/injection': 'enabled' } },
  });
  reign.put(SECRET, {
    kind: 'Secret',
    metadata: { namespace: 'floe-jobs', name: 'db' },
    data: { PASSWORD: 'dg==' },
  });
  reign.running.putWorkload(
    workload('StatefulSet', { namespace: 'floe-jobs', name: 'dbt', uid: 'uid-of-dbt' }),
  );
  reign.lead(missedPods);
}

interface Runs {
  readonly owner?: JsonObject | undefined;
  readonly carries?: boolean;
  readonly asks?: string;
}

const STATEFUL_SET = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  name: 'dbt',
  uid: 'uid-of-dbt',
  controller: true,
};

/** A pod that runs, and asked for the Secret `db`. */
function runs(name: string, { owner = STATEFUL_SET, carries = false, asks = 'db' }: Runs = {}): JsonObject {
  const envFrom = carries ? { envFrom: [{ secretRef: { name: 'db' } }] } : {};
  const pod = {
    metadata: {
      name,
      namespace: 'floe-jobs',
      uid: `uid-${name}`,
      annotations: { 'secrets.floe.dev/inject': asks },
      ...(owner['kind'] === undefined ? {} : { ownerReferences: [owner] }),
    },
    spec: { containers: [{ name: 'dbt', ...envFrom }] },
    status: { phase: 'Running' },
  };
  reign.objects.set(`${PODS}/${name}`, pod);
  reign.running.putPod(reducePod(pod));
  return pod;
}

function goes(pod: JsonObject): void {
  const record = reducePod(pod);
  reign.objects.delete(`${PODS}/${record.name}`);
  reign.running.removePod(record);
}

const gauge = () => reign.gauges.get('floe_secrets_missed_pods');
const evicted = (): readonly string[] =>
  reign.writes
    .filter(({ path }) => path.endsWith('/eviction'))
    .map(({ path }) => path.split('/').at(-2) ?? '');

describe('pods without the injection that they asked for', () => {
  it('count once each, however often they are looked at, and no more once they are gone', async () => {
    lead(false);
    const pods = [runs('dbt-0'), runs('dbt-1')];
    runs('whole', { carries: true });
    for (let turn = 0; turn < 5; turn += 1) {
      for (const pod of pods) reign.running.putPod(reducePod(pod));
      await reign.pass(SECOND);
    }
    expect(gauge()).toEqual([{ namespace: 'floe-jobs', value: 2 }]);
    expect(reign.events).toHaveLength(2);
    expect(reign.events[0]).toMatchObject({
      type: 'Warning',
      reason: 'InjectionMissed',
      regarding: { kind: 'StatefulSet', name: 'dbt' },
      message: expect.stringContaining("'db'"),
    });
    goes(pods[0]!);
    await reign.pass(3 * SECOND);
    expect(gauge()).toEqual([{ namespace: 'floe-jobs', value: 1 }]);
    runs('dbt-1', { carries: true });
    await reign.pass(3 * SECOND);
    expect(gauge()).toEqual([]);
    expect(reign.writes).toEqual([]);
  });

  it('are none where nobody asked them, or their namespace takes no part', async () => {
    lead(false);
    runs('nothing', { asks: '' });
    runs('dbt-0');
    reign.put(NAMESPACE, { metadata: { name: 'floe-jobs' } });
    await reign.pass(3 * SECOND);
    expect(gauge()).toEqual([]);
    expect(reign.events).toEqual([]);
  });

  it('stay where eviction is not asked for', async () => {
    lead(false);
    runs('dbt-0');
    await reign.pass(600 * SECOND);
    expect(reign.writes).toEqual([]);
  });

  it('are evicted one of an owner after the other', async () => {
    lead(true);
    const pods = [runs('dbt-0'), runs('dbt-1'), runs('dbt-2')];
    reign.answer(({ path }) => goes(pods.find((pod) => path.includes(reducePod(pod).name))!));
    await reign.pass(SECOND);
    expect(evicted()).toHaveLength(1);
    await reign.pass(28 * SECOND);
    expect(evicted()).toHaveLength(1);
    await reign.pass(35 * SECOND);
    expect(evicted().toSorted()).toEqual(['dbt-0', 'dbt-1', 'dbt-2']);
    expect(reign.writes[0]?.body).toMatchObject({
      deleteOptions: { preconditions: { uid: expect.stringMatching(/^uid-dbt-/) } },
    });
    expect(reign.counts).toEqual(
      Array.from({ length: 3 }, () => 'floe_secrets_missed_pods_evicted_total evicted'),
    );
  });

  it('wait as long as a budget says so', async () => {
    lead(true);
    const pod = runs('dbt-0');
    let budget = 0;
    reign.answer(() => {
      if (budget === 0) throw new ApiError(429, 'TooManyRequests', 'it would violate the budget');
      goes(pod);
    });
    await reign.pass(95 * SECOND);
    expect(reign.counts).toEqual(
      Array.from({ length: 4 }, () => 'floe_secrets_missed_pods_evicted_total blocked'),
    );
    expect(gauge()).toEqual([{ namespace: 'floe-jobs', value: 1 }]);
    budget = 1;
    await reign.pass(35 * SECOND);
    expect(reign.counts.at(-1)).toBe('floe_secrets_missed_pods_evicted_total evicted');
    expect(gauge()).toEqual([]);
  });

  it('stay where nobody would make another, where it would be a failure, or the next would be no better', async () => {
    lead(true);
    runs('bare', { owner: {} });
    runs('job', {
      owner: { ...STATEFUL_SET, apiVersion: 'batch/v1', kind: 'Job', name: 'job', uid: 'uid-job' },
    });
    runs('dbt-0', { asks: 'db, not-there' });
    await reign.pass(300 * SECOND);
    expect(reign.events).toHaveLength(3);
    expect(reign.writes).toEqual([]);
  });
});
