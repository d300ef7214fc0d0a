import { parse } from 'yaml';
import { describe, expect, it, test } from 'vitest';
import { asObject, dig } from '../../src/kube/json.ts';
import { present } from '../../src/kube/world.ts';
import type { Conversion, TargetSecret } from '../../src/migrate/conversion.ts';
import type { WayOut } from '../../src/migrate/external-secret-target.ts';
import { readingOf } from '../../src/migrate/infisical-reading.ts';
import { recordManifest, recordOf } from '../../src/migrate/record.ts';
import type { VaultSeat } from '../../src/migrate/vault-store-conversion.ts';
import { convertToVaultStore, vaultStoreOf } from '../../src/migrate/vault-store-conversion.ts';
import { infisicalSecret } from '../../src/plugins/infisical.ts';
import { SECRET_STORE } from '../../src/plugins/secret-stores.ts';

const TARGET: TargetSecret = {
  keys: ['PASSWORD', 'tls.key'],
  encoded: ['tls.key'],
  binary: ['tls.key'],
  type: 'kubernetes.io/tls',
  immutable: false,
  metadata: {},
};
const SEAT = { address: 'https://vault:8200/', vaultNamespace: '', path: 'floe', type: 'kv-v2' } as const;
const STORE = '{server: "https://vault:8200", path: secret, version: v2}';
const SPEC = `{
  hostAPI: "https://infisical/api",
  authentication: {universalAuth: {credentialsRef: {secretName: id, secretNamespace: jobs}, secretsScope: {projectId: p, envSlug: prod, secretsPath: /db}}},
  managedKubeSecretReferences: [{secretName: credentials, secretNamespace: jobs, creationPolicy: Owner, template: {data: {URL: "x{{ .USER.Value }}"}}}],
}`;

function request(store: string, target: TargetSecret | undefined): WayOut {
  const raw = { metadata: { name: 'db', namespace: 'jobs' }, spec: asObject(parse(SPEC)) };
  const object = { kind: infisicalSecret.resource, raw };
  const provider = asObject(parse(store));
  return {
    object,
    reading: readingOf(object),
    target,
    trusted: { hostAPI: 'https://infisical/api' },
    store: { kind: 'SecretStore', name: 'team' },
    found: present({
      kind: { ...SECRET_STORE, version: 'v1beta1' },
      raw: { metadata: { name: 'team', namespace: 'jobs' }, spec: { provider } },
    }),
  };
}

interface Given {
  readonly store?: string;
  readonly seat?: Partial<VaultSeat>;
  readonly target?: TargetSecret | undefined;
}

function converted({ store = STORE, seat = {}, ...more }: Given = {}): Conversion {
  const given = request(`{vault: ${store}}`, 'target' in more ? more.target : TARGET);
  const place = vaultStoreOf(given);
  if (place === undefined) throw new Error('it is no store of Vault');
  return convertToVaultStore(given, place, { ...SEAT, mount: place.mount, ...seat });
}

const keysIn = ({ to }: Conversion): unknown => dig(to, 'spec', 'data');

