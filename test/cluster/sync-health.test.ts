import { afterEach, describe, expect, it } from 'vitest';
import { reducePod } from '../../src/cluster/reduce-running.ts';
import { syncHealth } from '../../src/cluster/sync-health.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { NAMESPACE } from '../../src/kube/object.ts';
import { workload } from '../reload/setup.ts';
import { syncKind } from '../review/setup.ts';
import { infisicalSecret } from './infisical-secret.ts';
import type { Reign } from './reign.ts';
import { createReign } from './reign.ts';

const TURN = 10_000;
const { resource } = syncKind('InfisicalSecret');
let reign: Reign;
afterEach(() => reign.die());

function lead(settings: JsonObject = {}): void {
  reign = createReign(settings);
  reign.put(NAMESPACE, {
    metadata: { name: 'floe-jobs', labels: { 'secrets.floe.dev/injection': 'enabled' } },
  });
  reign.lead(syncHealth(reign.config));
}

function sync(secretName: string, isGood: boolean): void {
  reign.put(resource, infisicalSecret(secretName, isGood));
}

/** A pod of a StatefulSet of its name, that uses the Secret. */
function uses(secret: string, name = 'dbt'): void {
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: `uid-of-${name}`, controller: true };
  reign.running.putWorkload(workload('StatefulSet', { namespace: 'floe-jobs', name, uid: `uid-of-${name}` }));
  const envFrom = [{ secretRef: { name: secret } }];
  reign.running.putPod(
    reducePod({
      metadata: { name: `${name}-0`, namespace: 'floe-jobs', uid: `uid-${name}`, ownerReferences: [owner] },
      spec: { containers: [{ name: 'dbt', envFrom }] },
      status: { phase: 'Running' },
    }),
  );
}

describe('the health of syncs', () => {
  it('is told to whoever uses the Secret when it turns bad, once, and again only when it does so again', async () => {
    lead();
    sync('db', true);
    uses('db');
    uses('db', 'api');
    await reign.pass(3 * TURN);
    expect(reign.events).toEqual([]);
    sync('db', false);
    await reign.pass(10 * TURN);
    expect(reign.events.map(({ regarding, reason }) => `${regarding.name} ${reason}`).toSorted()).toEqual([
      'api SecretStale',
      'dbt SecretStale',
    ]);
    expect(reign.events[0]?.message).toContain("Secret 'db' is stale");
    sync('db', true);
    await reign.pass(2 * TURN);
    sync('db', false);
    await reign.pass(5 * TURN);
    expect(reign.reasons()).toEqual(Array.from({ length: 4 }, () => 'SecretStale'));
  });

  it('is no news where it was never good as far as this leader knows, or where nobody uses the Secret', async () => {
    lead();
    sync('db', false);
    uses('db');
    uses('later', 'api');
    sync('unused', true);
    await reign.pass(2 * TURN);
    sync('unused', false);
    sync('later', false);
    await reign.pass(2 * TURN);
    expect(reign.events).toEqual([]);
  });

  it('is told when the source goes', async () => {
    lead();
    sync('db', true);
    uses('db');
    await reign.pass(TURN);
    reign.remove(resource, 'floe-jobs', 'db');
    await reign.pass(5 * TURN);
    expect(reign.reasons()).toEqual(['SecretSourceGone']);
  });

  it('tells at most twenty workloads of one Secret', async () => {
    lead();
    sync('db', true);
    for (let index = 0; index < 30; index += 1) uses('db', `w${index}`);
    await reign.pass(TURN);
    sync('db', false);
    await reign.pass(2 * TURN);
    expect(reign.events).toHaveLength(20);
  });

  it('has metrics for as many Secrets as they may have, those that pods use first', async () => {
    lead({ metrics: { maxSecrets: 2 } });
    for (const name of ['a', 'b', 'c']) sync(name, name !== 'c');
    uses('c');
    await reign.pass(TURN);
    const row = (secret: string, value: number) => ({
      namespace: 'floe-jobs',
      secret,
      plugin: 'infisical',
      value,
    });
    expect(reign.gauges.get('floe_secrets_sync_ready')).toEqual([row('c', 0), row('a', 1)]);
    await reign.die();
    expect(reign.gauges.get('floe_secrets_sync_ready')).toEqual([]);
  });

  it('has none of what no Secret can be called', async () => {
    lead();
    for (const name of ['db', 'd"b\n', 'x'.repeat(1_000_000)]) sync(name, true);
    await reign.pass(TURN);
    expect(reign.gauges.get('floe_secrets_sync_ready')).toEqual([
      { namespace: 'floe-jobs', secret: 'db', plugin: 'infisical', value: 1 },
    ]);
  });

  it('ages', async () => {
    lead();
    sync('db', false);
    await reign.pass(TURN);
    const [first] = reign.gauges.get('floe_secrets_sync_age_seconds') as readonly {
      readonly value: number;
    }[];
    await reign.pass(6 * TURN);
    const [later] = reign.gauges.get('floe_secrets_sync_age_seconds') as readonly {
      readonly value: number;
    }[];
    expect(later!.value - first!.value).toBe(60);
  });
});
