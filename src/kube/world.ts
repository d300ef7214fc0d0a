/**
 * What is known of a cluster at one moment, synchronously. The wires build it from watches and live reads, the
 * command line from files, tests from a literal; whoever judges cannot tell which.
 */
import type { KubeObject, ResourceKind } from './object.ts';
import type { SecretRecord } from './secret.ts';

/** Why a read gave neither an object nor "not found". */
export interface ReadFailure {
  /** `forbidden`: RBAC refused. `unavailable`: no answer, an error, or a deadline. */
  readonly reason: 'unavailable' | 'forbidden';
  /** For people, without addresses or tokens: 'cannot get secrets in namespace floe-jobs: connection refused'. */
  readonly message: string;
  /** Who looked, where it was a person with rights of their own; else it was the webhook. */
  readonly asker?: 'person';
}

/** What one look gave. `unread`: nobody has looked yet; whoever needs it says so in a `Want`. */
export type Read<T> =
  | { readonly state: 'present'; readonly value: T }
  | { readonly state: 'absent' }
  | { readonly state: 'failed'; readonly failure: ReadFailure }
  | { readonly state: 'unread' };

/** Whether objects of a kind can be known: its CRD may not be installed, its list may be refused. */
export type KindState =
  | { readonly state: 'known' }
  | { readonly state: 'notServed' }
  | { readonly state: 'failed'; readonly failure: ReadFailure };

export const KNOWN: KindState = Object.freeze({ state: 'known' });
export const NOT_SERVED: KindState = Object.freeze({ state: 'notServed' });

/** The person or program that asks, as the API server authenticated it. */
export interface User {
  readonly username: string;
  readonly groups: readonly string[];
}

export interface World {
  namespace(name: string): Read<KubeObject>;
  secret(namespace: string, name: string): Read<SecretRecord>;
  /** ServiceAccounts, Jobs, CronJobs, SecretProviderClasses. */
  object(kind: ResourceKind, namespace: string, name: string): Read<KubeObject>;
  /** Whether this user may do this: a SubjectAccessReview. */
  access(user: User, verb: string, resource: string, namespace: string): Read<boolean>;
  /** The watched objects that target this Secret, of every namespace, in a stable order. */
  targeting(namespace: string, secret: string): readonly KubeObject[];
  /** The names of Secrets in this namespace that watched objects target. */
  targetsIn(namespace: string): readonly string[];
  /** The watched objects of this namespace whose targets' names cannot be read, in a stable order. */
  opaqueIn(namespace: string): readonly KubeObject[];
  /** A watched object by its name: a sync resource, or what stands behind one. Never unread. */
  watched(kind: ResourceKind, namespace: string, name: string): Read<KubeObject>;
  kind(kind: ResourceKind): KindState;
  /** Whether some replica leads at this moment and runs this controller. */
  serves(controller: string): boolean;
}

/** One thing that a judgement needs and nobody has read yet. */
export type Want =
  | { readonly what: 'namespace'; readonly name: string }
  | { readonly what: 'secret'; readonly namespace: string; readonly name: string; readonly full: boolean }
  | {
      readonly what: 'object';
      readonly kind: ResourceKind;
      readonly namespace: string;
      readonly name: string;
    }
  | {
      readonly what: 'access';
      readonly user: User;
      readonly verb: string;
      readonly resource: string;
      readonly namespace: string;
    };

export const UNREAD = Object.freeze({ state: 'unread' as const });
export const ABSENT = Object.freeze({ state: 'absent' as const });

/** What a watch says of one object: it knows every object of the kind, or cannot know any. */
export function watchedRead(found: KubeObject | undefined, state: KindState): Read<KubeObject> {
  if (found !== undefined) return present(found);
  return state.state === 'failed' ? state : ABSENT;
}

export function present<T>(value: T): Read<T> {
  return { state: 'present', value };
}