describe('a sync resource of Infisical for a store of Vault', () => {
  it('becomes an ExternalSecret of an entry that gets what the Secret has now', () => {
    const conversion = converted();
    expect(conversion).toMatchObject({ secret: 'credentials', source: 'p/prod/db', obstacles: [] });
    expect(conversion.copy).toEqual({
      store: 'vault',
      place: { project: 'secret', environment: '', path: 'floe/jobs/credentials' },
      keys: ['PASSWORD', 'tls.key'],
      encoded: ['tls.key'],
    });
    const key = 'floe/jobs/credentials';
    expect(conversion.to).toEqual({
      apiVersion: 'external-secrets.io/v1beta1',
      kind: 'ExternalSecret',
      metadata: { name: 'db', namespace: 'jobs' },
      spec: {
        refreshInterval: '1m',
        secretStoreRef: { kind: 'SecretStore', name: 'team' },
        target: {
          name: 'credentials',
          creationPolicy: 'Owner',
          deletionPolicy: 'Retain',
          template: { type: 'kubernetes.io/tls', metadata: {} },
        },
        data: [
          { secretKey: 'PASSWORD', remoteRef: { key, property: 'PASSWORD' } },
          { secretKey: 'tls.key', remoteRef: { key, property: 'tls.key', decodingStrategy: 'Base64' } },
        ],
      },
    });
    expect(conversion.notes.slice(0, 2)).toEqual([
      'what changes in Infisical from then on no longer arrives',
      'Vault keeps tls.key as base64: its values are text, and these are bytes',
    ]);
  });

  it('names the mount where the entry begins like it, because it would be taken off', () => {
    const conversion = converted({ seat: { path: 'secret' } });
    expect(conversion.copy?.place).toMatchObject({ project: 'secret', path: 'secret/jobs/credentials' });
    expect(keysIn(conversion)).toMatchObject([
      { remoteRef: { key: 'secret/secret/jobs/credentials' } },
      { remoteRef: { key: 'secret/secret/jobs/credentials' } },
    ]);
  });

  it('takes a Vault that was not asked for what the store says', () => {
    const store = '{server: "https://vault:8200", path: secret, version: v1}';
    const conversion = converted({ store, seat: { type: 'kv-v1', assumed: 'no credentials', address: '' } });
    expect(conversion.notes).toContain("mount 'secret' is taken for kv-v1: no credentials");
  });

  it('has a record that is believed for its own entry alone', () => {
    const { namespace, secret, from, to, copy } = converted();
    if (from === undefined || to === undefined || copy === undefined) throw new Error('it is not converted');
    const problemOf = (change: object, more: object = {}): string | undefined => {
      const made = { ...copy, created: ['PASSWORD'], ...change };
      const plan = { namespace, secret, from, to, copy: made, record: 'kept', ...more } as const;
      return recordOf(recordManifest(plan, new Date(0)))?.problem;
    };
    expect(problemOf({})).toBeUndefined();
    const place = { ...copy.place, path: 'floe/other/credentials' };
    expect(problemOf({ place })).toMatch(/'copy' is at another place than 'to' reads from/);
    const spec = asObject(dig(to, 'spec'));
    const data = [{ secretKey: 'A', remoteRef: { key: place.path, property: 'A' } }];
    expect(problemOf({ place }, { to: { ...to, spec: { ...spec, data } } })).toMatch(/of another Secret/);
    expect(problemOf({}, { to: { ...to, spec: { ...spec, dataFrom: [{}] } } })).toMatch(/at another place/);
    expect(problemOf({ store: 'infisical' })).toMatch(/at another place/);
  });

  test.each<[string, Given, RegExp, RegExp]>([
    ['another Vault', { seat: { address: 'https://other:8200' } }, /reads another Vault/, /VAULT_ADDR/],
    [
      'no mount',
      { store: '{server: "https://vault:8200"}' },
      /which mount it reads/,
      /provider\.vault\.path/,
    ],
    [
      'another namespace of Vault',
      { store: '{server: "https://vault:8200", path: secret, namespace: data}' },
      /reads Vault's namespace 'data'/,
      /upstream\.vault\.namespace/,
    ],
    ['another version', { seat: { type: 'kv-v1' } }, /reads kv-v2, and mount 'secret' is kv-v1/, /mend/],
    ['no Secret', { target: undefined }, /nothing to hand over/, /let it sync first/],
  ])('does not go with %s', (_name, given, why, fix) => {
    const { obstacles, to } = converted(given);
    expect(to).toBeUndefined();
    expect(obstacles).toHaveLength(1);
    expect(obstacles[0]?.why).toMatch(why);
    expect(obstacles[0]?.fix).toMatch(fix);
  });

  it('is not for stores of others', () => {
    expect(vaultStoreOf(request('{aws: {}}', TARGET))).toBeUndefined();
  });
});
