/**
 * One review's way to the world. Whatever nobody has read yet is written down as a want, and counts as a read
 * that failed until somebody reads it and reviews again.
 */
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Read, ReadFailure, User, Want, World } from '../kube/world.ts';
import type { Settings } from './settings.ts';

export interface Inquiry {
  readonly settings: Settings;
  readonly world: World;
  /** The clock's reading, in milliseconds since the epoch. */
  readonly now: number;
  /** The only namespace that is trusted: the request's. */
  readonly namespace: string;
  readonly wanted: Want[];
  /** Why one of the kinds of sync resources cannot be read; found out when the first Secret asks. */
  unreadable?: ReadFailure | 'none';
  /** For how many Secrets a look-alike was asked. */
  lookAlikes?: number;
}

export type Known<T> = Exclude<Read<T>, { readonly state: 'unread' }>;

const NOT_READ_YET: Known<never> = {
  state: 'failed',
  failure: { reason: 'unavailable', message: 'not read yet' },
};

export function askNamespace(inquiry: Inquiry): Known<KubeObject> {
  const { world, namespace } = inquiry;
  const read = world.namespace(namespace);
  return read.state === 'unread' ? wanting(inquiry, { what: 'namespace', name: namespace }) : read;
}

export function askObject(inquiry: Inquiry, kind: ResourceKind, name: string): Known<KubeObject> {
  const { world, namespace } = inquiry;
  const read = world.object(kind, namespace, name);
  return read.state === 'unread' ? wanting(inquiry, { what: 'object', kind, namespace, name }) : read;
}

export function askSecret(inquiry: Inquiry, name: string): Known<SecretRecord> {
  const { world, namespace } = inquiry;
  const read = world.secret(namespace, name);
  return read.state === 'unread' ? wanting(inquiry, { what: 'secret', namespace, name, full: false }) : read;
}

/** Asks for all key names of a Secret that is known from metadata alone. */
export function wantAllKeys(inquiry: Inquiry, name: string): void {
  inquiry.wanted.push({ what: 'secret', namespace: inquiry.namespace, name, full: true });
}

export function askAccess(inquiry: Inquiry, user: User, verb: string, resource: string): boolean {
  const { world, namespace } = inquiry;
  const read = world.access(user, verb, resource, namespace);
  if (read.state === 'unread') wanting(inquiry, { what: 'access', user, verb, resource, namespace });
  return read.state === 'present' && read.value;
}

function wanting(inquiry: Inquiry, want: Want): Known<never> {
  inquiry.wanted.push(want);
  return NOT_READ_YET;
}
