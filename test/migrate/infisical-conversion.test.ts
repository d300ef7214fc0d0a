import { parse } from 'yaml';
import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import { asObject, dig } from '../../src/kube/json.ts';
import type { Conversion, TargetSecret } from '../../src/migrate/conversion.ts';
import type { StoreReference } from '../../src/migrate/eso-entries.ts';
import { convertToExternalSecret } from '../../src/migrate/infisical-conversion.ts';
import { readingOf } from '../../src/migrate/infisical-reading.ts';
import type { TrustedLogin } from '../../src/migrate/record-login.ts';
import { infisicalStaticSecret } from '../../src/plugins/infisical-static-secret.ts';
import { infisicalSecret } from '../../src/plugins/infisical.ts';
import { CLUSTER_SECRET_STORE, SECRET_STORE } from '../../src/plugins/secret-stores.ts';
import { TWO_KEYS } from './two-keys.ts';

const SCOPE = 'projectSlug: floe, environmentSlug: prod';
const STORES: Readonly<Record<string, string>> = {
  team: `{infisical: {hostAPI: "https://infisical.floe.dev/api", secretsScope: {${SCOPE}, secretsPath: /db}}}`,
  root: `{infisical: {hostAPI: "https://infisical.floe.dev", secretsScope: {${SCOPE}}}}`,
  deep: `{infisical: {hostAPI: "https://infisical.floe.dev/api", secretsScope: {${SCOPE}, secretsPath: /db, recursive: true}}}`,
  other: `{infisical: {hostAPI: "https://app.infisical.com/api", secretsScope: {projectSlug: other, environmentSlug: dev}}}`,
  aws: '{aws: {service: SecretsManager}}',
};

const TRUSTED: TrustedLogin = {
  hostAPI: 'https://infisical.floe.dev/api',
  login: { credentials: { namespace: 'infisical', name: 'operator' } },
};
const HOST = 'hostAPI: "https://infisical.floe.dev/api"';

/** An InfisicalSecret by its scope and its target. */
function older(scope = '', target = '', more = ''): string {
  const secretsScope = `{projectSlug: floe, envSlug: prod, secretsPath: /db${scope}}`;
  const credentialsRef = '{secretName: operator, secretNamespace: infisical}';
  return `{${HOST}, authentication: {universalAuth: {credentialsRef: ${credentialsRef}, secretsScope: ${secretsScope}}}, managedKubeSecretReferences: [{secretName: db, secretNamespace: jobs${target}}]${more}}`;
}

function template(data: string): string {
  return `, template: {includeAllSecrets: false, data: ${data}}`;
}

interface Given {
  readonly spec: string;
  readonly kind?: 'InfisicalSecret' | 'InfisicalStaticSecret';
  readonly metadata?: JsonObject;
  readonly target?: TargetSecret | undefined;
  readonly store?: Partial<StoreReference>;
  readonly version?: string;
  readonly trusted?: TrustedLogin;
}

function converted(given: Given): Conversion {
  const { spec, kind = 'InfisicalSecret', metadata = {}, version = 'v1', trusted = TRUSTED } = given;
  const target = 'target' in given ? given.target : TWO_KEYS;
  const store: StoreReference = { kind: 'SecretStore', name: 'team', ...given.store };
  const sync = kind === 'InfisicalSecret' ? infisicalSecret : infisicalStaticSecret;
  const raw = { metadata: { name: 'db', namespace: 'jobs', ...metadata }, spec: asObject(parse(spec)) };
  const object = { kind: sync.resource, raw };
  const provider = STORES[store.name];
  const resource = store.kind === 'SecretStore' ? SECRET_STORE : CLUSTER_SECRET_STORE;
  const place = store.kind === 'SecretStore' ? { namespace: 'jobs' } : {};
  return convertToExternalSecret({
    object,
    reading: readingOf(object),
    store,
    found:
      provider === undefined
        ? { state: 'absent' }
        : {
            state: 'present',
            value: {
              kind: { ...resource, version },
              raw: {
                metadata: { name: store.name, ...place },
                spec: { provider: asObject(parse(provider)) },
              },
            },
          },
    target,
    trusted,
  });
}

