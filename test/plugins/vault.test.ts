// Statuses as the Vault Secrets Operator writes them, from before its 1.0 to 1.4.
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { SyncKind } from '../../src/plugins/plugin.ts';
import { CONNECTION, VAULT_AUTH, VAULT_AUTH_GLOBAL } from '../../src/plugins/vault-auth.ts';
import { vault, vaultDynamicSecret, vaultPkiSecret, vaultStaticSecret } from '../../src/plugins/vault.ts';
import { HERE, NOW, secret } from '../review/setup.ts';
import { objectOf } from './objects.ts';
import { ALONE, viewOf } from './view.ts';

const STAMPED = '2026-11-22T03:47:40Z';
const STAMP = Date.parse(STAMPED);
const SPEC = {
  vaultAuthRef: 'login',
  mount: 'kv',
  path: 'compute/db',
  destination: { name: 'db', create: true },
};

/** All three have the same word for a reason whatever they say. */
function condition(type: string, status: 'True' | 'False', more: JsonObject = {}): Json {
  const reason = { SecretSynced: 'Synced', Healthy: status === 'True' ? 'Healthy' : 'Unhealthy' }[type];
  return { type, status, reason: reason ?? 'Ready', lastTransitionTime: STAMPED, ...more };
}

const GOOD = [
  condition('SecretSynced', 'True', { observedGeneration: 1, message: 'Secret synced' }),
  condition('Healthy', 'True'),
  condition('Ready', 'True'),
];
const FAILED_WORDS = 'Failed to sync the secret, horizon=3s, err=permission denied';
const BAD = [
  condition('SecretSynced', 'False', { message: FAILED_WORDS }),
  condition('Healthy', 'False'),
  condition('Ready', 'False'),
];

function auth(more: { readonly status?: JsonObject; readonly spec?: JsonObject } = {}): KubeObject {
  return objectOf({ resource: VAULT_AUTH }, { name: 'login', ...more });
}

function health(kind: SyncKind, status: JsonObject, more: { spec?: JsonObject; generation?: number } = {}) {
  return kind.health(objectOf(kind, { spec: SPEC, status, ...more }), viewOf([auth()]));
}

describe('a VaultStaticSecret', () => {
  it('targets its destination', () => {
    expect(vaultStaticSecret.targets(objectOf(vaultStaticSecret, { spec: SPEC }))).toEqual([
      { namespace: HERE, name: 'db' },
    ]);
    expect(vaultStaticSecret.targets(objectOf(vaultStaticSecret, { spec: {} }))).toEqual([]);
  });

  it('is well where it is synced and healthy; its last read is when that was stamped', () => {
    expect(health(vaultStaticSecret, { lastGeneration: 1, secretMAC: 'c2FtcGxl', conditions: GOOD })).toEqual(
      {
        verdict: 'ok',
        generation: 'current',
        words: 'SecretSynced=True (Secret synced)',
        healthySince: STAMP,
        lastSync: STAMP,
        interval: 60_000,
        neverOld: false,
        everSynced: true,
      },
    );
  });

  it('fails by its status: its reason is "Synced" all the same', () => {
    const failed = health(vaultStaticSecret, { lastGeneration: 1, conditions: BAD });
    expect(failed).toMatchObject({
      verdict: 'failing',
      generation: 'current',
      words: `SecretSynced=False (${FAILED_WORDS})`,
    });
  });

  it('does not say since when: the operator stamps a failure anew at each attempt', () => {
    const failed = health(vaultStaticSecret, { lastGeneration: 1, conditions: BAD });
    expect(failed).not.toHaveProperty('failingSince');
    expect(failed).not.toHaveProperty('lastSync');
  });

  it('fails where only its health does: what it wrote before is not rewritten', () => {
    const [synced] = GOOD;
    const conditions = [synced ?? {}, condition('Healthy', 'False', { message: 'Vault is sealed' })];
    const failed = health(vaultStaticSecret, { lastGeneration: 1, conditions });
    expect(failed).toMatchObject({
      verdict: 'failing',
      words: 'Healthy=False (Vault is sealed)',
      everSynced: true,
    });
  });

  it('that was edited waits for its operator', () => {
    expect(
      health(vaultStaticSecret, { lastGeneration: 1, conditions: GOOD }, { generation: 2 }).generation,
    ).toBe('behind');
    const unobserved = [condition('SecretSynced', 'True'), condition('Healthy', 'True')];
    const behind = health(
      vaultStaticSecret,
      { lastGeneration: 3, conditions: unobserved },
      { generation: 4 },
    );
    expect(behind.generation).toBe('behind');
  });

  it('of an operator before 1.0 is known by its MAC', () => {
    expect(health(vaultStaticSecret, { lastGeneration: 1, secretMAC: 'c2FtcGxl' })).toMatchObject({
      verdict: 'ok',
      generation: 'current',
      everSynced: true,
    });
    expect(health(vaultStaticSecret, {})).toMatchObject({ verdict: 'none', everSynced: false });
  });

  it('creates nothing unless it is told to, and then reports nothing', () => {
    const spec = { ...SPEC, destination: { name: 'db' } };
    expect(health(vaultStaticSecret, {}, { spec })).toMatchObject({
      verdict: 'none',
      restraint: { from: 'create', why: 'its destination.create is false' },
    });
    expect(health(vaultStaticSecret, {}).restraint).toBeUndefined();
  });

  it.each([
    [{ refreshAfter: '30s' }, 30_000],
    [{ refreshAfter: '1.5h' }, 5_400_000],
    [{}, 60_000],
    [{ hmacSecretData: false }, undefined],
    [{ hmacSecretData: false, refreshAfter: '1h' }, 3_600_000],
  ])('refreshes by %j', (spec, interval) => {
    expect(health(vaultStaticSecret, {}, { spec: { ...SPEC, ...spec } }).interval).toBe(interval);
  });
});

