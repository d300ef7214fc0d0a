import { describe, expect, it, test } from 'vitest';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { infisical } from '../../src/plugins/infisical.ts';
import type { Health, SyncKind } from '../../src/plugins/plugin.ts';
import { HERE, secret, syncKind } from '../review/setup.ts';
import { SECRET_STATUSES, STATIC_STATUSES } from './statuses.ts';
import { ALONE } from './view.ts';

const SECRET = syncKind('InfisicalSecret');
const STATIC = syncKind('InfisicalStaticSecret');
const FLIPPED = Date.parse('2026-11-22T03:47:40Z');

const ONE_TARGET = { managedKubeSecretReferences: [{ secretName: 'db', secretNamespace: HERE }] };

function object(kind: SyncKind, spec: JsonObject, status?: JsonObject, generation = 1): KubeObject {
  const metadata = { name: 'sync', namespace: HERE, generation };
  return { kind: kind.resource, raw: { metadata, spec, ...(status === undefined ? {} : { status }) } };
}

function healthOfSecret(conditions: readonly Json[] | undefined, spec: JsonObject = ONE_TARGET): Health {
  return SECRET.health(object(SECRET, spec, conditions === undefined ? undefined : { conditions }), ALONE);
}

function healthOfStatic(conditions: readonly Json[], generation = 1, spec: JsonObject = {}): Health {
  return STATIC.health(object(STATIC, spec, { conditions }, generation), ALONE);
}

