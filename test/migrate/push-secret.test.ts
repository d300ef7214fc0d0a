import { parse } from 'yaml';
import { describe, expect, it, test } from 'vitest';
import { asObject, dig } from '../../src/kube/json.ts';
import type { ResourceKind } from '../../src/kube/object.ts';
import type { Conversion } from '../../src/migrate/conversion.ts';
import type { InfisicalWish } from '../../src/migrate/infisical-target.ts';
import { convertPushSecret } from '../../src/migrate/push-secret.ts';

const PUSH_SECRET: ResourceKind = {
  group: 'external-secrets.io',
  version: 'v1alpha1',
  kind: 'PushSecret',
  plural: 'pushsecrets',
  namespaced: true,
};

const WISH: InfisicalWish = {
  kind: 'InfisicalSecret',
  hostAPI: 'https://infisical.floe.dev/api',
  login: { credentials: { namespace: 'infisical', name: 'operator' } },
  copyValues: false,
  destination: { project: 'floe', environment: 'prod', path: '/pushed' },
};

function converted(spec: string, wish: Partial<InfisicalWish> = {}): Conversion {
  const raw = { metadata: { name: 'out', namespace: 'jobs' }, spec: asObject(parse(spec)) };
  return convertPushSecret({ kind: PUSH_SECRET, raw }, { ...WISH, ...wish });
}

const SOURCE = 'secretStoreRefs: [{name: vault}], selector: {secret: {name: db}}';
const ONE = 'data: [{match: {secretKey: password, remoteRef: {remoteKey: team/db, property: PASSWORD}}}]';

describe('a PushSecret', () => {
  it('becomes an InfisicalPushSecret of the same keys', () => {
    const conversion = converted(
      `{${SOURCE}, refreshInterval: 30m, deletionPolicy: Delete, data: [{match: {secretKey: user, remoteRef: {remoteKey: team/db, property: USER}}}, {match: {secretKey: pass.word, remoteRef: {remoteKey: team/db, property: PASSWORD}}}]}`,
    );
    expect(conversion).toMatchObject({ secret: 'db', kind: 'PushSecret', source: 'vault', obstacles: [] });
    expect(conversion.to).toEqual({
      apiVersion: 'secrets.infisical.com/v1alpha1',
      kind: 'InfisicalPushSecret',
      metadata: { name: 'out', namespace: 'jobs' },
      spec: {
        hostAPI: 'https://infisical.floe.dev/api',
        resyncInterval: '30m',
        updatePolicy: 'Replace',
        deletionPolicy: 'Delete',
        destination: { projectSlug: 'floe', environmentSlug: 'prod', secretsPath: '/pushed/team/db' },
        authentication: {
          universalAuth: { credentialsRef: { secretName: 'operator', secretNamespace: 'infisical' } },
        },
        push: {
          secret: {
            secretName: 'db',
            secretNamespace: 'jobs',
            template: {
              includeAllSecrets: false,
              data: { USER: '{{ .user.Value }}', PASSWORD: '{{ (index . "pass.word").Value }}' },
            },
          },
        },
      },
    });
  });

  it('keeps what it found upstream where it did so before', () => {
    const conversion = converted(`{${SOURCE}, updatePolicy: IfNotExists, ${ONE}}`);
    const spec = dig(conversion.to, 'spec');
    expect(spec).not.toHaveProperty('updatePolicy');
    expect(spec).not.toHaveProperty('deletionPolicy');
  });

  it('pushes a key without a property by its own name', () => {
    const conversion = converted(
      `{${SOURCE}, data: [{match: {secretKey: a, remoteRef: {remoteKey: API_TOKEN}}}]}`,
    );
    expect(dig(conversion.to, 'spec', 'destination', 'secretsPath')).toBe('/pushed');
    expect(dig(conversion.to, 'spec', 'push', 'secret', 'template', 'data')).toEqual({
      API_TOKEN: '{{ .a.Value }}',
    });
  });

  test.each([
    [
      `{secretStoreRefs: [], selector: {generatorRef: {kind: Password}}, ${ONE}}`,
      'spec.selector.generatorRef',
    ],
    [
      `{secretStoreRefs: [], selector: {secret: {selector: {matchLabels: {a: b}}}}, ${ONE}}`,
      'spec.selector.secret',
    ],
    [`{${SOURCE}}`, 'spec.data'],
    [`{${SOURCE}, data: [{match: {remoteRef: {remoteKey: db}}}]}`, 'spec.data[0].match.secretKey'],
    [`{${SOURCE}, template: {data: {a: b}}, ${ONE}}`, 'spec.template'],
    [
      `{${SOURCE}, data: [{match: {secretKey: a, remoteRef: {remoteKey: x/A}}}, {match: {secretKey: b, remoteRef: {remoteKey: y/B}}}]}`,
      'spec.data',
    ],
    [
      `{${SOURCE}, data: [{conversionStrategy: ReverseUnicode, match: {secretKey: a, remoteRef: {remoteKey: A}}}]}`,
      'spec.data[0].conversionStrategy',
    ],
  ])('%s cannot be converted', (spec, where) => {
    const conversion = converted(spec);
    expect(conversion.obstacles.map((one) => one.where)).toEqual([where]);
    expect(conversion.to).toBeUndefined();
  });

  it('says what is not known of where it would push', () => {
    const { login: _login, ...wish } = WISH;
    const raw = {
      metadata: { name: 'out', namespace: 'jobs' },
      spec: asObject(parse(`{${SOURCE}, ${ONE}}`)),
    };
    const destination = { project: '', environment: 'prod', path: '/' };
    const { obstacles } = convertPushSecret({ kind: PUSH_SECRET, raw }, { ...wish, destination });
    expect(obstacles.map(({ why }) => why)).toEqual([
      'no project of Infisical to copy to',
      "how Infisical's operator logs in is not known",
    ]);
  });
});
