import { describe, expect, it } from 'vitest';
import { floeNamespace, floeReferences } from '../../src/cli/floe-references.ts';
import type { Json } from '../../src/kube/json.ts';

const found = (manifest: Json): readonly string[] =>
  floeReferences(manifest).map(
    ({ field, namespace, secret, keys }) =>
      `${field} -> ${namespace === undefined ? '' : `${namespace}/`}${secret}${keys.map((key) => ` ${key}`).join('')}`,
  );

describe('floeReferences', () => {
  it.each<readonly [string, Json, readonly string[]]>([
    [
      'connection_secret_ref',
      { plugins: { compute: { type: 'snowflake', connection_secret_ref: 'snowflake-credentials' } } },
      ['plugins.compute.connection_secret_ref -> snowflake-credentials'],
    ],
    [
      'destinations of floe.yaml',
      { destinations: [{ name: 'crm', connection_secret_ref: 'salesforce-credentials' }] },
      ['destinations[0].connection_secret_ref -> salesforce-credentials'],
    ],
    [
      'catalog authentication',
      { auth: { client_id_ref: 'polaris-id', client_secret_ref: 'polaris-secret' } },
      ['auth.client_id_ref -> polaris-id', 'auth.client_secret_ref -> polaris-secret'],
    ],
    ['secret_ref', { secret_ref: 'a' }, ['secret_ref -> a']],
    [
      'secret_ref with namespace and keys',
      { credentials: { secret_ref: { name: 'minio', namespace: 'floe-system', keys: { id: 'root-user' } } } },
      ['credentials.secret_ref -> floe-system/minio root-user'],
    ],
    [
      'secret_refs',
      {
        ingestion: [{ secret_refs: { github: 'github-token', stripe: { name: 'stripe', key: 'API_KEY' } } }],
      },
      [
        'ingestion[0].secret_refs.github -> github-token',
        'ingestion[0].secret_refs.stripe -> stripe API_KEY',
      ],
    ],
    [
      'secretRef in a plugin configuration',
      { config: { client_id: { secretRef: { source: 'kubernetes', name: 'infisical', key: 'clientId' } } } },
      ['config.client_id.secretRef -> infisical clientId'],
    ],
    [
      'SecretReference and CredentialRef objects',
      { a: { source: 'vault', name: 'db', key: 'password' }, b: { source: 'kubernetes-secret', name: 'c' } },
      ['a -> db password', 'b -> c'],
    ],
    [
      'MinIO storage',
      {
        config: {
          credential_secret_name: 'minio',
          credential_secret_namespace: 'floe-system',
          access_key_secret_key: 'root-user',
          secret_key_secret_key: 'root-password',
        },
      },
      ['config.credential_secret_name -> floe-system/minio root-user root-password'],
    ],
    [
      'sources that are no Secret',
      { a: { secretRef: { source: 'env', name: 'TOKEN' } }, b: { source: 'environment', name: 'X' } },
      [],
    ],
    ['other things', { name: 'x', source: 'postgres', secret: 'no', secret_ref: '', secret_refs: null }, []],
  ])('%s', (_case, manifest, references) => {
    expect(found(manifest)).toEqual(references);
  });

  it('does not overflow on a deep manifest', () => {
    let manifest: Json = { secret_ref: 'deep' };
    for (let depth = 0; depth < 100_000; depth++) manifest = { a: manifest };
    expect(floeReferences(manifest)).toEqual([]);
  });
});

describe('floeNamespace', () => {
  it("is the secrets plugin's own", () => {
    expect(floeNamespace({ plugins: { secrets: { type: 'k8s', config: { namespace: 'floe-jobs' } } } })).toBe(
      'floe-jobs',
    );
    expect(floeNamespace({ plugins: {} })).toBeUndefined();
  });
});