describe('what stands behind it', () => {
  const failing = objectOf(vaultStaticSecret, {
    spec: SPEC,
    status: { lastGeneration: 1, conditions: BAD },
  });

  it.each([
    [
      'a login that fails',
      [auth({ status: { valid: false, error: 'role not found' } })],
      /VaultAuth 'login'.*role not found/,
    ],
    ['a login that is not there', [], /VaultAuth 'login' does not exist/],
    [
      'a connection that fails',
      [
        auth({ spec: { vaultConnectionRef: 'platform/main' } }),
        {
          kind: CONNECTION,
          raw: { metadata: { name: 'main', namespace: 'platform' }, status: { valid: false } },
        },
      ],
      /VaultConnection 'main' reports status.valid=false$/,
    ],
  ])('is told: %s', (_case, objects, cause) => {
    expect(vaultStaticSecret.health(failing, viewOf(objects)).cause).toMatch(cause);
  });

  it('is not guessed where it cannot be read, or where it is well', () => {
    const unserved = viewOf([], () => ({ state: 'failed', failure: { reason: 'forbidden', message: 'no' } }));
    expect(vaultStaticSecret.health(failing, unserved).cause).toBeUndefined();
    expect(
      vaultStaticSecret.health(failing, viewOf([auth({ status: { valid: true } })])).cause,
    ).toBeUndefined();
  });
});

describe('a VaultDynamicSecret', () => {
  const seconds = NOW / 1000;

  it('is good until its lease ends, however long ago that began', () => {
    const status = {
      lastGeneration: 1,
      lastRenewalTime: seconds - 600,
      secretLease: { id: 'database/creds/app/x', duration: 3600, renewable: true },
      conditions: GOOD,
    };
    expect(health(vaultDynamicSecret, status)).toMatchObject({
      verdict: 'ok',
      lastSync: NOW - 600_000,
      expiresAt: NOW + 3_000_000,
      neverOld: true,
    });
  });

  it('of a static role has no lease that could end', () => {
    const status = {
      lastGeneration: 1,
      lastRenewalTime: seconds,
      secretLease: { duration: 0 },
      conditions: GOOD,
    };
    expect(health(vaultDynamicSecret, status)).not.toHaveProperty('expiresAt');
  });

  it('that never got one says so by no time at all', () => {
    const dynamic = health(vaultDynamicSecret, { lastRenewalTime: 0, conditions: BAD });
    expect(dynamic).toMatchObject({ verdict: 'failing', everSynced: false });
    expect(dynamic).not.toHaveProperty('lastSync');
  });
});

describe('a VaultPKISecret', () => {
  const seconds = NOW / 1000;

  it('is good until its certificate expires', () => {
    const status = { valid: true, lastRotation: seconds - 60, expiration: seconds + 3600, conditions: GOOD };
    expect(health(vaultPkiSecret, status)).toMatchObject({
      verdict: 'ok',
      lastSync: NOW - 60_000,
      expiresAt: NOW + 3_600_000,
      neverOld: true,
      everSynced: true,
    });
  });

  it('fails by its own word too, also where there are no conditions', () => {
    expect(health(vaultPkiSecret, { valid: false, error: 'unknown role' })).toMatchObject({
      verdict: 'failing',
      words: 'status.valid=false (unknown role)',
      everSynced: false,
    });
    expect(health(vaultPkiSecret, { valid: true })).toMatchObject({ verdict: 'ok' });
  });
});

