/** The wiring: which objects say where Secrets come from and where they go, as they would be applied again. */
import type { WorldContents } from '../cluster/world-files.ts';
import { FLOE, INFISICAL_AUTO_RELOAD, PREFIX } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { asObject } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import {
  NAMESPACE,
  SERVICE_ACCOUNT,
  annotationsOf,
  apiVersionOf,
  isSameKind,
  labelsOf,
  nameOf,
  namespaceOf,
} from '../kube/object.ts';

export interface Wire {
  readonly kind: ResourceKind;
  readonly object: JsonObject;
}

/** Namespaces first, so that what is in them can be made after them. */
export function wiringOf(contents: WorldContents, namespace: string | undefined): readonly Wire[] {
  const isHere = (object: KubeObject): boolean =>
    namespace === undefined || [namespaceOf(object.raw) || nameOf(object.raw)].includes(namespace);
  const of = (kind: ResourceKind): readonly KubeObject[] =>
    contents.objects.filter((object) => isSameKind(object.kind, kind));
  return [
    ...of(NAMESPACE).filter(isHere).flatMap(wishesOf),
    ...of(SERVICE_ACCOUNT).filter(isHere).flatMap(wishesOf),
    ...[...contents.companions, ...contents.syncResources].filter(isHere).map(wholeOf),
  ];
}

/** Of an object that is not ours only what is ours on it; nothing where that is nothing. */
function wishesOf({ kind, raw }: KubeObject): readonly Wire[] {
  const labels = ours(labelsOf(raw));
  const annotations = ours(annotationsOf(raw));
  if (Object.keys({ ...labels, ...annotations }).length === 0) return [];
  return [{ kind, object: { ...typeOf(kind), metadata: metadataOf(raw, labels, annotations) } }];
}

/** A sync resource as it was written: without its status, and without what the API server made. */
function wholeOf({ kind, raw }: KubeObject): Wire {
  const { apiVersion: _version, kind: _kind, metadata: _metadata, status: _status, ...rest } = raw;
  const metadata = metadataOf(raw, labelsOf(raw), annotationsOf(raw));
  return { kind, object: { ...typeOf(kind), metadata, ...rest } };
}

function typeOf(kind: ResourceKind): JsonObject {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind };
}

function metadataOf(raw: JsonObject, labels: JsonObject, annotations: JsonObject): JsonObject {
  const namespace = namespaceOf(raw);
  return {
    name: nameOf(raw),
    ...(namespace === '' ? {} : { namespace }),
    ...named('labels', labels),
    ...named('annotations', annotations),
  };
}

function named(name: string, map: JsonObject): JsonObject {
  return Object.keys(map).length === 0 ? {} : { [name]: map };
}

const KEPT: readonly string[] = [...Object.values(FLOE), INFISICAL_AUTO_RELOAD];

function ours(map: JsonObject): JsonObject {
  const kept = Object.entries(map).filter(([key]) => key.startsWith(PREFIX) || KEPT.includes(key));
  return asObject(Object.fromEntries(kept));
}
