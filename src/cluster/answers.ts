/** Answers to Wants, kept by what was asked. */
import { createHash } from 'node:crypto';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { NAMESPACE } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import { identityOf } from '../kube/target-index.ts';
import type { Read, ReadFailure, User, Want } from '../kube/world.ts';

/** The answer to one Want. A Namespace is an object here. */
export type Answer =
  | { readonly what: 'secret'; readonly read: Read<SecretRecord> }
  | { readonly what: 'object'; readonly read: Read<KubeObject> }
  | { readonly what: 'access'; readonly read: Read<boolean> };

export function failedAnswer(want: Want, failure: ReadFailure): Answer {
  const what = want.what === 'namespace' ? 'object' : want.what;
  return { what, read: { state: 'failed', failure } };
}

/** One text for one question. Whether a Secret is read whole is no part of it. */
export function keyOfWant(want: Want): string {
  if (want.what === 'namespace') return objectKey(NAMESPACE, '', want.name);
  if (want.what === 'secret') return secretKey(want.namespace, want.name);
  if (want.what === 'object') return objectKey(want.kind, want.namespace, want.name);
  return accessKey(want.user, want.verb, want.resource, want.namespace);
}

export function secretKey(namespace: string, name: string): string {
  return `secret:${namespace}/${name}`;
}

export function objectKey(kind: ResourceKind, namespace: string, name: string): string {
  return `object:${identityOf(kind, namespace, name)}`;
}

/** Keys are kept, and a user may have any number of groups. */
export function accessKey(user: User, verb: string, resource: string, namespace: string): string {
  const question = JSON.stringify([user.username, user.groups, verb, resource, namespace]);
  return `access:${createHash('sha256').update(question).digest('base64')}`;
}
