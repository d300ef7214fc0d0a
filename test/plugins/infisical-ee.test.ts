import { expect, it, test } from 'vitest';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { timeOf } from '../../src/kube/object.ts';
import { HERE, syncKind } from '../review/setup.ts';
import { ALONE } from './view.ts';

const KIND = syncKind('InfisicalDynamicSecret');
const T = 'secrets.infisical.com';
const SPEC = {
  managedSecretReference: { secretName: 'db', secretNamespace: 'other', creationPolicy: 'Owner' },
  dynamicSecret: {
    secretName: 'postgres',
    secretsPath: '/compute',
    environmentSlug: 'prod',
    projectSlug: 'pay',
  },
  authentication: { kubernetesAuth: { serviceAccountRef: { name: 'sa', namespace: 'platform' } } },
};
const RECONCILED = { type: `${T}/Reconcile`, status: 'True', reason: 'OK', message: 'reconciled' };
const LEASE = {
  id: 'l',
  version: 1,
  creationTimestamp: '2026-11-22T02:00:00Z',
  expiresAt: '2026-11-22T03:59:00Z',
};

function dynamic(status?: JsonObject, spec: JsonObject = SPEC): KubeObject {
  const metadata = { name: 'sync', namespace: HERE };
  return { kind: KIND.resource, raw: { metadata, spec, ...(status === undefined ? {} : { status }) } };
}
const health = (status?: JsonObject) => KIND.health(dynamic(status), ALONE);

test('a lease tells its beginning and its end', () => {
  expect(health({ conditions: [RECONCILED], lease: LEASE })).toMatchObject({
    verdict: 'ok',
    generation: 'unreported',
    lastSync: timeOf('2026-11-22T02:00:00Z'),
    expiresAt: timeOf('2026-11-22T03:59:00Z'),
    neverOld: true,
    everSynced: true,
  });
});

test('without a lease it has synced nothing, whatever it reports', () => {
  expect(health({ conditions: [RECONCILED] })).toMatchObject({ verdict: 'ok', everSynced: false });
});

test('a failure is a False condition', () => {
  const failed = { ...RECONCILED, status: 'False', reason: 'Error', message: 'no lease' };
  expect(health({ conditions: [failed] })).toMatchObject({
    verdict: 'failing',
    words: `${T}/Reconcile=False (no lease)`,
  });
});

test('conditions that no reconcile writes decide nothing', () => {
  const created = { type: `${T}/LeaseCreated`, status: 'True', reason: 'OK', message: '' };
  expect(health({ conditions: [created] as Json[] })).toMatchObject({ verdict: 'none' });
});

it('targets one Secret, also of another namespace, and reads one dynamic secret', () => {
  expect(KIND.targets(dynamic())).toEqual([{ namespace: 'other', name: 'db' }]);
  expect(KIND.targets(dynamic(undefined, {}))).toEqual([]);
  expect(KIND.scope(dynamic(), ALONE)).toEqual({
    projects: ['pay'],
    environments: ['prod'],
    paths: ['/compute/postgres'],
  });
  expect(KIND.credentialNamespaces(dynamic())).toEqual(['platform']);
});