describe('InfisicalSecret targets', () => {
  it.each([
    [
      'the single form',
      { managedSecretReference: { secretName: 'db', secretNamespace: HERE } },
      [`${HERE}/db`],
    ],
    [
      'the list',
      {
        managedKubeSecretReferences: [
          { secretName: 'a', secretNamespace: HERE },
          { secretName: 'b', secretNamespace: 'other' },
        ],
      },
      [`${HERE}/a`, 'other/b'],
    ],
    [
      'both, which it will refuse',
      { managedSecretReference: { secretName: 'a' }, managedKubeSecretReferences: [{ secretName: 'b' }] },
      [`${HERE}/a`, `${HERE}/b`],
    ],
    [
      'ConfigMaps alone',
      { managedKubeConfigMapReferences: [{ configMapName: 'c', configMapNamespace: HERE }] },
      [],
    ],
    ['nothing', {}, []],
    [
      'names that are none',
      { managedKubeSecretReferences: [{ secretName: '' }, {}, null, 'x', { secretName: 1 }] },
      [],
    ],
    ['a spec that is none', 'x', []],
  ])('%s', (_what, spec, targets) => {
    const found = SECRET.targets(object(SECRET, spec as JsonObject));
    expect(found.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(targets);
  });
});

describe('InfisicalSecret health', () => {
  test.each([
    ['good', 'ok', true],
    ['nothingFound', 'ok', true],
    ['secretDeleted', 'ok', true],
    ['badCredentials', 'failing', false],
    ['noCredentials', 'failing', false],
    ['missingProject', 'failing', false],
    ['serverDown', 'failing', false],
    ['tokenFailedOnly', 'failing', false],
    // The token's condition alone tells nothing good.
    ['tokenOnly', 'none', false],
  ] as const)('%s is %s', (name, verdict, everSynced) => {
    const health = healthOfSecret(SECRET_STATUSES[name]);
    expect(health).toMatchObject({ verdict, everSynced, generation: 'unreported', neverOld: false });
    expect(health.lastSync).toBeUndefined();
    expect(health.refused).toBeUndefined();
  });

  it('has no verdict without a status', () => {
    expect(healthOfSecret(undefined)).toMatchObject({ verdict: 'none', everSynced: false });
  });

  it("says the operator's own words, and since when", () => {
    const failing = healthOfSecret(SECRET_STATUSES.badCredentials);
    expect(failing.words).toMatch(
      /^secrets\.infisical\.com\/ReadyToSyncSecrets=False \(unable to authenticate.*Invalid credentials/,
    );
    expect(failing).toMatchObject({ failingSince: FLIPPED });
    expect(failing.healthySince).toBeUndefined();
    expect(healthOfSecret(SECRET_STATUSES.good)).toMatchObject({ healthySince: FLIPPED });
  });

  it('reads the status of a condition, never its reason', () => {
    const odd = [{ type: 'secrets.infisical.com/ReadyToSyncSecrets', status: 'False', reason: 'OK' }];
    expect(healthOfSecret(odd).verdict).toBe('failing');
    expect(healthOfSecret([{ ...odd[0], status: 'True', reason: 'Error' }]).verdict).toBe('ok');
    expect(healthOfSecret([{ ...odd[0], status: 'Unknown' }]).verdict).toBe('failing');
  });

  it.each([
    ['none', {}, 'has no managedKubeSecretReferences'],
    ['an empty list', { managedKubeSecretReferences: [] }, 'has no managedKubeSecretReferences'],
    ['both', { managedSecretReference: { secretName: 'a' }, ...ONE_TARGET }, 'has both'],
    [
      "the ADR's misplaced scope",
      { ...ONE_TARGET, secretsScope: { envSlug: 'dev' } },
      'secretsScope stands under spec',
    ],
    [
      "the ADR's spelling",
      { ...ONE_TARGET, authentication: { universalAuth: { secretsScope: { project_slug: 'x' } } } },
      'written projectSlug',
    ],
  ])('refuses %s', (_what, spec, why) => {
    expect(healthOfSecret(undefined, spec).refused).toContain(why);
  });

  it('refuses no spec that only writes ConfigMaps', () => {
    const spec = { managedKubeConfigMapReferences: [{ configMapName: 'c', configMapNamespace: HERE }] };
    expect(healthOfSecret(undefined, spec).refused).toBeUndefined();
  });

  it.each([
    [{ syncConfig: { resyncInterval: '5m' } }, 300_000],
    [{ resyncInterval: 60 }, 60_000],
    [{ syncConfig: { resyncInterval: '1h' }, resyncInterval: 60 }, 3_600_000],
    [{}, undefined],
    [{ resyncInterval: 0 }, undefined],
    [{ syncConfig: { resyncInterval: 'often' } }, undefined],
  ])('reads the interval of %j', (spec, interval) => {
    expect(healthOfSecret(SECRET_STATUSES.good, { ...ONE_TARGET, ...spec }).interval).toBe(interval);
  });

  it.each([
    { conditions: 'x' },
    { conditions: [null, 1, 'x', [], {}] },
    { conditions: [{ type: 'secrets.infisical.com/ReadyToSyncSecrets' }] },
    {
      conditions: [
        {
          type: 'secrets.infisical.com/ReadyToSyncSecrets',
          status: 1,
          message: {},
          lastTransitionTime: 'never',
        },
      ],
    },
    'x',
  ])('is not thrown off by the status %j', (status) => {
    expect(['none', 'failing']).toContain(
      SECRET.health(object(SECRET, ONE_TARGET, status as JsonObject), ALONE).verdict,
    );
  });
});

describe('InfisicalSecret scope', () => {
  it.each([
    'universalAuth',
    'kubernetesAuth',
    'awsIamAuth',
    'azureAuth',
    'gcpIdTokenAuth',
    'gcpIamAuth',
    'ldapAuth',
  ])('is read from %s', (method) => {
    const secretsScope = {
      projectSlug: 'data',
      projectId: '11111111',
      envSlug: 'prod',
      secretsPath: '/compute',
    };
    expect(SECRET.scope(object(SECRET, { authentication: { [method]: { secretsScope } } }), ALONE)).toEqual({
      projects: ['data', '11111111'],
      environments: ['prod'],
      paths: ['/compute'],
    });
  });

  it('is read from the legacy service account', () => {
    const authentication = { serviceAccount: { projectId: 'p', environmentName: 'dev' } };
    expect(SECRET.scope(object(SECRET, { authentication }), ALONE)).toEqual({
      projects: ['p'],
      environments: ['dev'],
      paths: [],
    });
  });

  it('has no project for a service token, which names none', () => {
    const authentication = { serviceToken: { secretsScope: { envSlug: 'dev', secretsPath: '/' } } };
    expect(SECRET.scope(object(SECRET, { authentication }), ALONE)).toMatchObject({
      projects: [],
      environments: ['dev'],
    });
  });

  it.each([
    ['of today', { serviceToken: { serviceTokenSecretReference: { secretName: 't' } } }, {}],
    ['of old', {}, { tokenSecretReference: { secretName: 't', secretNamespace: HERE } }],
  ])(
    'does not hide a service token %s, which is tried first, behind another method',
    (_form, token, more) => {
      const universalAuth = { secretsScope: { projectSlug: 'ours' } };
      const spec = { ...more, authentication: { universalAuth, ...token } };
      expect(SECRET.scope(object(SECRET, spec), ALONE).projects).toEqual([]);
      const without = { tokenSecretReference: { secretName: '' }, authentication: { universalAuth } };
      expect(SECRET.scope(object(SECRET, without), ALONE).projects).toEqual(['ours']);
    },
  );

  it('does not hide a second method behind the first', () => {
    const authentication = {
      universalAuth: { secretsScope: { projectSlug: 'ours' } },
      ldapAuth: { secretsScope: { projectSlug: 'theirs' } },
    };
    expect(SECRET.scope(object(SECRET, { authentication }), ALONE).projects).toEqual(['ours', 'theirs']);
  });

  it('names the namespaces of every credential', () => {
    const spec = {
      tokenSecretReference: { secretNamespace: 'legacy' },
      authentication: {
        universalAuth: { credentialsRef: { secretName: 'c', secretNamespace: 'a' } },
        serviceToken: { serviceTokenSecretReference: { secretNamespace: 'b' } },
        kubernetesAuth: { serviceAccountRef: { name: 'x', namespace: 'c' } },
        ldapAuth: { credentialsRef: { secretNamespace: 'a' } },
        awsIamAuth: 'x',
      },
    };
    expect(SECRET.credentialNamespaces(object(SECRET, spec))).toEqual(['legacy', 'a', 'b', 'c']);
    expect(SECRET.credentialNamespaces(object(SECRET, {}))).toEqual([]);
  });
});

describe('InfisicalStaticSecret', () => {
  it('targets Secrets, not ConfigMaps', () => {
    const targets = [
      { name: 'a', namespace: HERE, kind: 'Secret' },
      { name: 'c', namespace: HERE, kind: 'ConfigMap' },
      { name: 'b', namespace: 'other', kind: 'Secret' },
      { namespace: HERE, kind: 'Secret' },
    ];
    expect(STATIC.targets(object(STATIC, { targets }))).toEqual([
      { namespace: HERE, name: 'a' },
      { namespace: 'other', name: 'b' },
    ]);
  });

  test.each([
    ['good', 'ok', true, '2026-11-22T03:59:58Z'],
    ['badCredentials', 'failing', false, undefined],
    ['missingPath', 'failing', false, undefined],
    // It keeps the time of the last good one.
    ['serverDown', 'failing', true, '2026-11-22T04:01:16Z'],
    ['tooMany', 'failing', false, undefined],
  ] as const)('%s is %s', (name, verdict, everSynced, lastSync) => {
    const health = healthOfStatic(STATIC_STATUSES[name]);
    expect(health).toMatchObject({ verdict, everSynced, generation: 'current' });
    expect(health.lastSync).toBe(lastSync === undefined ? undefined : Date.parse(lastSync));
  });

  it('knows whether the verdict is about the spec as it stands', () => {
    expect(healthOfStatic(STATIC_STATUSES.generationTwo, 2).generation).toBe('current');
    expect(healthOfStatic(STATIC_STATUSES.generationTwo, 3).generation).toBe('behind');
    expect(
      healthOfStatic([{ type: 'secrets.infisical.com/LastReconcileStatus', status: 'True' }]).generation,
    ).toBe('unreported');
    expect(healthOfStatic([]).verdict).toBe('none');
  });

  it('refuses one target twice', () => {
    const target = { name: 'a', namespace: HERE, kind: 'Secret' };
    expect(healthOfStatic([], 1, { targets: [target, target] }).refused).toContain('twice');
    expect(
      healthOfStatic([], 1, { targets: [target, { ...target, kind: 'ConfigMap' }] }).refused,
    ).toBeUndefined();
  });

  it('reads every source, and hides none that cannot be read', () => {
    const source = { projectSlug: 'data', environmentSlug: 'dev', secretPath: '/a' };
    const scope = (sources: readonly JsonObject[]) => STATIC.scope(object(STATIC, { sources }), ALONE);
    expect(scope([source, { projectId: 'x', environmentSlug: 'prod', secretPath: '/b' }])).toEqual({
      projects: ['data', 'x'],
      environments: ['dev', 'prod'],
      paths: ['/a', '/b'],
    });
    expect(scope([source, { environmentSlug: 'dev', secretPath: '/b' }]).projects).toEqual([]);
  });

  it('uses the credentials of its InfisicalAuth', () => {
    const spec = { infisicalAuthRef: { name: 'auth', namespace: 'platform' } };
    expect(STATIC.credentialNamespaces(object(STATIC, spec))).toEqual(['platform']);
  });

  it('reads its interval; what the operator cannot read is none', () => {
    const interval = (refreshInterval: string) =>
      healthOfStatic([], 1, { syncOptions: { refreshInterval } }).interval;
    expect(['1m', '0s', '90'].map(interval)).toEqual([60_000, undefined, undefined]);
  });
});

test.each([
  [true, { annotations: { 'secrets.infisical.com/version': 'W/"secrets-48-80C15C79"' } }],
  [
    true,
    {
      ownerReferences: [
        {
          apiVersion: 'secrets.infisical.com/v1beta1',
          kind: 'InfisicalStaticSecret',
          name: 'x',
          uid: 'u',
          controller: true,
        },
      ],
    },
  ],
  [
    false,
    {
      ownerReferences: [
        { apiVersion: 'secrets.infisical.com.evil/v1', kind: 'X', name: 'x', uid: 'u', controller: true },
      ],
    },
  ],
  [false, { labels: { 'secrets.infisical.com/version': 'x' } }],
  [false, { annotations: { 'secrets.infisical.com/auto-reload': 'true' } }],
  [false, {}],
])("whether the operator's mark is there: %s for %j", (marked, more) => {
  expect(infisical.marks(secret('db', more))).toBe(marked);
});
