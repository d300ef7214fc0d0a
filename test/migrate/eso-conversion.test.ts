import { parse } from 'yaml';
import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import { asObject, dig, isObject } from '../../src/kube/json.ts';
import type { Conversion, TargetSecret } from '../../src/migrate/conversion.ts';
import { convertExternalSecret } from '../../src/migrate/eso-conversion.ts';
import type { InfisicalWish } from '../../src/migrate/infisical-target.ts';
import { externalSecret } from '../../src/plugins/external-secrets.ts';
import { CLUSTER_SECRET_STORE, SECRET_STORE } from '../../src/plugins/secret-stores.ts';
import { TWO_KEYS } from './two-keys.ts';

const UNIVERSAL = `
auth:
  universalAuthCredentials:
    clientId: {name: identity, key: clientId}
    clientSecret: {name: identity, key: clientSecret}
`;

/** Stores of the tests by their names: what stands under spec.provider. */
const STORES: Readonly<Record<string, string>> = {
  team: `{infisical: {${inline(UNIVERSAL)}, hostAPI: "https://infisical.floe.dev/api", secretsScope: {projectSlug: floe, environmentSlug: prod, secretsPath: /db}}}`,
  deep: `{infisical: {${inline(UNIVERSAL)}, secretsScope: {projectSlug: floe, environmentSlug: prod, recursive: true}}}`,
  other: `{infisical: {${inline(UNIVERSAL)}, secretsScope: {projectSlug: other, environmentSlug: prod}}}`,
  scopeless: `{infisical: {${inline(UNIVERSAL)}}}`,
  odd: '{infisical: {auth: {universalAuthCredentials: {clientId: {name: a, key: id}, clientSecret: {name: b, key: secret}}}, secretsScope: {projectSlug: floe, environmentSlug: prod}}}',
  vault: '{vault: {server: "https://vault", path: secret, version: v2}}',
  aws: '{aws: {service: SecretsManager, region: eu-central-1}}',
  fake: '{fake: {data: []}}',
};

function inline(yaml: string): string {
  return JSON.stringify(parse(yaml)).slice(1, -1);
}

const WISH: InfisicalWish = {
  kind: 'InfisicalSecret',
  hostAPI: 'https://app.infisical.com/api',
  copyValues: false,
  destination: { project: '', environment: '', path: '/' },
};

const COPYING: Partial<InfisicalWish> = {
  copyValues: true,
  login: { credentials: { namespace: 'infisical', name: 'operator' } },
  destination: { project: 'floe', environment: 'prod', path: '/imported' },
};

interface Given {
  readonly spec: string;
  readonly metadata?: JsonObject;
  readonly target?: TargetSecret | undefined;
  readonly wish?: Partial<InfisicalWish>;
}

function converted({ spec, metadata = {}, target = TWO_KEYS, wish = {} }: Given): Conversion {
  const raw = {
    metadata: { name: 'db', namespace: 'jobs', ...metadata },
    spec: asObject(parse(spec)),
  };
  return convertExternalSecret({
    object: { kind: externalSecret.resource, raw },
    findStore: ({ kind, name }) => {
      const provider: unknown = parse(STORES[name] ?? '');
      if (!isObject(provider)) return { state: 'absent' };
      const resource = kind === 'SecretStore' ? SECRET_STORE : CLUSTER_SECRET_STORE;
      const place = kind === 'SecretStore' ? { namespace: 'jobs' } : {};
      return {
        state: 'present',
        value: { kind: resource, raw: { metadata: { name, ...place }, spec: { provider } } },
      };
    },
    target,
    wish: { ...WISH, ...wish },
  });
}

function targetIn({ to }: Conversion): unknown {
  const references = dig(to, 'spec', 'managedKubeSecretReferences');
  return Array.isArray(references) ? references[0] : undefined;
}

const STORE = 'secretStoreRef: {name: team}';

