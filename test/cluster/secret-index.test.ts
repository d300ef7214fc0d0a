import { afterEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../src/cluster/api-error.ts';
import { secretIndex } from '../../src/cluster/secret-index.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { asObject, dig } from '../../src/kube/json.ts';
import { NAMESPACE, SECRET } from '../../src/kube/object.ts';
import { fitting } from '../../src/review/secret-index.ts';
import { use, workload } from '../reload/setup.ts';
import type { Reign } from './reign.ts';
import { createReign } from './reign.ts';

const INDEX = '/api/v1/namespaces/floe-jobs/configmaps/floe-secrets-index';
const CONFIG_MAPS = '/api/v1/configmaps?fieldSelector=metadata.name%3Dfloe-secrets-index';
const OURS = { 'app.kubernetes.io/name': 'floe-secrets-webhook' };
const VALUE = Buffer.from('hunter2').toString('base64');
let reign: Reign;
afterEach(() => reign.die());

/** A leader over a namespace with one workload that names these Secrets. */
function lead(...names: readonly string[]): void {
  reign = createReign({ policy: { index: true } });
  reign.put(NAMESPACE, {
    metadata: { name: 'floe-jobs', labels: { 'secrets.floe.dev/injection': 'enabled' } },
  });
  const templateUses = names.map((name) => use(name));
  reign.running.putWorkload(workload('Deployment', { namespace: 'floe-jobs', templateUses }));
  reign.lead(secretIndex(reign.config));
}

function secret(name: string, annotations: JsonObject = {}): void {
  reign.put(SECRET, {
    kind: 'Secret',
    metadata: { namespace: 'floe-jobs', name, annotations },
    data: { PASSWORD: VALUE },
  });
}

/** An index that stands there, with this data. */
function stands(data: JsonObject, labels: JsonObject = OURS): void {
  const metadata = { name: 'floe-secrets-index', namespace: 'floe-jobs', labels };
  reign.feed(CONFIG_MAPS).add({ metadata, data });
}

describe('the index of a namespace', () => {
  it('has names and states of the Secrets that pods may use, and nothing else', async () => {
    lead('db', 'api', 'not-there');
    secret('db', { 'kubectl.kubernetes.io/last-applied-configuration': 'hunter2' });
    secret('api');
    await reign.pass(5_000);
    expect(reign.writes).toEqual([
      {
        method: 'PATCH',
        path: `${INDEX}?fieldManager=floe-secrets-webhook&force=true`,
        body: {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'floe-secrets-index', namespace: 'floe-jobs', labels: OURS },
          data: { api: 'Synced', db: 'Synced' },
        },
      },
    ]);
    expect(JSON.stringify([reign.writes, reign.told, reign.events])).not.toMatch(
      new RegExp(`hunter2|${VALUE}`),
    );
    expect(reign.gauges.get('floe_secrets_index_secrets')).toEqual([
      { namespace: 'floe-jobs', result: 'listed', value: 2 },
    ]);
    expect(reign.counts).toEqual(['floe_secrets_index_writes_total written']);
  });

  it('loses what others put in, and stays as it is where it is right', async () => {
    lead('db');
    secret('db');
    stands({ db: 'Synced', forged: 'Synced' });
    await reign.pass(5_000);
    expect(reign.writes).toEqual([
      {
        method: 'PATCH',
        path: `${INDEX}?fieldManager=floe-secrets-webhook`,
        body: { metadata: { labels: OURS }, data: { db: 'Synced', forged: null } },
      },
    ]);
    stands({ db: 'Synced' });
    await reign.pass(60_000);
    expect(reign.writes).toHaveLength(1);
  });

  it('goes where the namespace takes no part any more, if it is ours', async () => {
    lead('db');
    secret('db');
    stands({ db: 'Synced' });
    await reign.pass(1_000);
    reign.put(NAMESPACE, { metadata: { name: 'floe-jobs' } });
    await reign.pass(1_000);
    expect(reign.writes).toEqual([{ method: 'DELETE', path: INDEX, body: undefined }]);
    expect(reign.gauges.get('floe_secrets_index_secrets')).toEqual([]);
    await reign.die();
    lead('db');
    reign.put(NAMESPACE, { metadata: { name: 'floe-jobs' } });
    stands({ theirs: 'x' }, {});
    await reign.pass(60_000);
    expect(reign.writes).toEqual([]);
  });

  it('is not written before each Secret that counts was seen', async () => {
    lead('db');
    reign.fail('/api/v1/namespaces/floe-jobs/secrets/db', new ApiError(500, 'InternalError', 'no'));
    await reign.pass(60_000);
    expect(reign.writes).toEqual([]);
    reign.fail('/api/v1/namespaces/floe-jobs/secrets/db', undefined);
    secret('db');
    await reign.pass(10_000);
    expect(reign.writes).toHaveLength(1);
  });

  it('says so where one object has no room for all of them', async () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `${'x'.repeat(245)}-${index}`);
    lead(...names);
    for (const name of names) secret(name);
    await reign.pass(200_000);
    const [write] = reign.writes;
    const listed = Object.keys(asObject(dig(write?.body, 'data'))).length;
    expect(listed).toBeGreaterThan(2_000);
    expect(JSON.stringify(write?.body).length).toBeLessThan(700_000);
    expect(reign.gauges.get('floe_secrets_index_secrets')).toEqual([
      { namespace: 'floe-jobs', result: 'listed', value: listed },
      { namespace: 'floe-jobs', result: 'left_out', value: 3_000 - listed },
    ]);
    expect(reign.told.filter((line) => line.startsWith('index of Secrets is full'))).toHaveLength(1);
  });
});

it('keeps room for the Secrets in use first, whatever their names', () => {
  const secrets = Array.from({ length: 4_000 }, (_, index) => ({
    name: `${'x'.repeat(240)}-${index}`,
    state: 'Synced' as const,
  }));
  const last = secrets.at(-1)!.name;
  const { secrets: kept, left } = fitting(secrets, (name) => name === last);
  expect(kept[0]?.name).toBe(last);
  expect(kept.length + left).toBe(4_000);
  expect(left).toBeGreaterThan(1_000);
  expect(fitting(secrets.slice(0, 5), () => false)).toMatchObject({ left: 0 });
});