describe('a sync resource of Infisical for External Secrets', () => {
  it('becomes an ExternalSecret that reads the same folder, and nothing is copied', () => {
    const conversion = converted({
      spec: older(', recursive: false', ', creationPolicy: Owner'),
      metadata: { labels: { team: 'data', 'argocd.argoproj.io/instance': 'jobs' } },
    });
    expect(conversion).toMatchObject({ secret: 'db', source: 'floe/prod/db', obstacles: [] });
    expect(conversion.copy).toBeUndefined();
    expect(conversion.to).toEqual({
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      metadata: { name: 'db', namespace: 'jobs', labels: { team: 'data' } },
      spec: {
        refreshInterval: '1m',
        secretStoreRef: { kind: 'SecretStore', name: 'team' },
        target: { name: 'db', creationPolicy: 'Owner', deletionPolicy: 'Retain' },
        dataFrom: [{ find: { name: { regexp: '.*' } } }],
      },
    });
    expect(conversion.notes).toEqual([
      'Argo CD keeps it: take it out there, or it comes back',
      "after --rollback InfisicalSecret 'db' writes the Secret without owning it",
    ]);
  });

  it('is of the version and the store that there are, and owns no more than before', () => {
    const conversion = converted({
      spec: older(),
      store: { kind: 'ClusterSecretStore' },
      version: 'v1beta1',
    });
    expect(conversion.to).toMatchObject({
      apiVersion: 'external-secrets.io/v1beta1',
      spec: {
        secretStoreRef: { kind: 'ClusterSecretStore', name: 'team' },
        target: { creationPolicy: 'Orphan' },
      },
    });
    expect(conversion.notes).toEqual([]);
  });

  it('keeps the keys of a template, and decodes what Infisical keeps as base64', () => {
    const data = `{login: "{{ .USER.Value }}", tls.crt: '{{ decodeBase64ToBytes (index . "tls.crt").Value }}'}`;
    expect(dig(converted({ spec: older('', template(data)) }).to, 'spec', 'data')).toEqual([
      { secretKey: 'login', remoteRef: { key: 'USER' } },
      { secretKey: 'tls.crt', remoteRef: { key: 'tls.crt', decodingStrategy: 'Base64' } },
    ]);
  });

  it('names every key where the store is of another folder, and says what that means', () => {
    const conversion = converted({ spec: older(), store: { name: 'root' } });
    expect(dig(conversion.to, 'spec', 'data')).toEqual([
      { secretKey: 'PASSWORD', remoteRef: { key: '/db/PASSWORD' } },
      { secretKey: 'USER', remoteRef: { key: '/db/USER' } },
    ]);
    expect(conversion.notes).toEqual([
      'infisical/root is of another folder: a secret that is new in /db must be added',
    ]);
  });

  it('keeps the type of the Secret, and its labels then by a template', () => {
    const conversion = converted({
      spec: older(),
      metadata: { labels: { team: 'data' } },
      target: { ...TWO_KEYS, type: 'kubernetes.io/tls' },
    });
    expect(dig(conversion.to, 'spec', 'target', 'template')).toEqual({
      type: 'kubernetes.io/tls',
      metadata: { labels: { team: 'data' } },
    });
  });

  it('takes the older form of target', () => {
    const spec = older().replace(
      /managedKubeSecretReferences: \[(.*)\]/,
      'managedSecretReference: $1, syncConfig: {instantUpdates: true}',
    );
    const conversion = converted({ spec });
    expect(conversion).toMatchObject({ secret: 'db', obstacles: [] });
    expect(conversion.notes).toEqual(['changes arrive within 1m, and no longer at once']);
  });

  it('takes an InfisicalStaticSecret of one folder', () => {
    const source = '{projectSlug: floe, environmentSlug: prod, secretPath: /db/}';
    const auth = { namespace: 'infisical', name: 'main' };
    const spec = (sources: string, targets: string): string =>
      `{infisicalAuthRef: {name: main, namespace: infisical}, sources: [${sources}], targets: [${targets}]}`;
    const target = '{name: db, namespace: jobs, kind: Secret, creationPolicy: Orphan}';
    const given = { kind: 'InfisicalStaticSecret', trusted: { ...TRUSTED, auth } } as const;
    const conversion = converted({ ...given, spec: spec(source, target) });
    expect(conversion).toMatchObject({ kind: 'InfisicalStaticSecret', secret: 'db', obstacles: [] });
    expect(conversion.notes).toEqual([
      'it does not say where Infisical is: taken for https://infisical.floe.dev/api',
    ]);
    const other = converted({ ...given, spec: spec(`${source}, ${source}`, '{name: db, kind: ConfigMap}') });
    expect(other.obstacles.map(({ where }) => where)).toEqual(['spec.sources', 'spec.targets[0]']);
    expect(converted({ ...given, spec: spec(source, target), trusted: TRUSTED }).obstacles[0]?.fix).toContain(
      '--infisical-auth',
    );
  });

  test.each<[string, Given, string, RegExp]>([
    [
      'several targets',
      { spec: older().replace(/\[(\{secretName.*?\})\]/, '[$1, $1]') },
      'spec',
      /several objects/,
    ],
    [
      'no target',
      { spec: older().replace(/managedKubeSecretReferences.*/, 'x: 1}') },
      'spec',
      /writes no Secret/,
    ],
    [
      'a ConfigMap',
      { spec: older('', '', ', managedKubeConfigMapReferences: [{configMapName: db}]') },
      'spec.managedKubeConfigMapReferences',
      /writes a ConfigMap/,
    ],
    [
      'text around a value',
      { spec: older('', template('{URL: "postgres://{{ .USER.Value }}"}')) },
      'spec.managedKubeSecretReferences[0].template.data.URL',
      /more than one secret/,
    ],
    [
      'the folder and a template',
      { spec: older('', ', template: {includeAllSecrets: true, data: {A: "{{ .USER.Value }}"}}') },
      'spec.managedKubeSecretReferences[0].template.includeAllSecrets',
      /whole folder/,
    ],
    [
      'labels of a template',
      { spec: older('', ', template: {metadata: {labels: {a: b}}}') },
      'spec.managedKubeSecretReferences[0].template.metadata',
      /no ExternalSecret says the same/,
    ],
    [
      'one secret of the folder',
      { spec: older(', secretName: A') },
      'spec.authentication.universalAuth.secretsScope.secretName',
      /no ExternalSecret says the same/,
    ],
    [
      'a project by its id',
      { spec: older().replace('projectSlug: floe', 'projectId: 1b4e28ba') },
      'spec.authentication.universalAuth.secretsScope',
      /does not name its project by slug/,
    ],
    [
      'another namespace',
      { spec: older().replace('secretNamespace: jobs', 'secretNamespace: payments') },
      'spec.managedKubeSecretReferences[0]',
      /in namespace 'payments'/,
    ],
    ['a Secret that is not there', { spec: older(), target: undefined }, '', /nothing to hand over/],
    [
      'an immutable Secret',
      { spec: older(), target: { ...TWO_KEYS, immutable: true } },
      '',
      /no operator could update it/,
    ],
    ['a Secret without keys', { spec: older(), target: { ...TWO_KEYS, keys: [] } }, '', /no keys/],
    [
      'a maker',
      {
        spec: older(),
        metadata: { ownerReferences: [{ kind: 'App', name: 'jobs', uid: 'u', controller: true }] },
      },
      'metadata.ownerReferences',
      /App 'jobs' makes it/,
    ],
    [
      'its own end',
      { spec: older(), metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
      '',
      /being deleted/,
    ],
    ['no store', { spec: older(), store: { name: 'nowhere' } }, '--store', /does not exist/],
    [
      'a store of AWS',
      { spec: older(), store: { name: 'aws' } },
      '--store',
      /does not read Infisical, where the values are/,
    ],
    ['a store that reads more', { spec: older(), store: { name: 'deep' } }, '--store', /folders below, too/],
    [
      'a store that reads less',
      { spec: older(', recursive: true') },
      '--store',
      /reads the folders below \/db, too/,
    ],
    [
      'credentials that the run was not told',
      { spec: older(), trusted: { hostAPI: TRUSTED.hostAPI } },
      '',
      /log in by what is in namespace 'infisical'/,
    ],
  ])('does not go with %s', (_name, given, where, why) => {
    const { obstacles, to } = converted(given);
    expect(to).toBeUndefined();
    expect(obstacles).toContainEqual(expect.objectContaining({ where, why: expect.stringMatching(why) }));
  });

  it('does not go with a store of another instance, project and environment', () => {
    const { obstacles } = converted({ spec: older(), store: { name: 'other' } });
    expect(obstacles.map(({ why }) => why)).toEqual([
      "infisical/other reads instance 'https://app.infisical.com', and it reads 'https://infisical.floe.dev'",
      "infisical/other reads project 'other', and it reads 'floe'",
      "infisical/other reads environment 'dev', and it reads 'prod'",
    ]);
  });
});
