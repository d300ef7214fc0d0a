// Pods of every shape: mostly as they should be, sometimes with anything in a field, or with fields nobody knows.
import * as fc from 'fast-check';
import type { Json, JsonObject } from '../../src/kube/json.ts';

/** Literals of the pod: no answer may repeat one. */
export const LITERAL = 'literal-7c1d';

export const PRESENT = ['db', 'polaris', 'snowflake-credentials', 'a.b'] as const;
export const ABSENT = ['gone', 'not-there', 'lost.and.found'] as const;

const names = fc.constantFrom(...PRESENT, ...ABSENT, 'synced', 'failing', '', 'Not A Name', '__proto__');
const odd: fc.Arbitrary<Json | undefined> = fc.oneof(
  fc.constantFrom(null, undefined, 0, -1, true, '', 'x', '__proto__'),
  fc.constant([]),
  fc.constant({}),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
);

/** Mostly the field as it should be, sometimes anything, sometimes nothing. */
function mostly<T>(field: fc.Arbitrary<T>): fc.Arbitrary<T | Json | undefined> {
  return fc.oneof(
    { weight: 12, arbitrary: field },
    { weight: 1, arbitrary: odd },
    { weight: 2, arbitrary: fc.constant(undefined) },
  );
}

function listOf<T>(item: fc.Arbitrary<T>, maxLength = 3): fc.Arbitrary<unknown> {
  return mostly(fc.array(mostly(item), { maxLength }));
}

/** An object with these fields, and sometimes fields that nobody knows. */
function objectOf(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<JsonObject> {
  const unknown = fc.dictionary(fc.constantFrom('brandNewField', 'x-vendor', 'constructor', 'a/b~c'), odd, {
    maxKeys: 2,
  });
  return fc.tuple(fc.record(fields), unknown).map(([known, more]) => ({ ...more, ...known }) as JsonObject);
}

const key = fc.constantFrom('PASSWORD', 'USER', 'value', 'no-such-key', '..', '');
const optional = fc.constantFrom(true, false, undefined, 'true');
const reference = objectOf({ name: mostly(names), optional });
const container = objectOf({
  name: mostly(fc.constantFrom('dbt', 'side', 'istio-proxy', 'load', '', LITERAL)),
  envFrom: listOf(
    fc.oneof(
      objectOf({ secretRef: mostly(reference), prefix: fc.constantFrom(undefined, '', 'DB_') }),
      objectOf({ configMapRef: mostly(reference) }),
    ),
  ),
  env: listOf(
    fc.oneof(
      objectOf({
        name: fc.constantFrom('N', 'DB', 'FLOE_SECRET_DB'),
        value: fc.constantFrom(LITERAL, `postgres://u:${LITERAL}@h/`),
      }),
      objectOf({
        name: fc.constantFrom('N', 'M'),
        valueFrom: mostly(
          objectOf({ secretKeyRef: mostly(objectOf({ name: mostly(names), key: mostly(key), optional })) }),
        ),
      }),
    ),
  ),
  volumeMounts: listOf(
    objectOf({
      name: fc.constantFrom('v', 'floe-23df986e93'),
      mountPath: fc.constantFrom('/run/secrets/db', '/d', '/d/'),
    }),
  ),
  securityContext: mostly(objectOf({ runAsUser: fc.constantFrom(0, 1000, undefined) })),
});
const volume = fc.oneof(
  objectOf({
    name: fc.constantFrom('v', 'w', 'floe-23df986e93'),
    secret: mostly(objectOf({ secretName: mostly(names), optional })),
  }),
  objectOf({
    name: fc.constant('p'),
    projected: mostly(objectOf({ sources: listOf(objectOf({ secret: mostly(reference) })) })),
  }),
  objectOf({
    name: fc.constant('c'),
    csi: mostly(
      objectOf({
        driver: fc.constantFrom('secrets-store.csi.k8s.io', 'x'),
        nodePublishSecretRef: mostly(reference),
      }),
    ),
  }),
);

const entry = fc.oneof(
  names,
  fc
    .tuple(
      fc.constantFrom('X_=', '/d=', '', '=', 'A=B='),
      names,
      fc.constantFrom('', '/USER', '/', '/..', '?', '/USER?'),
    )
    .map((parts) => parts.join('')),
  fc.string({ maxLength: 12 }),
);
const list = fc.array(entry, { maxLength: 5 }).map((entries) => entries.join(', '));
const annotations = objectOf(
  Object.fromEntries(
    ['inject', 'env', 'files'].map((name) => [
      `secrets.floe.dev/${name}`,
      fc.option(list, { nil: undefined }),
    ]),
  ),
);
const more = objectOf({
  'secrets.floe.dev/containers': fc.constantFrom(
    undefined,
    '',
    '*',
    'dbt',
    'init:*',
    'side, init:load',
    'absent',
    '!',
  ),
  'secrets.floe.dev/plugin': fc.constantFrom(
    undefined,
    '',
    'k8s',
    'infisical',
    'infisical, k8s',
    'infisicle',
  ),
  'secrets.floe.dev/require-keys': fc.constantFrom(undefined, 'db/USER', 'db/NONE', 'gone/K', 'db'),
  'secrets.floe.dev/pending': fc.constantFrom(undefined, 'gate', 'deny', 'later'),
  'secrets.floe.dev/injected': fc.constantFrom(undefined, 'forged', ''),
  'secrets.floe.dev/unheard-of': fc.constantFrom(undefined, 'x'),
});

export const pods: fc.Arbitrary<JsonObject> = objectOf({
  apiVersion: fc.constant('v1'),
  kind: fc.constant('Pod'),
  metadata: mostly(
    objectOf({
      name: fc.constantFrom('dbt', undefined),
      labels: mostly(
        objectOf({ 'secrets.floe.dev/injection': fc.constantFrom(undefined, 'disabled', 'enabled') }),
      ),
      annotations: mostly(fc.tuple(annotations, more).map(([first, second]) => ({ ...first, ...second }))),
      ownerReferences: listOf(
        objectOf({
          apiVersion: fc.constant('batch/v1'),
          kind: fc.constantFrom('Job', 'X'),
          name: names,
          uid: names,
          controller: fc.boolean(),
        }),
      ),
    }),
  ),
  spec: mostly(
    objectOf({
      containers: listOf(container),
      initContainers: listOf(container, 2),
      ephemeralContainers: listOf(container, 1),
      volumes: listOf(volume),
      imagePullSecrets: listOf(objectOf({ name: mostly(names) }), 2),
      serviceAccountName: mostly(names),
      os: mostly(objectOf({ name: fc.constantFrom('linux', 'windows') })),
      securityContext: mostly(objectOf({ fsGroup: fc.constantFrom(1000, 'x') })),
    }),
  ),
}).map(asOnTheWire);

/** JSON has no undefined. */
export function asOnTheWire(value: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
