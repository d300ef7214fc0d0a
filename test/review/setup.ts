// A cluster from a literal, and the two calls that a pod gets.
import fastJsonPatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';
import { SETTINGS_SCHEMA, frozenConfig } from '../../src/config/config.ts';
import { KEYS } from '../../src/contract/keys.ts';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import { asObject } from '../../src/kube/json.ts';
import type { KubeObject, ResourceKind } from '../../src/kube/object.ts';
import { NAMESPACE } from '../../src/kube/object.ts';
import type { SecretRecord } from '../../src/kube/secret.ts';
import { worldOf } from '../../src/kube/static-world.ts';
import type { World } from '../../src/kube/world.ts';
import { PLUGINS } from '../../src/plugins/index.ts';
import type { SyncKind } from '../../src/plugins/plugin.ts';
import type { Decision } from '../../src/review/decision.ts';
import type { Door, Request } from '../../src/review/request.ts';
import { createReviewer } from '../../src/review/review.ts';

export const NOW = Date.parse('2026-11-22T04:00:00Z');
export const HERE = 'floe-jobs';

/** A time so many seconds before NOW, as the API server writes it. */
export function ago(seconds: number): string {
  return new Date(NOW - seconds * 1000).toISOString().replace('.000', '');
}

export function namespace(
  annotations: Readonly<Record<string, string>> = {},
  labels: Readonly<Record<string, string>> = {},
): KubeObject {
  return {
    kind: NAMESPACE,
    raw: { metadata: { name: HERE, annotations, labels: { [KEYS.injection]: 'enabled', ...labels } } },
  };
}

export function secret(name: string, more: Partial<SecretRecord> = {}): SecretRecord {
  return {
    namespace: HERE,
    name,
    uid: `uid-of-${name}`,
    resourceVersion: '4711',
    ownerReferences: [],
    labels: {},
    annotations: {},
    keys: ['PASSWORD'],
    keysComplete: true,
    writes: [],
    ...more,
  };
}

/** The kind of sync resource of this name. */
export function syncKind(kind: string): SyncKind {
  const found = PLUGINS.flatMap((plugin) => plugin.kinds).find((one) => one.resource.kind === kind);
  if (found === undefined) throw new Error(`no plugin knows ${kind}`);
  return found;
}

export function syncResource(kind: string, raw: JsonObject): KubeObject {
  return { kind: syncKind(kind).resource, raw };
}

/** An InfisicalSecret that targets one Secret of its name. */
export function infisicalSecret(
  name: string,
  conditions: readonly Json[] | undefined,
  more: JsonObject = {},
): KubeObject {
  return syncResource('InfisicalSecret', {
    metadata: {
      name,
      namespace: HERE,
      uid: `uid-of-${name}`,
      creationTimestamp: ago(3600),
      ...asObject(more['metadata']),
    },
    spec: {
      managedKubeSecretReferences: [{ secretName: name, secretNamespace: HERE }],
      ...asObject(more['spec']),
    },
    ...(conditions === undefined ? {} : { status: { conditions } }),
  });
}

export interface Cluster {
  readonly namespace?: KubeObject;
  readonly objects?: readonly KubeObject[];
  readonly secrets?: readonly SecretRecord[];
  readonly kinds?: readonly ResourceKind[];
}

export function cluster(given: Cluster = {}): World {
  const kinds = new Map(
    PLUGINS.flatMap((plugin) => plugin.kinds).map((kind) => [
      `${kind.resource.group}/${kind.resource.kind}`,
      kind,
    ]),
  );
  return worldOf({
    objects: [given.namespace ?? namespace(), ...(given.objects ?? [])],
    secrets: given.secrets ?? [],
    targets: (object) => kinds.get(`${object.kind.group}/${object.kind.kind}`)?.targets(object) ?? [],
    ...(given.kinds === undefined ? {} : { kinds: given.kinds }),
  });
}

export function pod(
  annotations: Readonly<Record<string, string>> = {},
  spec: JsonObject = { containers: [{ name: 'dbt' }] },
): JsonObject {
  const own = Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [
      key.includes('/') ? key : `secrets.floe.dev/${key}`,
      value,
    ]),
  );
  return { metadata: { annotations: own }, spec };
}

export function request(door: Door, object: JsonObject, more: Partial<Request> = {}): Request {
  return {
    door,
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    operation: 'CREATE',
    group: '',
    kind: 'Pod',
    subResource: '',
    name: 'dbt-run',
    namespace: HERE,
    object,
    user: { username: 'ada@floe.dev', groups: ['system:authenticated'] },
    dryRun: false,
    ...more,
  };
}

export function reviewer(settings: JsonObject = {}): ReturnType<typeof createReviewer> {
  return createReviewer(frozenConfig(SETTINGS_SCHEMA.parse(settings)));
}

const DEFAULTS = reviewer();

export function mutate(object: JsonObject, world: World = cluster(), more: Partial<Request> = {}): Decision {
  return DEFAULTS(request('mutate', object, more), world, NOW);
}

export function validate(
  object: JsonObject,
  world: World = cluster(),
  more: Partial<Request> = {},
): Decision {
  return DEFAULTS(request('validate', object, more), world, NOW);
}

/** What the API server makes of the object and the patch. Throws where the patch cannot be applied. */
export function patched(object: JsonObject, decision: Decision): JsonObject {
  const operations = structuredClone(decision.patch) as Operation[];
  return fastJsonPatch.applyPatch(structuredClone(object), operations, true).newDocument;
}

export function codes(decision: Decision): readonly string[] {
  return decision.findings.map(({ code, severity }) =>
    severity === 'error' ? code.slice(5) : `${code.slice(5)}w`,
  );
}
