/** The parts that every Kubernetes object has, as they stand in its JSON. */
import type { JsonObject } from './json.ts';
import { asArray, asObject, dig, flag, get, text } from './json.ts';

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: boolean;
}

/** A kind of object and where the API server serves it. */
export interface ResourceKind {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** Versions that are as good where the server has no newer one, the newest first. */
  readonly olderVersions?: readonly string[];
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/**
 * An object as the world remembers it: raw JSON without `metadata.managedFields` and
 * `last-applied-configuration`. `specWrittenAt` keeps the one fact of managedFields that is judged.
 */
export interface KubeObject {
  readonly kind: ResourceKind;
  readonly raw: JsonObject;
  /** Milliseconds since the epoch: the newest write of the spec that managedFields knows. */
  readonly specWrittenAt?: number;
}

export function nameOf(raw: unknown): string {
  return text(get(raw, 'metadata'), 'name') ?? '';
}

export function namespaceOf(raw: unknown): string {
  return text(get(raw, 'metadata'), 'namespace') ?? '';
}

export function uidOf(raw: unknown): string {
  return text(get(raw, 'metadata'), 'uid') ?? '';
}

export function annotationsOf(raw: unknown): JsonObject {
  return asObject(get(get(raw, 'metadata'), 'annotations'));
}

export function labelsOf(raw: unknown): JsonObject {
  return asObject(get(get(raw, 'metadata'), 'labels'));
}

export function annotation(raw: unknown, key: string): string | undefined {
  return text(annotationsOf(raw), key);
}

export function label(raw: unknown, key: string): string | undefined {
  return text(labelsOf(raw), key);
}

/** `metadata.generation`; 0 where a server or a file gives none. */
export function generationOf(raw: unknown): number {
  const generation = dig(raw, 'metadata', 'generation');
  return typeof generation === 'number' ? generation : 0;
}

/** `metadata.creationTimestamp` in milliseconds since the epoch, or undefined. */
export function createdAt(raw: unknown): number | undefined {
  return timeOf(text(get(raw, 'metadata'), 'creationTimestamp'));
}

/** An RFC 3339 time in milliseconds since the epoch; undefined where it is none. */
export function timeOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

export function ownerReferencesOf(raw: unknown): readonly OwnerReference[] {
  return asArray(dig(raw, 'metadata', 'ownerReferences')).map(ownerReference);
}

function ownerReference(owner: unknown): OwnerReference {
  return {
    apiVersion: text(owner, 'apiVersion') ?? '',
    kind: text(owner, 'kind') ?? '',
    name: text(owner, 'name') ?? '',
    uid: text(owner, 'uid') ?? '',
    controller: flag(owner, 'controller'),
  };
}

export function controllerOf(raw: unknown): OwnerReference | undefined {
  for (const owner of asArray(get(get(raw, 'metadata'), 'ownerReferences'))) {
    if (flag(owner, 'controller')) return ownerReference(owner);
  }
  return undefined;
}

/** The group of an apiVersion: 'batch/v1' gives 'batch', 'v1' gives ''. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

/** Whether both are one kind, whichever version of it. */
export function isSameKind(
  one: Pick<ResourceKind, 'group' | 'kind'>,
  other: Pick<ResourceKind, 'group' | 'kind'>,
): boolean {
  return one.kind === other.kind && one.group === other.group;
}

/** The apiVersion of a kind: 'batch/v1', or 'v1' for the core group. */
export function apiVersionOf(kind: ResourceKind): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

export const NAMESPACE: ResourceKind = core('Namespace', 'namespaces', false);
export const EVENT: ResourceKind = core('Event', 'events');
export const POD: ResourceKind = core('Pod', 'pods');
export const SECRET: ResourceKind = core('Secret', 'secrets');
export const SERVICE_ACCOUNT: ResourceKind = core('ServiceAccount', 'serviceaccounts');
export const CONFIG_MAP: ResourceKind = core('ConfigMap', 'configmaps');
export const SERVICE: ResourceKind = core('Service', 'services');
export const JOB: ResourceKind = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  namespaced: true,
};
export const CRON_JOB: ResourceKind = { ...JOB, kind: 'CronJob', plural: 'cronjobs' };
export const LEASE: ResourceKind = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};
export const DEPLOYMENT: ResourceKind = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};
export const ENDPOINT_SLICE: ResourceKind = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
};
export const SECRET_PROVIDER_CLASS: ResourceKind = {
  group: 'secrets-store.csi.x-k8s.io',
  version: 'v1',
  kind: 'SecretProviderClass',
  plural: 'secretproviderclasses',
  namespaced: true,
};

function core(kind: string, plural: string, namespaced = true): ResourceKind {
  return { group: '', version: 'v1', kind, plural, namespaced };
}
