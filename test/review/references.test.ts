import * as MODELS from '@kubernetes/client-node';
import { describe, expect, it, test } from 'vitest';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import { referencesOf } from '../../src/review/references.ts';

function ofPod(spec: JsonObject): readonly string[] {
  return referencesOf({ spec }).map(({ secret }) => secret);
}

describe('a reference', () => {
  it.each([
    ['containers', 'container'],
    ['initContainers', 'init container'],
    ['ephemeralContainers', 'ephemeral container'],
  ])('in %s is found, with its words', (list, words) => {
    const container = {
      name: 'dbt',
      envFrom: [{ secretRef: { name: 'a' } }, { configMapRef: { name: 'no' } }],
      env: [
        { name: 'N', valueFrom: { secretKeyRef: { name: 'b', key: 'k' } } },
        { name: 'M', valueFrom: { configMapKeyRef: { name: 'no', key: 'k' } } },
        { name: 'L', value: 'literal' },
      ],
    };
    const found = referencesOf({ spec: { [list]: [container] } });
    expect(found).toEqual([
      {
        secret: 'a',
        keys: [],
        optional: false,
        tolerated: false,
        use: { container: 'dbt', field: 'envFrom', words: `${words} 'dbt' (envFrom)` },
      },
      {
        secret: 'b',
        keys: ['k'],
        optional: false,
        tolerated: false,
        use: { container: 'dbt', field: 'env N', words: `${words} 'dbt' (env N)` },
      },
    ]);
  });

  const VOLUMES: Readonly<Record<string, Json>> = {
    secret: { secretName: 'x' },
    projected: {
      sources: [{ configMap: { name: 'no' } }, { secret: { name: 'x' } }, { serviceAccountToken: {} }],
    },
    azureFile: { secretName: 'x', shareName: 's' },
    cephfs: { secretRef: { name: 'x' } },
    cinder: { secretRef: { name: 'x' } },
    flexVolume: { secretRef: { name: 'x' } },
    rbd: { secretRef: { name: 'x' } },
    scaleIO: { secretRef: { name: 'x' } },
    iscsi: { secretRef: { name: 'x' } },
    storageos: { secretRef: { name: 'x' } },
    csi: { driver: 'd', nodePublishSecretRef: { name: 'x' } },
  };

  it.each(Object.entries(VOLUMES))('in a volume of type %s is found', (type, source) => {
    const [found, ...more] = referencesOf({ spec: { volumes: [{ name: 'v', [type]: source }] } });
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      secret: 'x',
      optional: false,
      use: { field: 'volume v', words: "volume 'v'" },
    });
  });

  it('in imagePullSecrets is found, and the kubelet tolerates it', () => {
    expect(referencesOf({ spec: { imagePullSecrets: [{ name: 'pull' }, {}] } })).toMatchObject([
      { secret: 'pull', tolerated: true, optional: false, use: { field: 'imagePullSecrets' } },
    ]);
  });

  it('that is optional needs no key', () => {
    const env = [{ name: 'N', valueFrom: { secretKeyRef: { name: 'a', key: 'k', optional: true } } }];
    const envFrom = [{ secretRef: { name: 'b', optional: true } }];
    const volumes = [
      { name: 'v', secret: { secretName: 'c', optional: true, items: [{ key: 'k', path: 'p' }] } },
      {
        name: 'w',
        projected: { sources: [{ secret: { name: 'd', optional: true, items: [{ key: 'k', path: 'p' }] } }] },
      },
    ];
    const found = referencesOf({ spec: { containers: [{ env, envFrom }], volumes } });
    expect(found.map(({ keys, optional }) => [optional, keys])).toEqual(
      ['a', 'b', 'c', 'd'].map(() => [true, []]),
    );
  });

  it('to single files needs their keys', () => {
    const items = [{ key: 'tls.crt', path: 'a' }, { key: 'tls.key', path: 'b' }, {}, null];
    const volumes = [
      { name: 'v', secret: { secretName: 'c', items } },
      { name: 'w', projected: { sources: [{ secret: { name: 'd', items } }] } },
    ];
    expect(referencesOf({ spec: { volumes } }).map(({ keys }) => keys)).toEqual([
      ['tls.crt', 'tls.key'],
      ['tls.crt', 'tls.key'],
    ]);
  });

  it.each([
    [{ containers: 'x', volumes: {}, imagePullSecrets: 1 }],
    [{ containers: [null, 1, { env: 'x', envFrom: { secretRef: { name: 'a' } } }] }],
    [
      {
        containers: [
          {
            env: [null, { valueFrom: 'x' }, { valueFrom: { secretKeyRef: 'x' } }],
            envFrom: [null, { secretRef: { name: '' } }],
          },
        ],
      },
    ],
    [
      {
        volumes: [
          null,
          'x',
          { secret: 'x' },
          { secret: { secretName: 1 } },
          { projected: { sources: 'x' } },
          { csi: null },
        ],
      },
    ],
  ])('is not found in %j', (spec) => {
    expect(ofPod(spec as JsonObject)).toEqual([]);
  });
});

