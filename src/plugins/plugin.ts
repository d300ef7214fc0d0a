/**
 * What a plugin says: which objects it watches, which Secret each targets, and what its status means. A plugin
 * is pure and never builds a patch.
 */
import type { KubeObject, OwnerReference, ResourceKind } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';

/** A Secret that a sync resource writes. */
export interface Target {
  readonly namespace: string;
  readonly name: string;
}

/** What a sync resource's status means. Times are milliseconds since the epoch, spans milliseconds. */
export interface Health {
  /** `none`: the operator has written no status yet. */
  readonly verdict: 'ok' | 'failing' | 'none';
  /** Whether the verdict is about the spec as it stands. `unreported`: the kind has no observed generation. */
  readonly generation: 'current' | 'behind' | 'unreported';
  /** Why it will never write the Secret, whatever it reports: a refused spec, `create: false`. */
  readonly refused?: string;
  /** The operator's own words: 'secrets.infisical.com/ReadyToSyncSecrets=False (…)'. Untrusted text. */
  readonly words: string;
  /** The last good sync that the operator reports itself. */
  readonly lastSync?: number;
  /** When the failing condition turned False; the last good sync was no later. */
  readonly failingSince?: number;
  /** When the healthy condition turned True: some sync was good then. */
  readonly healthySince?: number;
  /** How often the operator refreshes. */
  readonly interval?: number;
  /** Refreshed once, or on demand: never too old. */
  readonly neverOld: boolean;
  /** The status shows that it wrote its Secret at least once. */
  readonly everSynced: boolean;
}

/** Where upstream the values come from. */
export interface Scope {
  /** Slugs and ids of every project that the resource reads, as it writes them. Empty: cannot be read. */
  readonly projects: readonly string[];
  readonly environments: readonly string[];
  readonly paths: readonly string[];
}

/** One kind of sync resource. */
export interface SyncKind {
  readonly resource: ResourceKind;
  targets(object: KubeObject): readonly Target[];
  health(object: KubeObject): Health;
  scope(object: KubeObject): Scope;
  /** The namespaces whose Secrets or credentials the resource uses to log in. */
  credentialNamespaces(object: KubeObject): readonly string[];
  /** What makes the operator write a Secret again that is gone though it reports success. */
  readonly revive: string;
}

export interface Plugin {
  readonly id: string;
  readonly aliases: readonly string[];
  /** For the README's table: when it claims a Secret. */
  readonly claims: string;
  readonly kinds: readonly SyncKind[];
  /** Whether the Secret carries this operator's mark: its operator wrote it at some time. */
  marks(secret: SecretRecord): boolean;
}

/** True where one of the owners is of this API group: most operators' own mark. */
export function ownedByGroup(owners: readonly OwnerReference[], group: string): boolean {
  return owners.some((owner) => owner.apiVersion.startsWith(`${group}/`));
}
