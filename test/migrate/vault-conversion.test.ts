import { parse } from 'yaml';
import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import { asObject, dig } from '../../src/kube/json.ts';
import type { Read } from '../../src/kube/world.ts';
import { ABSENT, UNREAD, present } from '../../src/kube/world.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { Conversion, TargetSecret } from '../../src/migrate/conversion.ts';
import { readingOf } from '../../src/migrate/infisical-reading.ts';
import type { VaultWish } from '../../src/migrate/vault-conversion.ts';
import { convertToVault } from '../../src/migrate/vault-conversion.ts';
import { entryOf } from '../../src/migrate/vault-copy.ts';
import { infisicalStaticSecret } from '../../src/plugins/infisical-static-secret.ts';
import { infisicalSecret } from '../../src/plugins/infisical.ts';
import { VAULT_AUTH } from '../../src/plugins/vault-auth.ts';
import { TWO_KEYS } from './two-keys.ts';

const TRUSTED = {
  hostAPI: 'https://infisical.floe.dev/api',
  login: { credentials: { namespace: 'infisical', name: 'operator' } },
};
const WISH: VaultWish = { mount: 'secret', path: 'floe', vaultNamespace: '', type: 'kv-v2' };
const ARRIVES = 'what changes in Infisical from then on no longer arrives';

/** An InfisicalSecret by the fields of its target, and more of its spec. */
function older(target = '', more = ''): string {
  const secretsScope = '{projectSlug: floe, envSlug: prod, secretsPath: /db}';
  const credentialsRef = '{secretName: operator, secretNamespace: infisical}';
  const authentication = `{universalAuth: {credentialsRef: ${credentialsRef}, secretsScope: ${secretsScope}}}`;
  return `{hostAPI: "https://infisical.floe.dev/api", authentication: ${authentication}, managedKubeSecretReferences: [{secretName: credentials, secretNamespace: jobs${target}}]${more}}`;
}

interface Given {
  readonly spec?: string;
  readonly kind?: 'InfisicalSecret' | 'InfisicalStaticSecret';
  readonly metadata?: JsonObject;
  readonly target?: Partial<TargetSecret> | 'absent';
  readonly wish?: Partial<VaultWish>;
  /** The spec of the VaultAuth; or 'absent', 'unread'. */
  readonly login?: string;
}

function converted(given: Given = {}): Conversion {
  const { spec = older(', creationPolicy: Owner'), kind = 'InfisicalSecret', metadata = {}, wish } = given;
  const sync = kind === 'InfisicalSecret' ? infisicalSecret : infisicalStaticSecret;
  const raw = { metadata: { name: 'db', namespace: 'jobs', ...metadata }, spec: asObject(parse(spec)) };
  const object = { kind: sync.resource, raw };
  return convertToVault({
    object,
    reading: readingOf(object),
    target: given.target === 'absent' ? undefined : { ...TWO_KEYS, ...given.target },
    trusted: { ...TRUSTED, auth: { namespace: 'infisical', name: 'main' } },
    wish: { ...WISH, ...wish },
    login: loginOf(given.login ?? '{allowedNamespaces: ["*"]}'),
  });
}

function loginOf(login: string): Read<KubeObject> {
  if (login === 'absent') return ABSENT;
  if (login === 'unread') return UNREAD;
  const metadata = { name: 'default', namespace: 'vault-secrets-operator-system' };
  return present({ kind: VAULT_AUTH, raw: { metadata, spec: asObject(parse(login)) } });
}

