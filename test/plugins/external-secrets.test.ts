import { describe, expect, it, test } from 'vitest';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { timeOf } from '../../src/kube/object.ts';
import { externalSecrets } from '../../src/plugins/external-secrets.ts';
import { CLUSTER_SECRET_STORE, SECRET_STORE } from '../../src/plugins/secret-stores.ts';
import { HERE, secret, syncKind } from '../review/setup.ts';
import { ALONE, viewOf } from './view.ts';

const KIND = syncKind('ExternalSecret');
const CLUSTER = syncKind('ClusterExternalSecret');

function external(status: Json | undefined, spec: JsonObject = {}, generation = 1): KubeObject {
  const metadata = { name: 'sync', namespace: HERE, generation };
  return { kind: KIND.resource, raw: { metadata, spec, ...(status === undefined ? {} : { status }) } };
}

const health = (status: Json | undefined, spec?: JsonObject, generation?: number) =>
  KIND.health(external(status, spec, generation), ALONE);

const REFRESHED = '2026-11-22T03:58:00Z';
const OK = {
  conditions: [{ type: 'Ready', status: 'True', reason: 'SecretSynced', message: 'secret synced' }],
  refreshTime: REFRESHED,
  syncedResourceVersion: '1-ab12',
  binding: { name: 'x' },
};
const FAILED = {
  conditions: [
    {
      type: 'Ready',
      status: 'False',
      reason: 'SecretSyncedError',
      message: 'could not get secret data from provider',
      lastTransitionTime: '2026-11-22T02:00:00Z',
    },
  ],
};

describe('ExternalSecret statuses, as the operator writes them', () => {
  test('ok', () => {
    expect(health(OK)).toEqual({
      verdict: 'ok',
      generation: 'current',
      words: 'Ready=True (secret synced)',
      lastSync: timeOf(REFRESHED),
      interval: 3_600_000,
      neverOld: false,
      everSynced: true,
    });
  });

  test('edited since', () => {
    expect(health(OK, {}, 2)).toMatchObject({ verdict: 'ok', generation: 'behind' });
  });

  test('failed before its first sync', () => {
    expect(health(FAILED)).toMatchObject({ verdict: 'failing', generation: 'unreported', everSynced: false });
    expect(health(FAILED)).not.toHaveProperty('lastSync');
  });

  test('failed after a good sync keeps the time of that', () => {
    const status = { ...FAILED, refreshTime: REFRESHED, syncedResourceVersion: '1-ab12' };
    expect(health(status)).toMatchObject({
      verdict: 'failing',
      generation: 'current',
      lastSync: timeOf(REFRESHED),
      failingSince: timeOf('2026-11-22T02:00:00Z'),
      everSynced: true,
    });
  });

  // A failure writes no syncedResourceVersion, so only its time tells which spec it is about.
  test.each([
    ['after the edit is about the new spec', '2026-11-22T01:59:00Z', 'current'],
    ['before the edit is about the old one', '2026-11-22T02:01:00Z', 'behind'],
  ])('a failure that began %s', (_when, written, generation) => {
    const status = { ...FAILED, refreshTime: REFRESHED, syncedResourceVersion: '1-ab12' };
    const object = { ...external(status, {}, 2), specWrittenAt: timeOf(written) ?? 0 };
    expect(KIND.health(object, ALONE)).toMatchObject({ verdict: 'failing', generation });
  });

  test.each([
    ['SecretMissing', 'secret will not be created due to CreationPolicy=Merge'],
    ['SecretDeleted', 'secret deleted due to DeletionPolicy=Delete'],
  ])('True with %s is no success', (reason, message) => {
    const conditions = [{ type: 'Ready', status: 'True', reason, message }];
    expect(health({ conditions })).toMatchObject({ verdict: 'failing', words: `Ready=True (${message})` });
  });

  test('none, where no controller serves the class of its store', () => {
    expect(health(undefined)).toMatchObject({ verdict: 'none', everSynced: false });
  });

  test.each([{ conditions: 'x' }, { conditions: [null, 1, {}] }, 'x', { syncedResourceVersion: {} }])(
    'is not thrown off by %j',
    (status) => {
      expect(health(status as Json).verdict).toBe('none');
    },
  );
});

