/** Manifests and their parts, as stories write them. */
import { createHash } from 'node:crypto';
import { CUSTOM_KINDS } from '../../tools/control-plane/crds.ts';

export type Manifest = Readonly<Record<string, unknown>>;
/** A short form of a manifest, or any other object. */
export type Short = Readonly<Record<string, unknown>>;

export const NAMESPACE = 'floe-jobs';
const OWN_PREFIX = 'secrets.floe.dev/';
export const INFISICAL = 'secrets.infisical.com';

/** A value that no answer may ever show; every Secret of every story holds it. */
export const VALUE = 'never-shown-7c1d';

/** Annotations without a slash belong to this project's prefix; of the labels, `injection` and `enforcement`. */
export function prefixed(keys: unknown, own = (_key: string) => true): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(asShort(keys)).map(([key, value]) => [
      key.includes('/') || !own(key) ? key : OWN_PREFIX + key,
      String(value),
    ]),
  );
}

export function prefixedLabels(labels: unknown): Readonly<Record<string, string>> {
  return prefixed(labels, (key) => key === 'injection' || key === 'enforcement');
}

/** The uid of an object that has none yet: the same for the same kind and name. */
export function uidOf(kindAndName: string): string {
  const hash = createHash('sha256').update(kindAndName).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Deployment: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  ...Object.fromEntries(
    CUSTOM_KINDS.map(({ kind, group, version }) => [kind, `${group}/${version}`] as const),
  ),
};

/**
 * An ownerReference with `controller: true`, or without where the text ends in `, plain`; `uid:Kind/name` is filled
 * in where the story is rendered.
 */
export function ownerReference(owner: unknown): Manifest {
  if (typeof owner !== 'string') return asShort(owner);
  const [reference = '', plain] = owner.split(', ');
  const [kind = '', name = 'made-up'] = reference.split('/');
  return {
    apiVersion: API_VERSIONS[kind] ?? 'v1',
    kind,
    name,
    uid: `uid:${kind}/${name}`,
    ...(plain === undefined ? { controller: true, blockOwnerDeletion: true } : {}),
  };
}

/** Kind and metadata of a short form. */
export function manifest(short: Short, apiVersion: string, kind: string): Manifest {
  return { apiVersion, kind, metadata: metadataOf({ ...short, kind }) };
}

function isClusterWide(kind: unknown): boolean {
  return kind === 'Namespace' || String(kind).startsWith('Cluster');
}

export function metadataOf(short: Short): Manifest {
  const owner = short['owner'] ?? short['ownedBy'];
  const known = ['generation', 'managedFields', 'deletionTimestamp', 'finalizers', 'ownerReferences'];
  return {
    name: short['name'],
    ...(isClusterWide(short['kind']) ? {} : { namespace: short['namespace'] ?? NAMESPACE }),
    uid: short['uid'] ?? `uid:${textOf(short['kind'])}/${textOf(short['name'])}`,
    resourceVersion: '4711',
    creationTimestamp: short['created'] ?? short['creationTimestamp'] ?? 'now-1h',
    ...(short['labels'] === undefined ? {} : { labels: prefixedLabels(short['labels']) }),
    ...(short['annotations'] === undefined ? {} : { annotations: prefixed(short['annotations']) }),
    ...(owner === undefined ? {} : { ownerReferences: [ownerReference(owner)] }),
    ...pick(short, known),
  };
}

export function asShort(value: unknown): Short {
  return typeof value === 'object' && value !== null ? (value as Short) : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function pick(short: Short, keys: readonly string[]): Manifest {
  return Object.fromEntries(keys.filter((key) => short[key] !== undefined).map((key) => [key, short[key]]));
}

/** A scalar as text; `otherwise` where it is none. */
export function textOf(value: unknown, otherwise = ''): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : otherwise;
}