describe("Vault's projects", () => {
  const scope = (spec: JsonObject, objects: readonly KubeObject[] = [auth()]) =>
    vaultStaticSecret.scope(objectOf(vaultStaticSecret, { spec }), viewOf(objects));

  it.each([
    ['the mount', SPEC, ['kv']],
    ['the mount, however it is written', { ...SPEC, mount: '/kv/' }, ['kv']],
    ['the mount of its namespace', { ...SPEC, namespace: 'team-a/' }, ['team-a/kv']],
    ['nothing without a mount', { ...SPEC, mount: undefined }, []],
  ])('are %s', (_case, spec, projects) => {
    expect(scope(JSON.parse(JSON.stringify(spec)) as JsonObject)).toEqual({
      projects,
      environments: [],
      paths: ['compute/db'],
    });
  });

  it('are of the namespace that the login names', () => {
    expect(scope(SPEC, [auth({ spec: { namespace: 'team-b' } })]).projects).toEqual(['team-b/kv']);
  });

  it('are of the namespace of the login that it shares with others', () => {
    const login = auth({ spec: { vaultAuthGlobalRef: { name: 'all', namespace: 'platform' } } });
    const metadata = { name: 'all', namespace: 'platform' };
    const shared = (spec: JsonObject): KubeObject => ({ kind: VAULT_AUTH_GLOBAL, raw: { metadata, spec } });
    const projects = (...objects: readonly KubeObject[]) => scope(SPEC, [login, ...objects]).projects;
    expect(projects(shared({}))).toEqual(['kv']);
    expect(projects(shared({ defaultVaultNamespace: 'team-c/' }))).toEqual(['team-c/kv']);
    expect(projects(shared({ kubernetes: { namespace: 'team-d' } }))).toEqual(['team-d/kv']);
    // Which of them counts is the operator's choice of a method.
    expect(projects(shared({ defaultVaultNamespace: 'a', kubernetes: { namespace: 'b' } }))).toEqual([]);
    expect(projects()).toEqual([]);
    expect(scope({ ...SPEC, namespace: 'own' }, [login]).projects).toEqual(['own/kv']);
  });

  it.each([
    ['path', { path: '../../../other/data/db' }],
    ['path in the middle', { path: 'a/../../../other' }],
    ['mount', { mount: 'kv/../other' }],
    ['namespace', { namespace: 'team-a/..' }],
  ])('cannot be read of a %s that leads out of them', (_what, more) => {
    expect(scope({ ...SPEC, ...more }).projects).toEqual([]);
    expect(scope({ ...SPEC, path: 'a..b/...' }).projects).toEqual(['kv']);
  });

  it('cannot be read where the login cannot', () => {
    const view = viewOf([], () => ({ state: 'failed', failure: { reason: 'forbidden', message: 'no' } }));
    expect(vaultStaticSecret.scope(objectOf(vaultStaticSecret, { spec: SPEC }), view).projects).toEqual([]);
  });

  it('of a certificate are read by a role', () => {
    const object = objectOf(vaultPkiSecret, { spec: { mount: 'pki', role: 'web', destination: {} } });
    expect(vaultPkiSecret.scope(object, ALONE)).toEqual({
      projects: ['pki'],
      environments: [],
      paths: ['web'],
    });
  });
});

describe('credentials', () => {
  it.each([
    ['login', [HERE]],
    ['platform/login', ['platform']],
    ['', []],
  ])('%j are of %j', (vaultAuthRef, namespaces) => {
    const object = objectOf(vaultStaticSecret, { spec: { ...SPEC, vaultAuthRef } });
    expect(vaultStaticSecret.credentialNamespaces(object)).toEqual(namespaces);
  });
});

describe("Vault's mark", () => {
  const owner = {
    apiVersion: 'secrets.hashicorp.com/v1beta1',
    kind: 'VaultStaticSecret',
    name: 'sync',
    uid: 'u',
  };

  it.each([
    ['its label', { labels: { 'app.kubernetes.io/managed-by': 'hashicorp-vso' } }, true],
    ['the owner that its label names', { labels: { 'secrets.hashicorp.com/vso-ownerRefUID': 'u' } }, true],
    ['an owner, though it is no controller', { ownerReferences: [{ ...owner, controller: false }] }, true],
    ['what Helm manages', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, false],
  ])('%s', (_case, marks, marked) => {
    expect(vault.marks({ ...secret('db'), ...marks })).toBe(marked);
  });
});