describe('ExternalSecret specs', () => {
  it.each([
    [{}, [`${HERE}/sync`]],
    [{ target: { name: 'db' } }, [`${HERE}/db`]],
    [{ target: { name: '' } }, [`${HERE}/sync`]],
    [{ target: { name: 'db', manifest: { apiVersion: 'v1', kind: 'ConfigMap' } } }, []],
    [{ target: { name: 'db', manifest: { apiVersion: 'v1', kind: 'Secret' } } }, [`${HERE}/db`]],
  ])('%j target %j', (spec, expected) => {
    const targets = KIND.targets(external(undefined, spec));
    expect(targets.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(expected);
  });

  it.each([
    ['Owner', undefined],
    ['Orphan', undefined],
    ['CreateOrMerge', undefined],
    ['Merge', 'create'],
    ['None', 'write'],
  ])('with creationPolicy %s keep from: %s', (creationPolicy, from) => {
    expect(health(OK, { target: { creationPolicy } }).restraint?.from).toBe(from);
  });

  it('have an interval, or are refreshed once', () => {
    expect(health(OK, { refreshInterval: '15m0s' })).toMatchObject({ interval: 900_000, neverOld: false });
    expect(health(OK, { refreshInterval: '0s' })).toMatchObject({ neverOld: true });
    expect(health(OK, { refreshInterval: '0s' })).not.toHaveProperty('interval');
  });
});

describe('stores', () => {
  const store = (name: string, provider: JsonObject, conditions: readonly Json[] = []): KubeObject => ({
    kind: SECRET_STORE,
    raw: { metadata: { name, namespace: HERE }, spec: { provider }, status: { conditions } },
  });
  const vault = store('vault', { vault: { server: 'https://vault' } });
  const payments = store('payments', {
    infisical: { secretsScope: { projectSlug: 'pay', environmentSlug: 'prod', secretsPath: '/db' } },
  });
  const cloud: KubeObject = {
    kind: CLUSTER_SECRET_STORE,
    raw: { metadata: { name: 'cloud' }, spec: { provider: { aws: { service: 'SecretsManager' } } } },
  };
  const view = viewOf([vault, payments, cloud]);
  const of = (spec: JsonObject) => KIND.scope(external(OK, spec), view);
  const key = (name: string) => ({ secretKey: 'A', remoteRef: { key: name } });

  it('are those of the spec and of its entries, each with its keys', () => {
    expect(
      of({
        secretStoreRef: { name: 'vault' },
        data: [
          key('db'),
          { ...key('aws/db'), sourceRef: { storeRef: { name: 'cloud', kind: 'ClusterSecretStore' } } },
        ],
        dataFrom: [{ extract: { key: 'all' } }, { sourceRef: { generatorRef: { kind: 'Password' } } }],
      }),
    ).toEqual({
      projects: ['vault', 'cloud'],
      shown: ['vault/vault', 'aws/cloud'],
      environments: [],
      paths: ['db', 'all', 'aws/db'],
    });
  });

  it('are read whatever generator stands beside them', () => {
    const generatorRef = { kind: 'Password' };
    const spec = {
      secretStoreRef: { name: 'vault' },
      data: [{ ...key('db'), sourceRef: { generatorRef } }],
      dataFrom: [{ find: { path: 'all' }, sourceRef: { generatorRef, storeRef: { name: 'payments' } } }],
    };
    expect(of(spec)).toMatchObject({ projects: ['vault', 'pay'], paths: ['db', '/db'] });
  });

  it('of Infisical without a scope tell the project by each key, unless it leads elsewhere', () => {
    const open = store('open', { infisical: {} });
    const read = (...keys: readonly string[]) =>
      KIND.scope(external(OK, { secretStoreRef: { name: 'open' }, data: keys.map(key) }), viewOf([open]))
        .projects;
    expect(read('/pay/db', '/sales/db')).toEqual(['pay', 'sales']);
    expect(read('/pay/../sales/db')).toEqual([]);
  });

  it('of Infisical tell project, environment and path', () => {
    expect(of({ secretStoreRef: { name: 'payments', kind: 'SecretStore' }, data: [key('A')] })).toEqual({
      projects: ['pay'],
      shown: ['pay'],
      environments: ['prod'],
      paths: ['/db'],
    });
  });

  it('that cannot be read hide the projects of the others', () => {
    const spec = {
      secretStoreRef: { name: 'vault' },
      data: [{ ...key('x'), sourceRef: { storeRef: { name: 'gone' } } }],
    };
    expect(of(spec)).toMatchObject({ projects: [], shown: [] });
  });

  it('explain a failure only where they are not well', () => {
    const spec = { secretStoreRef: { name: 'sick' } };
    const condition = { type: 'Ready', status: 'False', reason: 'ValidationFailed', message: 'no such host' };
    const sick = store('sick', { vault: {} }, [condition]);
    expect(KIND.health(external(FAILED, spec), viewOf([sick]))).toMatchObject({
      cause: "its SecretStore 'sick' reports Ready=False (no such host)",
      remedy: `kubectl describe secretstore sick -n ${HERE}`,
    });
    const unknown = { ...condition, status: 'True', reason: 'ValidationUnknown' };
    expect(KIND.health(external(FAILED, spec), viewOf([store('sick', {}, [unknown])]))).not.toHaveProperty(
      'cause',
    );
    const forbidden = { state: 'failed', failure: { reason: 'forbidden', message: '' } } as const;
    expect(
      KIND.health(
        external(FAILED, spec),
        viewOf([], () => forbidden),
      ),
    ).not.toHaveProperty('cause');
    expect(KIND.health(external(OK, spec), viewOf([sick]))).not.toHaveProperty('cause');
  });
});

describe('ClusterExternalSecret', () => {
  const cluster = (spec: JsonObject, status: JsonObject = {}): KubeObject => ({
    kind: CLUSTER.resource,
    raw: { metadata: { name: 'all' }, spec, status },
  });

  it('targets the namespaces that it names or has tried', () => {
    const object = cluster(
      { externalSecretName: 'db', namespaces: ['a', 'b'], externalSecretSpec: {} },
      { provisionedNamespaces: ['b', 'c'], failedNamespaces: [{ namespace: 'd', reason: 'exists' }] },
    );
    expect(CLUSTER.targets(object).map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
      'a/db',
      'b/db',
      'c/db',
      'd/db',
    ]);
  });

  it('takes the names of its ExternalSecrets, and of their targets', () => {
    const names = (spec: JsonObject) =>
      CLUSTER.targets(cluster({ namespaces: ['a'], ...spec })).map(({ name }) => name);
    expect(names({ externalSecretSpec: {} })).toEqual(['all']);
    expect(names({ externalSecretSpec: { target: { name: 'db' } } })).toEqual(['db']);
  });

  it('says of each namespace what is so there', () => {
    const object = cluster(
      { externalSecretSpec: {} },
      { provisionedNamespaces: ['b'], failedNamespaces: [{ namespace: 'd', reason: 'exists' }] },
    );
    const at = (namespace: string) => CLUSTER.health(object, { ...ALONE, namespace });
    expect(at('b')).toMatchObject({ verdict: 'ok' });
    expect(at('d')).toMatchObject({
      verdict: 'failing',
      clause: 'cannot make its ExternalSecret here: exists',
    });
    expect(at('e')).toMatchObject({ verdict: 'none' });
  });
});

describe('the mark', () => {
  it.each([
    { labels: { 'reconcile.external-secrets.io/managed': 'true' } },
    { annotations: { 'reconcile.external-secrets.io/data-hash': 'x' } },
  ])('is %j', (more) => {
    expect(externalSecrets.marks(secret('db', more))).toBe(true);
  });

  it('is no field manager, which anybody can take', () => {
    const writes = [{ manager: 'externalsecrets.external-secrets.io/sync', time: 0, data: true }];
    expect(externalSecrets.marks(secret('db', { writes }))).toBe(false);
  });
});
