import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../src/cluster/api-error.ts';
import { retries } from '../../src/cluster/retries.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { NAMESPACE, SECRET } from '../../src/kube/object.ts';
import type { Reign } from './reign.ts';
import { createReign } from './reign.ts';

const SETS = '/apis/apps/v1/namespaces/floe-jobs/replicasets';
const EVENTS = '/api/v1/events?fieldSelector=reason%3DFailedCreate';
const REFUSED =
  'Error creating: admission webhook "mutate.secrets.floe.dev" denied the request: FLOE-E801: x';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let reign: Reign;
beforeEach(() => {
  reign = createReign();
  reign.put(NAMESPACE, {
    metadata: { name: 'floe-jobs', labels: { 'secrets.floe.dev/injection': 'enabled' } },
  });
  owner('dbt');
});
afterEach(() => reign.die());

/** A ReplicaSet whose pods ask for the Secret `db`. */
function owner(name: string, metadata: JsonObject = {}): void {
  const template = {
    metadata: { annotations: { 'secrets.floe.dev/inject': 'db' } },
    spec: { containers: [{ name: 'dbt' }] },
  };
  const about = { name, namespace: 'floe-jobs', uid: `uid-${name}`, ...metadata };
  reign.objects.set(`${SETS}/${name}`, { kind: 'ReplicaSet', metadata: about, spec: { template } });
}

let event = 0;
/** What a controller says of a pod that it could not make. */
function refused(name = 'dbt', more: JsonObject = {}): void {
  event += 1;
  const lastTimestamp = new Date().toISOString().replace(/\.\d+Z/, 'Z');
  reign.feed(EVENTS).add({
    metadata: { name: `e${event}`, namespace: 'floe-jobs', resourceVersion: String(event) },
    involvedObject: {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name,
      namespace: 'floe-jobs',
      uid: `uid-${name}`,
    },
    reason: 'FailedCreate',
    message: REFUSED,
    lastTimestamp,
    ...more,
  });
}

const comes = (): void =>
  reign.put(SECRET, {
    kind: 'Secret',
    metadata: { namespace: 'floe-jobs', name: 'db' },
    data: { PASSWORD: 'dg==' },
  });
const touches = (): readonly string[] => reign.writes.map(({ path }) => path.split('/').at(-1) ?? '');

describe('the owner of a refused pod', () => {
  it('is touched as soon as its pod would be admitted, and no sooner', async () => {
    reign.lead(retries);
    await reign.pass(100);
    refused();
    await reign.pass(5 * MINUTE);
    expect(reign.writes).toEqual([]);
    comes();
    await reign.pass(1_500);
    expect(reign.writes).toEqual([
      {
        method: 'PATCH',
        path: `${SETS}/dbt`,
        body: {
          metadata: {
            uid: 'uid-dbt',
            annotations: { 'secrets.floe.dev/retry': expect.stringMatching(/^2026-/) },
          },
        },
      },
    ]);
    expect(reign.counts).toEqual(['floe_secrets_retries_total ReplicaSet touched']);
    await reign.pass(30 * MINUTE);
    expect(reign.writes).toHaveLength(1);
  });

  it('is touched again where its pods are refused again, after twice as long each time', async () => {
    comes();
    reign.lead(retries);
    const times: number[] = [];
    reign.answer(() => void times.push(Date.now()));
    // Whatever refuses them, it is nothing that this judgement sees.
    for (let second = 0; second < 300; second += 1) {
      refused();
      await reign.pass(SECOND);
    }
    const pauses = times.slice(1).map((time, index) => Math.round((time - times[index]!) / SECOND));
    expect(pauses.slice(0, 6)).toEqual([2, 4, 8, 16, 32, 64]);
    expect(times.length).toBeLessThan(10);
  });

  it('waits for its next touch five minutes at the longest', async () => {
    comes();
    reign.lead(retries);
    const times: number[] = [];
    reign.answer(() => void times.push(Date.now()));
    for (let step = 0; step < 300; step += 1) {
      refused();
      await reign.pass(10 * SECOND);
    }
    const pauses = times.slice(1).map((time, index) => (time - times[index]!) / SECOND);
    expect(Math.max(...pauses)).toBeGreaterThan(290);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(310);
  });

  it('is remembered for an hour after its last refusal', async () => {
    reign.lead(retries);
    await reign.pass(100);
    refused();
    await reign.pass(58 * MINUTE);
    comes();
    await reign.pass(2 * SECOND);
    expect(touches()).toEqual(['dbt']);
    owner('other');
    reign.objects.delete('/api/v1/namespaces/floe-jobs/secrets/db');
    refused('other');
    await reign.pass(62 * MINUTE);
    comes();
    await reign.pass(5 * MINUTE);
    expect(touches()).toEqual(['dbt']);
  });

  it('is forgotten where its refusal is older than that already', async () => {
    comes();
    refused('dbt', { lastTimestamp: '2026-11-27T10:59:00Z' });
    reign.lead(retries);
    await reign.pass(5 * MINUTE);
    expect(reign.writes).toEqual([]);
  });

  it('is another’s affair where it is gone, another of its name, on its way out, or refused by somebody else', async () => {
    comes();
    owner('leaves', { deletionTimestamp: '2026-11-27T12:00:00Z' });
    owner('renewed', { uid: 'another' });
    reign.lead(retries);
    await reign.pass(100);
    for (const name of ['gone', 'leaves', 'renewed', '../../secrets']) refused(name);
    refused('dbt', { message: 'exceeded quota' });
    refused('dbt', { message: REFUSED.replace('E801', 'E805') });
    await reign.pass(5 * MINUTE);
    expect(reign.writes).toEqual([]);
  });

  it('is touched once more where the API server did not take it', async () => {
    comes();
    reign.lead(retries);
    await reign.pass(100);
    let failures = 1;
    reign.answer(() => {
      if (failures-- > 0) throw new ApiError(503, 'ServiceUnavailable', 'not now');
    });
    refused();
    await reign.pass(2 * SECOND);
    expect(reign.counts).toEqual([
      'floe_secrets_retries_total ReplicaSet failed',
      'floe_secrets_retries_total ReplicaSet touched',
    ]);
  });
});
