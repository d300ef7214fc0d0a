/** From an answer of the API server to what may be kept of it: a Secret's values end here. */
import type { JsonObject } from '../kube/json.ts';
import { asArray, asObject, get, isObject, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import {
  NAMESPACE,
  SERVICE_ACCOUNT,
  annotationsOf,
  createdAt,
  isSameKind,
  labelsOf,
  nameOf,
  namespaceOf,
  ownerReferencesOf,
  timeOf,
  uidOf,
} from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import { keysOfManagedFields, specWrittenAt, writesOf } from './managed-fields.ts';

/** Annotations that operators and this project write; everything else on a Secret may hold values. */
const KEPT_ANNOTATIONS = [
  'secrets.infisical.com/',
  'secrets.floe.dev/',
  'reconcile.external-secrets.io/',
  'secrets.hashicorp.com/',
  'secrets.doppler.com/',
  'sealedsecrets.bitnami.com/',
  'operator.1password.io/',
  'reloader.stakater.com/',
  'secrets-store.csi.k8s.io/',
  'sopssecret/',
] as const;

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** A Secret, read whole or as `PartialObjectMetadata`, without its values (contract, section 6). */
export function reduceSecret(raw: JsonObject): SecretRecord {
  const metadata = get(raw, 'metadata');
  const created = createdAt(raw);
  const deleted = timeOf(text(metadata, 'deletionTimestamp'));
  const type = text(raw, 'type');
  const full = isFull(raw);
  const keys = full ? keysOfData(raw) : keysOfManagedFields(raw);
  return {
    namespace: namespaceOf(raw),
    name: nameOf(raw),
    uid: uidOf(raw),
    resourceVersion: text(metadata, 'resourceVersion') ?? '',
    ...(created === undefined ? {} : { createdAt: created }),
    ...(deleted === undefined ? {} : { deletedAt: deleted }),
    ownerReferences: ownerReferencesOf(raw),
    labels: strings(labelsOf(raw), () => true),
    annotations: strings(annotationsOf(raw), isKept),
    ...(type === undefined ? {} : { type }),
    keys: [...new Set(keys)].toSorted(),
    keysComplete: full,
    writes: writesOf(raw),
  };
}

/** An object without managedFields and last-applied; of Namespaces and ServiceAccounts only what is judged. */
export function reduceObject(kind: ResourceKind, raw: JsonObject): KubeObject {
  const written = specWrittenAt(raw);
  return { kind, raw: partsOf(kind, raw), ...(written === undefined ? {} : { specWrittenAt: written }) };
}

function partsOf(kind: ResourceKind, raw: JsonObject): JsonObject {
  const metadata = reduceMetadata(asObject(get(raw, 'metadata')));
  if (isSameKind(kind, NAMESPACE)) return { metadata };
  if (!isSameKind(kind, SERVICE_ACCOUNT)) return { ...raw, metadata };
  const pullSecrets = asArray(get(raw, 'imagePullSecrets')).map((one) => ({ name: text(one, 'name') ?? '' }));
  return { metadata, imagePullSecrets: pullSecrets };
}

function reduceMetadata(metadata: JsonObject): JsonObject {
  const { managedFields: _managedFields, annotations, ...rest } = metadata;
  if (!isObject(annotations)) return rest;
  const { [LAST_APPLIED]: _lastApplied, ...kept } = annotations;
  return { ...rest, annotations: kept };
}

/** Items of a list may lack their kind; a whole Secret has a type or data, its metadata alone has neither. */
function isFull(raw: JsonObject): boolean {
  const kind = text(raw, 'kind');
  if (kind !== undefined) return kind !== 'PartialObjectMetadata';
  return ['type', 'data', 'stringData'].some((part) => get(raw, part) !== undefined);
}

function keysOfData(raw: JsonObject): readonly string[] {
  return [...Object.keys(asObject(get(raw, 'data'))), ...Object.keys(asObject(get(raw, 'stringData')))];
}

function isKept(key: string): boolean {
  return KEPT_ANNOTATIONS.some((prefix) => key.startsWith(prefix));
}

function strings(map: JsonObject, keep: (key: string) => boolean): Readonly<Record<string, string>> {
  const entries = Object.entries(map).filter(([key, value]) => typeof value === 'string' && keep(key));
  return Object.fromEntries(entries) as Record<string, string>;
}
