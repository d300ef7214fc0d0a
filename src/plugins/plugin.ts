/**
 * What a plugin says: which objects it watches, which Secret each targets, and what its status means. A plugin
 * is pure and never builds a patch.
 */
import type { KubeObject, OwnerReference, ResourceKind } from '../kube/object.ts';
import { groupOf } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Read, ReadFailure } from '../kube/world.ts';

/** A Secret that a sync resource writes. */
export interface Target {
  readonly namespace: string;
  readonly name: string;
}

/** What may be seen beside the object itself. */
export interface View {
  /** The namespace of the Secret that is judged. */
  readonly namespace: string;
  /** A watched object by its name: a store, a connection. `failed` where its kind cannot be read. */
  find(kind: ResourceKind, namespace: string, name: string): Read<KubeObject>;
}

/** What a sync resource's status means. Times are milliseconds since the epoch, spans milliseconds. */
export interface Health {
  /** `none`: the operator has written no status yet. */
  readonly verdict: 'ok' | 'failing' | 'none';
  /** Whether the verdict is about the spec as it stands. `unreported`: the kind has no observed generation. */
  readonly generation: 'current' | 'behind' | 'unreported';
  /** Why the operator will never take its spec, whatever it reports. */
  readonly refused?: string;
  /** What its author wants it not to do, as "its destination.create is false". */
  readonly restraint?: Restraint;
  /** The operator's own words: 'secrets.infisical.com/ReadyToSyncSecrets=False (…)'. Untrusted text. */
  readonly words: string;
  /** A whole clause in the place of "reports <words>": 'creates it only while a pod mounts it'. */
  readonly clause?: string;
  /** What stands behind a failure: "its SecretStore 'vault' reports Ready=False (…)". Untrusted text. */
  readonly cause?: string;
  /** What helps, where that is more than to look at the resource. */
  readonly remedy?: string;
  /** The last good sync that the operator reports itself. */
  readonly lastSync?: number;
  /** When the failing condition turned False; the last good sync was no later. */
  readonly failingSince?: number;
  /** When the healthy condition turned True: some sync was good then. */
  readonly healthySince?: number;
  /** How often the operator refreshes. */
  readonly interval?: number;
  /** When what it last wrote stops being valid: the end of a lease. */
  readonly expiresAt?: number;
  /** Refreshed once, or on demand: never too old. */
  readonly neverOld: boolean;
  /** The status shows that it wrote its Secret at least once. */
  readonly everSynced: boolean;
}

/** `create`: it fills a Secret that somebody else made. `write`: it touches none at all. */
export interface Restraint {
  readonly from: 'create' | 'write';
  readonly why: string;
}

/** Where upstream the values come from. */
export interface Scope {
  /** Slugs and ids of every project that the resource reads, as it writes them. Empty: cannot be read. */
  readonly projects: readonly string[];
  readonly environments: readonly string[];
  readonly paths: readonly string[];
  /** Why `projects` is empty, where what stands behind the resource may not be seen. */
  readonly projectsHiddenBy?: ReadFailure;
  /** The same of `environments`; without it there is none that could be another's. */
  readonly environmentsHiddenBy?: ReadFailure;
  /** The projects as people are shown them, where a name alone does not tell: 'aws/payments'. */
  readonly shown?: readonly string[];
  /** The values are in the object itself, so that there is no project that it could read. */
  readonly selfContained?: true;
}

/** One kind of sync resource. Several plugins may have the same one. */
export interface SyncKind {
  readonly resource: ResourceKind;
  /** Kinds that are watched for what they tell of this one. */
  readonly companions?: readonly ResourceKind[];
  targets(object: KubeObject): readonly Target[];
  /**
   * Whether the names of its targets cannot be read: it then claims the Secrets whose controller ownerReference
   * it is.
   */
  isOpaque?(object: KubeObject): boolean;
  health(object: KubeObject, view: View): Health;
  scope(object: KubeObject, view: View): Scope;
  /** The namespaces whose Secrets or credentials the resource uses to log in. */
  credentialNamespaces(object: KubeObject): readonly string[];
  /** Its ownerReference counts as a controller's: the operator writes it without `controller: true`. */
  readonly ownsWithoutController?: true;
  /** The operator may be told to write no status: of a Secret that carries its mark, silence tells nothing bad. */
  readonly mayBeSilent?: true;
  /** What makes the operator write a Secret again that is gone though it reports success. */
  readonly revive: string;
}

export interface Plugin {
  readonly id: string;
  readonly aliases: readonly string[];
  /** For the README's table: when it claims a Secret. */
  readonly claims: string;
  readonly kinds: readonly SyncKind[];
  /** Of a kind that it shares with other plugins: whether this object is one of its own. Without it all are. */
  owns?(object: KubeObject, view: View): boolean;
  /** Whether the Secret carries this operator's mark: its operator wrote it at some time. */
  marks(secret: SecretRecord): boolean;
  /**
   * The operator syncs Secrets without any sync resource: its mark alone claims one, and this is where its values
   * come from.
   */
  scopeByMark?(secret: SecretRecord): Scope;
}

/** True where one of the owners is of this API group: most operators' own mark. */
export function ownedByGroup(owners: readonly OwnerReference[], group: string): boolean {
  return owners.some((owner) => groupOf(owner.apiVersion) === group);
}