/**
 * The Kubernetes client's models know every field of a pod. Whichever of them can name a Secret must be seen by
 * the visitor, or be explained here.
 */
describe('every field of a pod that can name a Secret', () => {
  const NOT_VISITED: Readonly<Record<string, string>> = {};
  const paths = secretPaths('V1PodSpec');

  it('is known', () => {
    expect(MODELS.V1PodSpec.getAttributeTypeMap().length).toBeGreaterThan(30);
    expect(MODELS.V1CSIVolumeSource.getAttributeTypeMap().map(({ name }) => name)).toContain(
      'nodePublishSecretRef',
    );
    expect(paths.length).toBeGreaterThanOrEqual(18);
    expect(Object.keys(NOT_VISITED).filter((path) => !paths.includes(path))).toEqual([]);
  });

  test.each(paths)('%s', (path) => {
    const spec = specWith(path.split('.'), 'found') as JsonObject;
    const visited = ofPod(spec).includes('found');
    if (NOT_VISITED[path] === undefined) expect(visited, JSON.stringify(spec)).toBe(true);
    else expect(visited, 'it is visited: take it off the list').toBe(false);
  });
});

interface Model {
  getAttributeTypeMap(): readonly { readonly baseName: string; readonly type: string }[];
}

/** Paths such as `volumes.[].csi.nodePublishSecretRef.name`; a list is `[]`. */
function secretPaths(type: string, above: readonly string[] = []): readonly string[] {
  const inner = /^Array<(.*)>$/.exec(type)?.[1];
  if (inner !== undefined) return secretPaths(inner, [...above, '[]']);
  const model = modelNamed(type);
  if (model === undefined || above.length > 12) return [];
  return model.getAttributeTypeMap().flatMap(({ baseName, type: fieldType }) => {
    const path = [...above, baseName];
    if (/^secretName$/.test(baseName) && fieldType === 'string') return [path.join('.')];
    const bare = /secret/i.test(baseName) || fieldType.startsWith('V1Secret');
    const name = modelNamed(fieldType.replace(/^Array<(.*)>$/, '$1'));
    const named = name?.getAttributeTypeMap().some((field) => field.baseName === 'name') === true;
    if (bare && named)
      return [[...path, ...(fieldType.startsWith('Array<') ? ['[]'] : []), 'name'].join('.')];
    return secretPaths(fieldType, path);
  });
}

function modelNamed(type: string): Model | undefined {
  const model = (MODELS as Readonly<Record<string, unknown>>)[type];
  return typeof model === 'function' && 'getAttributeTypeMap' in model
    ? (model as unknown as Model)
    : undefined;
}

/** A pod spec that has nothing but this path, with a key where a key is asked for. */
function specWith(path: readonly string[], value: string): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (step === '[]') return [specWith(rest, value)];
  return { [step]: specWith(rest, value) };
}
