import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import { asObject, dig } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { Read } from '../../src/kube/world.ts';
import type { Conversion, TargetSecret } from '../../src/migrate/conversion.ts';
import type { InfisicalWish } from '../../src/migrate/infisical-target.ts';
import type { StoreWish } from '../../src/migrate/store-only.ts';
import { storeWishFor, switchStore } from '../../src/migrate/store-only.ts';
import { externalSecret } from '../../src/plugins/external-secrets.ts';
import { SECRET_STORE } from '../../src/plugins/secret-stores.ts';

const TARGET: TargetSecret = {
  keys: ['BYTES', 'USER'],
  encoded: ['BYTES'],
  binary: ['BYTES'],
  metadata: {},
  type: 'Opaque',
  immutable: false,
};
const STORE: StoreWish = { kind: 'SecretStore', name: 'infisical', obstacles: [] };

function switched(
  spec: string,
  store: StoreWish = STORE,
  target: TargetSecret | undefined = TARGET,
): Conversion {
  const provider = { vault: { server: 'https://vault' } };
  return switchStore(
    {
      object: {
        kind: externalSecret.resource,
        raw: { metadata: { name: 'db', namespace: 'jobs', uid: 'x' }, spec: asObject(parse(spec)) },
      },
      findStore: ({ name }) => ({
        state: 'present',
        value: { kind: SECRET_STORE, raw: { metadata: { name, namespace: 'jobs' }, spec: { provider } } },
      }),
      target,
      wish: {
        kind: 'InfisicalSecret',
        hostAPI: 'https://infisical.floe.dev/api',
        copyValues: true,
        destination: { project: 'floe', environment: 'prod', path: '/imported' },
      },
    },
    store,
  );
}

describe('an ExternalSecret whose store alone becomes Infisical', () => {
  it('reads each key that the Secret has now by itself', () => {
    const conversion = switched(
      '{refreshInterval: 1h, secretStoreRef: {name: vault, kind: SecretStore}, target: {name: credentials, creationPolicy: Owner}, dataFrom: [{extract: {key: db}}]}',
    );
    expect(conversion.copy).toEqual({
      store: 'infisical',
      place: { project: 'floe', environment: 'prod', path: '/imported/credentials' },
      keys: ['BYTES', 'USER'],
      encoded: ['BYTES'],
    });
    expect(conversion.to).toEqual({
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      metadata: { name: 'db', namespace: 'jobs' },
      spec: {
        refreshInterval: '1h',
        secretStoreRef: { kind: 'SecretStore', name: 'infisical' },
        target: { name: 'credentials', creationPolicy: 'Owner' },
        data: [
          {
            secretKey: 'BYTES',
            remoteRef: { key: '/imported/credentials/BYTES', decodingStrategy: 'Base64' },
          },
          { secretKey: 'USER', remoteRef: { key: '/imported/credentials/USER' } },
        ],
      },
    });
  });

  it('keeps type and labels of its template, whose text is copied as what it made', () => {
    const conversion = switched(
      '{secretStoreRef: {name: vault}, target: {template: {type: Opaque, metadata: {labels: {a: b}}, mergePolicy: Merge, data: {URL: "{{ .x }}"}}}, data: [{secretKey: x, remoteRef: {key: db}}]}',
    );
    expect(dig(conversion.to, 'spec', 'target', 'template')).toEqual({
      type: 'Opaque',
      metadata: { labels: { a: 'b' } },
    });
    expect(conversion.notes).toContain('its template is gone: what it made is copied as it is now');
  });

  it('is refused for the same reasons, and for those of the store', () => {
    const spec =
      '{secretStoreRef: {name: vault}, target: {creationPolicy: Merge}, dataFrom: [{extract: {key: db}}]}';
    const store = { ...STORE, obstacles: [{ where: '', why: 'no credentials' }] };
    const { obstacles, to } = switched(spec, store);
    expect([obstacles.map(({ why }) => why), to]).toEqual([
      [expect.stringContaining('by Merge'), 'no credentials'],
      undefined,
    ]);
  });
});

describe('the store', () => {
  const wish: InfisicalWish = {
    kind: 'InfisicalSecret',
    hostAPI: 'https://infisical.floe.dev/api',
    login: { credentials: { namespace: 'jobs', name: 'identity' } },
    copyValues: true,
    destination: { project: 'floe', environment: 'prod', path: '/' },
  };
  const absent = (): Read<KubeObject> => ({ state: 'absent' });

  it('is of the namespace where its credentials are', () => {
    expect(storeWishFor('jobs', wish, absent)).toEqual({
      kind: 'SecretStore',
      name: 'infisical',
      obstacles: [],
      manifest: {
        apiVersion: 'external-secrets.io/v1',
        kind: 'SecretStore',
        metadata: { name: 'infisical', namespace: 'jobs' },
        spec: {
          provider: {
            infisical: {
              hostAPI: 'https://infisical.floe.dev/api',
              auth: {
                universalAuthCredentials: {
                  clientId: { name: 'identity', key: 'clientId' },
                  clientSecret: { name: 'identity', key: 'clientSecret' },
                },
              },
              secretsScope: { projectSlug: 'floe', environmentSlug: 'prod', secretsPath: '/' },
            },
          },
        },
      },
    });
  });

  it('is of the cluster where they are elsewhere', () => {
    const { kind, manifest } = storeWishFor('other', wish, absent);
    expect(kind).toBe('ClusterSecretStore');
    expect(manifest).toMatchObject({ metadata: { name: 'infisical' } });
    expect(JSON.stringify(manifest)).toContain('"namespace":"jobs"');
  });

  it('is used where it is there already, and refused where that reads elsewhere', () => {
    const { manifest = {} } = storeWishFor('jobs', wish, absent);
    const there = (raw: JsonObject) => (): Read<KubeObject> => ({
      state: 'present',
      value: { kind: SECRET_STORE, raw },
    });
    expect(storeWishFor('jobs', wish, there(manifest))).toEqual({
      kind: 'SecretStore',
      name: 'infisical',
      obstacles: [],
    });
    const elsewhere = storeWishFor('jobs', wish, there({ spec: { provider: { vault: {} } } }));
    expect(elsewhere.obstacles[0]?.why).toContain('reads elsewhere');
  });

  it('needs a Secret to log in by', () => {
    const { login: _login, ...without } = wish;
    expect(storeWishFor('jobs', without, absent).obstacles[0]?.fix).toContain(
      'upstream.infisical.credentials',
    );
  });
});