describe('an ExternalSecret on Infisical', () => {
  it('becomes an InfisicalSecret of the same folder, whose template has the same keys', () => {
    const conversion = converted({
      spec: `{${STORE}, refreshInterval: 1h, data: [{secretKey: USER, remoteRef: {key: DB_USER}}, {secretKey: PASSWORD, remoteRef: {key: DB_PASSWORD}}]}`,
    });
    expect(conversion).toMatchObject({ secret: 'db', source: 'infisical/team', obstacles: [], notes: [] });
    expect(conversion.copy).toBeUndefined();
    expect(conversion.to).toEqual({
      apiVersion: 'secrets.infisical.com/v1alpha1',
      kind: 'InfisicalSecret',
      metadata: { name: 'db', namespace: 'jobs' },
      spec: {
        hostAPI: 'https://infisical.floe.dev/api',
        syncConfig: { resyncInterval: '1m' },
        authentication: {
          universalAuth: {
            credentialsRef: { secretName: 'identity', secretNamespace: 'jobs' },
            secretsScope: { projectSlug: 'floe', envSlug: 'prod', secretsPath: '/db', recursive: false },
          },
        },
        managedKubeSecretReferences: [
          {
            secretName: 'db',
            secretNamespace: 'jobs',
            creationPolicy: 'Orphan',
            template: {
              includeAllSecrets: false,
              data: { USER: '{{ .DB_USER.Value }}', PASSWORD: '{{ .DB_PASSWORD.Value }}' },
            },
          },
        ],
      },
    });
  });

  test.each<[string, string, Readonly<Record<string, string>> | undefined]>([
    ['the whole folder', 'dataFrom: [{find: {}}]', undefined],
    [
      'a part of the folder',
      'dataFrom: [{find: {name: {regexp: ".*"}}}]',
      { PASSWORD: '{{ .PASSWORD.Value }}', USER: '{{ .USER.Value }}' },
    ],
    [
      'the properties of one value',
      'dataFrom: [{extract: {key: DB}}]',
      {
        PASSWORD: '{{ (index (fromJson .DB.Value) "PASSWORD") }}',
        USER: '{{ (index (fromJson .DB.Value) "USER") }}',
      },
    ],
    [
      'one key over many',
      'dataFrom: [{extract: {key: DB}}], data: [{secretKey: USER, remoteRef: {key: NAME}}]',
      { PASSWORD: '{{ (index (fromJson .DB.Value) "PASSWORD") }}', USER: '{{ .NAME.Value }}' },
    ],
    [
      'a property, and base64',
      'data: [{secretKey: USER, remoteRef: {key: DB, property: user}}, {secretKey: PASSWORD, remoteRef: {key: pass.word, decodingStrategy: Base64}}]',
      {
        USER: '{{ (index (fromJson .DB.Value) "user") }}',
        PASSWORD: '{{ (decodeBase64ToBytes (index . "pass.word").Value) }}',
      },
    ],
    [
      'a template',
      'target: {template: {data: {URL: "db://{{ .user }}@{{ .host | lower }}"}}}, data: [{secretKey: user, remoteRef: {key: U}}, {secretKey: host, remoteRef: {key: H}}]',
      { URL: 'db://{{ .U.Value }}@{{ .H.Value | lower }}' },
    ],
    [
      'a template beside the values',
      'target: {template: {mergePolicy: Merge, data: {URL: "{{ .user }}"}}}, data: [{secretKey: user, remoteRef: {key: U}}]',
      { user: '{{ .U.Value }}', URL: '{{ .U.Value }}' },
    ],
  ])('reads %s', (_name, spec, data) => {
    const conversion = converted({ spec: `{${STORE}, ${spec}}` });
    expect(conversion.obstacles).toEqual([]);
    const { template } = targetIn(conversion) as { readonly template?: { readonly data: unknown } };
    expect(template?.data).toEqual(data);
  });

  it('reads the folder that an absolute key names', () => {
    const conversion = converted({ spec: `{${STORE}, data: [{secretKey: K, remoteRef: {key: /a/b/K}}]}` });
    expect(dig(conversion.to, 'spec', 'authentication', 'universalAuth', 'secretsScope')).toMatchObject({
      secretsPath: '/a/b',
    });
  });

  it('keeps name, type, labels and annotations, but not those by which tools find it', () => {
    const conversion = converted({
      spec: `{${STORE}, target: {name: credentials}, dataFrom: [{find: {}}]}`,
      metadata: {
        labels: { team: 'data', 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: {
          'secrets.floe.dev/auto-reload': 'true',
          'argocd.argoproj.io/tracking-id': 'x',
          'force-sync': '1',
        },
      },
      target: { ...TWO_KEYS, type: 'kubernetes.io/basic-auth' },
    });
    expect(conversion.secret).toBe('credentials');
    expect(dig(conversion.to, 'metadata')).toEqual({
      name: 'db',
      namespace: 'jobs',
      labels: { team: 'data' },
      annotations: { 'secrets.floe.dev/auto-reload': 'true' },
    });
    expect(targetIn(conversion)).toMatchObject({
      secretName: 'credentials',
      secretType: 'kubernetes.io/basic-auth',
    });
    expect(conversion.notes).toEqual([
      'Argo CD keeps the ExternalSecret: take it out there, or it comes back',
    ]);
  });

  it('takes the labels of its template, and of its own only what this project reads', () => {
    const conversion = converted({
      spec: `{${STORE}, target: {template: {metadata: {labels: {app: db}}}}, dataFrom: [{find: {}}]}`,
      metadata: {
        labels: { team: 'data' },
        annotations: { 'secrets.floe.dev/allowed-products': 'a', note: 'x' },
      },
    });
    expect(dig(conversion.to, 'metadata')).toMatchObject({
      labels: { app: 'db' },
      annotations: { 'secrets.floe.dev/allowed-products': 'a' },
    });
  });

  it('becomes an InfisicalStaticSecret where that is wished, of several folders too', () => {
    const spec = `{${STORE}, data: [{secretKey: A, remoteRef: {key: /a/A}}, {secretKey: B, remoteRef: {key: B}}]}`;
    expect(converted({ spec }).obstacles).toEqual([
      expect.objectContaining({ why: 'it reads several folders, and an InfisicalSecret reads one' }),
    ]);
    const auth = { namespace: 'infisical', name: 'main' };
    const conversion = converted({ spec, wish: { kind: 'InfisicalStaticSecret', auth } });
    expect(dig(conversion.to, 'spec')).toMatchObject({
      infisicalAuthRef: auth,
      sources: [
        { projectSlug: 'floe', environmentSlug: 'prod', secretPath: '/a' },
        { projectSlug: 'floe', environmentSlug: 'prod', secretPath: '/db' },
      ],
      targets: [{ name: 'db', namespace: 'jobs', kind: 'Secret', creationPolicy: 'Orphan' }],
    });
    expect(converted({ spec, wish: { kind: 'InfisicalStaticSecret' } }).obstacles[0]?.fix).toContain(
      '--infisical-auth',
    );
  });

  it('logs in as the settings say, else as its store does', () => {
    const spec = '{secretStoreRef: {name: odd}, dataFrom: [{find: {}}]}';
    expect(converted({ spec }).obstacles[0]?.why).toBe("how Infisical's operator logs in is not known");
    const login = { credentials: { namespace: 'infisical', name: 'operator' } };
    expect(JSON.stringify(converted({ spec, wish: { login } }).to)).toContain('"secretName":"operator"');
  });
});

describe('an ExternalSecret on another store', () => {
  const spec = '{secretStoreRef: {name: vault}, dataFrom: [{extract: {key: db}}]}';

  it('needs its values copied', () => {
    expect(converted({ spec }).obstacles).toEqual([
      {
        where: 'spec.dataFrom[0]',
        why: 'its values are in vault/vault',
        fix: '--copy-values copies those that the Secret has now to Infisical',
      },
    ]);
  });

  it('becomes an InfisicalSecret of a folder of its own, with all that the Secret has now', () => {
    const conversion = converted({ spec, wish: COPYING });
    expect(conversion.copy).toEqual({
      store: 'infisical',
      place: { project: 'floe', environment: 'prod', path: '/imported/db' },
      keys: ['PASSWORD', 'USER'],
      encoded: [],
    });
    expect(targetIn(conversion)).toEqual({
      secretName: 'db',
      secretNamespace: 'jobs',
      creationPolicy: 'Orphan',
    });
    expect(conversion.notes).toEqual(['what changes in vault/vault from then on no longer arrives']);
  });

  it('keeps as base64 what Infisical would change', () => {
    const target = { ...TWO_KEYS, encoded: ['PASSWORD'] };
    const conversion = converted({ spec, target, wish: COPYING });
    expect(targetIn(conversion)).toMatchObject({
      template: {
        data: { PASSWORD: '{{ decodeBase64ToBytes .PASSWORD.Value }}', USER: '{{ .USER.Value }}' },
      },
    });
    expect(conversion.notes[0]).toContain('keeps PASSWORD as base64');
  });

  it('says what is missing to copy', () => {
    const destination = { project: '', environment: '', path: '/' };
    const { obstacles } = converted({ spec, wish: { ...COPYING, destination } });
    expect(obstacles.map(({ why }) => why)).toEqual([
      'no project of Infisical to copy to',
      'no environment of Infisical to copy to',
    ]);
  });

  test.each(['aws', 'vault'])('is copied from %s', (name) => {
    const conversion = converted({
      spec: `{secretStoreRef: {name: ${name}, kind: ClusterSecretStore}, data: [{secretKey: USER, remoteRef: {key: db, version: "3"}}]}`,
      wish: COPYING,
    });
    expect([conversion.obstacles, conversion.source]).toEqual([[], `${name}/${name}`]);
  });
});

describe('what cannot be converted is told with its place', () => {
  const ONE = 'data: [{secretKey: K, remoteRef: {key: K}}]';
  test.each<[string, string, string]>([
    [
      `{${STORE}, target: {manifest: {kind: ConfigMap}}, ${ONE}}`,
      'spec.target.manifest',
      'another kind of object',
    ],
    [
      `{${STORE}, target: {creationPolicy: Merge}, ${ONE}}`,
      'spec.target.creationPolicy',
      'by Merge it fills',
    ],
    [
      `{${STORE}, target: {creationPolicy: None}, ${ONE}}`,
      'spec.target.creationPolicy',
      'by None it writes no',
    ],
    [
      '{dataFrom: [{sourceRef: {generatorRef: {kind: Password, name: p}}}]}',
      'spec.dataFrom[0].sourceRef.generatorRef',
      'a Password makes a new value at each refresh',
    ],
    [`{secretStoreRef: {name: gone}, ${ONE}}`, 'spec.data[0]', "SecretStore 'gone' does not exist"],
    [`{secretStoreRef: {name: fake}, ${ONE}}`, 'spec.data[0]', "the provider 'fake'"],
    [`{${STORE}}`, 'spec', 'it reads nothing'],
  ])('%s', (spec, where, why) => {
    // Not even where values may be copied.
    for (const wish of [{}, COPYING]) {
      const conversion = converted({ spec, wish });
      expect(conversion.obstacles).toContainEqual(
        expect.objectContaining({ where, why: expect.stringContaining(why) }),
      );
      expect(conversion.to).toBeUndefined();
    }
  });

  test.each<[string, string, string]>([
    [
      `{${STORE}, data: [{secretKey: K, remoteRef: {key: K, version: "3"}}]}`,
      'spec.data[0].remoteRef.version',
      'version 3',
    ],
    [
      `{${STORE}, data: [{secretKey: K, remoteRef: {key: K, metadataPolicy: Fetch}}]}`,
      'spec.data[0].remoteRef.metadataPolicy',
      'metadata',
    ],
    [`{${STORE}, dataFrom: [{find: {tags: {a: b}}}]}`, 'spec.dataFrom[0].find.tags', 'by tags'],
    [
      `{${STORE}, dataFrom: [{find: {}, rewrite: [{regexp: {}}]}]}`,
      'spec.dataFrom[0].rewrite',
      'other names',
    ],
    [`{${STORE}, dataFrom: [{find: {}}, {extract: {key: A}}]}`, 'spec.dataFrom', 'several entries'],
    [
      `{${STORE}, target: {template: {templateFrom: [{configMap: {name: t}}]}}, ${ONE}}`,
      'spec.target.template.templateFrom',
      'in another object',
    ],
    [
      `{${STORE}, target: {template: {data: {A: "{{ range . }}{{ end }}"}}}, ${ONE}}`,
      'spec.target.template.data.A',
      "it has 'range'",
    ],
    [`{secretStoreRef: {name: scopeless}, ${ONE}}`, '', 'names no project and environment'],
  ])('%s, unless values are copied', (spec, where, why) => {
    expect(converted({ spec }).obstacles).toContainEqual(
      expect.objectContaining({
        where,
        why: expect.stringContaining(why),
        fix: expect.stringContaining('--copy-values'),
      }),
    );
    expect(converted({ spec, wish: COPYING })).toMatchObject({
      obstacles: [],
      copy: { keys: ['PASSWORD', 'USER'] },
    });
  });

  it('of the Secret itself, too', () => {
    const spec = `{${STORE}, dataFrom: [{find: {}}]}`;
    const why = (target: TargetSecret | undefined): string | undefined =>
      convertedWith(spec, target).obstacles[0]?.why;
    expect(why(undefined)).toContain("its Secret 'db' is not there");
    expect(why({ ...TWO_KEYS, immutable: true })).toContain('immutable');
    expect(why({ ...TWO_KEYS, keys: [] })).toContain('no keys');
  });

  it('of one that another makes', () => {
    const metadata = { ownerReferences: [{ kind: 'ClusterExternalSecret', name: 'all', controller: true }] };
    expect(converted({ spec: `{${STORE}, dataFrom: [{find: {}}]}`, metadata }).obstacles[0]?.why).toBe(
      "ClusterExternalSecret 'all' makes it, and would make it again",
    );
  });
});

/** The default of `converted` would stand for undefined. */
function convertedWith(spec: string, target: TargetSecret | undefined): Conversion {
  return convertExternalSecret({
    object: {
      kind: externalSecret.resource,
      raw: { metadata: { name: 'db', namespace: 'jobs' }, spec: asObject(parse(spec)) },
    },
    findStore: () => ({ state: 'absent' }),
    target,
    wish: WISH,
  });
}
