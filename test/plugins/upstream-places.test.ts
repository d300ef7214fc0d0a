/** Where upstream each kind of sync resource reads. */
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import type { UpstreamPlace } from '../../src/plugins/upstream-places.ts';
import { upstreamPlaces } from '../../src/plugins/upstream-places.ts';

function placesOf(kind: string, spec: JsonObject): readonly UpstreamPlace[] {
  const resource = { group: 'g', version: 'v1', kind, plural: `${kind}s`, namespaced: true };
  return upstreamPlaces({ kind: resource, raw: { spec } });
}

const SCOPE = { projectSlug: 'data', envSlug: 'prod', secretsPath: '/compute' };
const PLACE = {
  plugin: 'infisical',
  project: 'data',
  environment: 'prod',
  path: '/compute',
  instance: '',
  isReshaped: false,
};

test.each<[string, string, JsonObject, readonly object[]]>([
  [
    'an InfisicalSecret',
    'InfisicalSecret',
    { authentication: { universalAuth: { secretsScope: SCOPE } } },
    [PLACE],
  ],
  [
    'one of another Infisical',
    'InfisicalSecret',
    { hostAPI: 'https://i.example/api', authentication: { kubernetesAuth: { secretsScope: SCOPE } } },
    [{ ...PLACE, instance: 'https://i.example/api' }],
  ],
  [
    'one with folders below',
    'InfisicalSecret',
    { authentication: { universalAuth: { secretsScope: { ...SCOPE, recursive: true } } } },
    [{ ...PLACE, isReshaped: true }],
  ],
  [
    'one with a template',
    'InfisicalSecret',
    {
      authentication: { universalAuth: { secretsScope: SCOPE } },
      managedKubeSecretReferences: [{ secretName: 'x', template: { data: {} } }],
    },
    [{ ...PLACE, isReshaped: true }],
  ],
  ['one without a scope', 'InfisicalSecret', { authentication: { serviceToken: {} } }, []],
  [
    'an InfisicalStaticSecret with two sources',
    'InfisicalStaticSecret',
    {
      sources: [
        { projectId: 'id', environmentSlug: 'prod', secretPath: '/a' },
        { projectSlug: 'data', environmentSlug: 'dev', secretPath: '/b', tagSlugs: ['t'] },
      ],
    },
    [
      { ...PLACE, project: 'id', path: '/a' },
      { ...PLACE, environment: 'dev', path: '/b', isReshaped: true },
    ],
  ],
  [
    'a VaultStaticSecret',
    'VaultStaticSecret',
    { mount: 'secret', path: 'floe/db', namespace: 'team' },
    [
      {
        plugin: 'vault',
        project: 'secret',
        environment: '',
        path: 'floe/db',
        instance: 'team',
        isReshaped: false,
      },
    ],
  ],
  ['a kind that its operator alone can ask', 'ExternalSecret', { data: [] }, []],
])('%s', (_what, kind, spec, places) => {
  expect(placesOf(kind, spec)).toEqual(places);
});
