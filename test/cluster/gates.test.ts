import { afterEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../src/cluster/api-error.ts';
import { gates } from '../../src/cluster/gates.ts';
import { reducePod } from '../../src/cluster/reduce-running.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { asObject, text } from '../../src/kube/json.ts';
import { NAMESPACE, SECRET } from '../../src/kube/object.ts';
import { syncKind } from '../review/setup.ts';
import type { Reign } from './reign.ts';
import { NOON, createReign } from './reign.ts';

const PODS = '/api/v1/namespaces/floe-jobs/pods';
const DB = '/api/v1/namespaces/floe-jobs/secrets/db';
const MINUTE = 60_000;
let reign: Reign;
afterEach(() => reign.die());

/** A leader over one namespace, and over a pod that waits behind our gate for the Secret `db`. */
function lead(
  settings: JsonObject = {},
  annotations: JsonObject = { 'secrets.floe.dev/pending': 'gate' },
): void {
  reign = createReign(settings);
  const labels = { 'secrets.floe.dev/injection': 'enabled' };
  reign.put(NAMESPACE, { metadata: { name: 'floe-jobs', labels, annotations } });
  claim('db');
  wait('dbt');
  reign.lead(gates);
}

/** An InfisicalSecret that is so young that its Secret is still to come. */
function claim(secretName: string): void {
  reign.put(syncKind('InfisicalSecret').resource, {
    metadata: { name: secretName, namespace: 'floe-jobs', creationTimestamp: new Date().toISOString() },
    spec: { managedKubeSecretReferences: [{ secretName, secretNamespace: 'floe-jobs' }] },
  });
}

function wait(name: string, gateNames = ['example.com/other', 'secrets.floe.dev/pending']): JsonObject {
  const pod = {
    metadata: {
      name,
      namespace: 'floe-jobs',
      uid: `uid-${name}`,
      creationTimestamp: new Date(NOON).toISOString(),
      annotations: { 'secrets.floe.dev/inject': 'db', 'secrets.floe.dev/injected': 'db' },
    },
    spec: {
      containers: [{ name: 'dbt', envFrom: [{ secretRef: { name: 'db' } }] }],
      schedulingGates: gateNames.map((gate) => ({ name: gate })),
    },
  };
  reign.objects.set(`${PODS}/${name}`, pod);
  reign.running.putPod(reducePod(pod));
  return pod;
}

const comes = (): void =>
  reign.put(SECRET, {
    kind: 'Secret',
    metadata: { namespace: 'floe-jobs', name: 'db' },
    data: { PASSWORD: 'dg==' },
  });
const opened = () => reign.writes.map(({ path }) => path);

describe('a gate', () => {
  it('is opened within a second of the sync, once, with the version that the pod will see', async () => {
    lead();
    await reign.pass(5_000);
    expect(reign.writes).toEqual([]);
    expect(reign.reasons()).toEqual(['SecretsPending']);
    comes();
    await reign.pass(1_000);
    const version = text(asObject(reign.objects.get(DB)?.['metadata']), 'resourceVersion');
    expect(reign.writes).toEqual([
      {
        method: 'PATCH',
        path: `${PODS}/dbt`,
        body: [
          { op: 'test', path: '/metadata/uid', value: 'uid-dbt' },
          { op: 'test', path: '/spec/schedulingGates/1/name', value: 'secrets.floe.dev/pending' },
          { op: 'remove', path: '/spec/schedulingGates/1' },
          {
            op: 'add',
            path: '/metadata/annotations/secrets.floe.dev~1versions',
            value: `db=${version}`,
          },
        ],
      },
    ]);
    expect(reign.reasons()).toEqual(['SecretsPending', 'SecretsReady']);
    expect(reign.counts).toEqual(['floe_secrets_gates_opened_total ready']);
    await reign.pass(MINUTE);
    expect(reign.writes).toHaveLength(1);
  });

  it('that stays closed for too long is told of once, and stays closed', async () => {
    lead();
    await reign.pass(9 * MINUTE);
    expect(reign.reasons()).toEqual(['SecretsPending']);
    expect(reign.gauges.get('floe_secrets_gated_pods')).toEqual([
      { namespace: 'floe-jobs', overdue: 'false', value: 1 },
    ]);
    await reign.pass(2 * MINUTE);
    expect(reign.reasons()).toEqual(['SecretsPending', 'SecretsOverdue']);
    expect(reign.gauges.get('floe_secrets_gated_pods')).toEqual([
      { namespace: 'floe-jobs', overdue: 'true', value: 1 },
    ]);
    await reign.pass(10 * MINUTE);
    expect(reign.reasons()).toEqual(['SecretsPending', 'SecretsOverdue']);
    expect(reign.writes).toEqual([]);
  });

  it('is opened where the namespace asks no more for it, and with gates.enabled: false', async () => {
    lead();
    await reign.pass(1_000);
    reign.put(NAMESPACE, {
      metadata: { name: 'floe-jobs', labels: { 'secrets.floe.dev/injection': 'enabled' } },
    });
    await reign.pass(100);
    expect(opened()).toEqual([`${PODS}/dbt`]);
    expect(reign.counts).toEqual(['floe_secrets_gates_opened_total unasked']);
    await reign.die();
    lead({ gates: { enabled: false } });
    await reign.pass(100);
    expect(opened()).toEqual([`${PODS}/dbt`]);
    expect(reign.reasons()).toEqual(['SecretsReady']);
  });

  it('is tried again where the API server did not take it', async () => {
    lead();
    let failures = 3;
    reign.answer(() => {
      if (failures-- > 0) throw new ApiError(500, 'InternalError', 'not now');
    });
    comes();
    await reign.pass(5_000);
    expect(opened()).toHaveLength(4);
    expect(reign.reasons()).toEqual(['SecretsReady']);
    expect(reign.told).toHaveLength(3);
  });

  it('of another pod of that name, of a stranger, or of a pod that is gone is nobody’s to open', async () => {
    lead();
    const other = wait('other');
    reign.objects.set(`${PODS}/other`, {
      ...other,
      metadata: { ...(other['metadata'] as JsonObject), uid: 'another' },
    });
    wait('stranger', ['example.com/other']);
    const gone = wait('gone');
    reign.objects.delete(`${PODS}/gone`);
    reign.running.removePod(reducePod(gone));
    comes();
    await reign.pass(MINUTE);
    expect(opened()).toEqual([`${PODS}/dbt`]);
  });

  it('is told of no more by who does not lead any more', async () => {
    lead();
    await reign.pass(MINUTE);
    expect(reign.gauges.get('floe_secrets_gated_pods')).toHaveLength(1);
    await reign.die();
    expect(reign.gauges.get('floe_secrets_gated_pods')).toEqual([]);
  });
});