describe('a sync resource of Infisical for the Vault Secrets Operator', () => {
  it('becomes a VaultStaticSecret of an entry that gets what the Secret has now', () => {
    const conversion = converted({
      metadata: { labels: { team: 'data', 'argocd.argoproj.io/instance': 'jobs' } },
    });
    expect(conversion).toMatchObject({ secret: 'credentials', source: 'floe/prod/db', obstacles: [] });
    expect(conversion.copy).toEqual({
      store: 'vault',
      place: { project: 'secret', environment: '', path: 'floe/jobs/credentials' },
      keys: ['PASSWORD', 'USER'],
      encoded: [],
    });
    expect(conversion.to).toEqual({
      apiVersion: 'secrets.hashicorp.com/v1beta1',
      kind: 'VaultStaticSecret',
      metadata: { name: 'db', namespace: 'jobs', labels: { team: 'data' } },
      spec: {
        mount: 'secret',
        type: 'kv-v2',
        path: 'floe/jobs/credentials',
        refreshAfter: '30s',
        destination: {
          name: 'credentials',
          type: 'Opaque',
          create: true,
          overwrite: true,
          transformation: { excludeRaw: true },
        },
      },
    });
    expect(conversion.notes).toEqual([
      'Argo CD keeps it: take it out there, or it comes back',
      ARRIVES,
      "after --rollback InfisicalSecret 'db' writes the Secret without owning it",
    ]);
  });

  it('keeps type, labels and annotations of the Secret, which the operator would replace', () => {
    const labels = { team: 'data', 'app.kubernetes.io/name': 'orders' };
    const annotations = { 'secrets.floe.dev/allowed-products': 'orders' };
    const conversion = converted({
      target: { type: 'kubernetes.io/tls', metadata: { labels, annotations } },
    });
    expect(dig(conversion.to, 'spec', 'destination')).toMatchObject({
      type: 'kubernetes.io/tls',
      labels: { team: 'data' },
      annotations,
    });
    expect(conversion.notes).toContain("the operator's own labels take the place of app.kubernetes.io/name");
  });

  it('decodes bytes, and keeps every text as it is', () => {
    const target = { keys: ['BLANK', 'tls.key'], encoded: ['BLANK', 'tls.key'], binary: ['tls.key'] };
    const conversion = converted({ target });
    expect(conversion.copy).toMatchObject({ keys: ['BLANK', 'tls.key'], encoded: ['tls.key'] });
    expect(dig(conversion.to, 'spec', 'destination', 'transformation')).toEqual({
      excludeRaw: true,
      templates: { 'tls.key': { text: '{{ get .Secrets "tls.key" | b64dec }}' } },
    });
    expect(conversion.notes).toContain(
      'Vault keeps tls.key as base64: its values are text, and these are bytes',
    );
  });

  it('reads the mount, the namespace of Vault, and by the VaultAuth that are wished', () => {
    const wish = { mount: 'team/kv', vaultNamespace: 'data', type: 'kv-v1' } as const;
    const own = converted({ wish: { ...wish, auth: { namespace: 'jobs', name: 'mine' } } });
    const spec = { mount: 'team/kv', namespace: 'data', type: 'kv-v1', vaultAuthRef: 'mine' };
    expect(own.to).toMatchObject({ spec });
    const other = converted({ wish: { ...wish, auth: { namespace: 'vault', name: 'main' } } });
    expect(other.to).toMatchObject({ spec: { ...spec, vaultAuthRef: 'vault/main' } });
  });

  it('says what is assumed, what could not be seen, and who owns the Secret from then on', () => {
    const conversion = converted({ spec: older(), wish: { assumed: 'no credentials' }, login: 'unread' });
    expect(conversion.obstacles).toEqual([]);
    expect(conversion.notes).toEqual([
      ARRIVES,
      "mount 'secret' is taken for kv-v2: no credentials",
      'whether the default VaultAuth is there could not be seen',
      "the Secret goes with VaultStaticSecret 'db' from then on, if that is deleted",
    ]);
  });

  it('does not ask what the Secret is made of', () => {
    const template = ', template: {includeAllSecrets: true, data: {URL: "postgres://{{ .USER.Value }}"}}';
    expect(converted({ spec: older(template) }).to).toBeDefined();
    const sources =
      '[{projectId: 1b4e28ba, environmentSlug: prod, secretPath: /a}, {projectSlug: floe, environmentSlug: prod, secretPath: /b}]';
    const spec = `{infisicalAuthRef: {name: main, namespace: infisical}, sources: ${sources}, targets: [{name: db, namespace: jobs, kind: Secret}]}`;
    const conversion = converted({ kind: 'InfisicalStaticSecret', spec });
    expect(conversion).toMatchObject({ source: '1b4e28ba/prod/a, floe/prod/b', obstacles: [] });
  });

  test.each<[string, Given, RegExp, RegExp?]>([
    [
      'several targets',
      { spec: older().replace(/\[(\{secretName: cred.*?\})\]/, '[$1, $1]') },
      /several objects/,
      /resource of its own/,
    ],
    [
      'a ConfigMap',
      { spec: older('', ', managedKubeConfigMapReferences: [{configMapName: db}]') },
      /ConfigMap/,
    ],
    [
      'another namespace',
      { spec: older().replace('secretNamespace: jobs', 'secretNamespace: payments') },
      /in namespace 'payments'/,
    ],
    ['no Secret', { target: 'absent' }, /nothing to hand over/, /let it sync first/],
    ['an immutable Secret', { target: { immutable: true } }, /immutable/],
    ['a Secret without keys', { target: { keys: [] } }, /no keys/],
    [
      'a Secret that the operator would leave to another',
      {
        target: {
          metadata: {
            labels: {
              'app.kubernetes.io/name': 'vault-secrets-operator',
              'app.kubernetes.io/managed-by': 'hashicorp-vso',
              'app.kubernetes.io/component': 'secret-sync',
            },
          },
        },
      },
      /would leave it to another/,
      /^kubectl label secret credentials -n jobs app\.kubernetes\.io\/managed-by-$/,
    ],
    ['no default VaultAuth', { login: 'absent' }, /no VaultAuth that is its default/, /--vault-auth/],
    [
      'no VaultAuth of the name',
      { login: 'absent', wish: { auth: { namespace: 'vault', name: 'main' } } },
      /VaultAuth 'vault\/main' is not there/,
      /--vault-auth/,
    ],
    [
      'a VaultAuth of its own namespace',
      { login: '{}' },
      /does not let namespace 'jobs'/,
      /allowedNamespaces/,
    ],
    ['a VaultAuth for others', { login: '{allowedNamespaces: [a, "*"]}' }, /does not let namespace 'jobs'/],
    [
      'a VaultAuth of another namespace of Vault',
      { login: '{namespace: data, allowedNamespaces: [jobs]}' },
      /reads Vault's namespace 'data'/,
      /upstream\.vault\.namespace/,
    ],
    [
      'credentials of a namespace that the run was not told',
      { spec: older().replace('secretNamespace: infisical', 'secretNamespace: payments') },
      /log in by what is in namespace 'payments'/,
    ],
  ])('does not go with %s', (_name, given, why, fix = /|/) => {
    const { obstacles, to, copy } = converted(given);
    expect([to, copy]).toEqual([undefined, undefined]);
    expect(obstacles).toHaveLength(1);
    expect(obstacles[0]?.why).toMatch(why);
    expect(obstacles[0]?.fix ?? '').toMatch(fix);
  });
});

test.each([
  ['', 'jobs/db'],
  ['floe', 'floe/jobs/db'],
  ['/floe//teams/', 'floe/teams/jobs/db'],
])('below %j an entry is %s', (path, entry) => expect(entryOf(path, 'jobs', 'db')).toBe(entry));
