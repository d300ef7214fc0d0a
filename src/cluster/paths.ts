/** Where the API server serves a kind. Names are checked before they become a part of a path. */
import { isDnsLabel, isDnsSubdomain } from '../kube/names.ts';
import type { ResourceKind } from '../kube/object.ts';
import { apiVersionOf } from '../kube/object.ts';

/** All objects of a kind, or those of one namespace. */
export function collectionPath(kind: ResourceKind, namespace?: string): string {
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${groupVersionPath(kind)}${within}/${kind.plural}`;
}

/** The collection that holds one object alone, as a watch of it lists it. */
export function namedPath(
  kind: ResourceKind,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string {
  const collection = collectionPath(kind, kind.namespaced ? namespace : undefined);
  return selectedPath(collection, `metadata.name=${name}`);
}

/** Those objects of a collection that a field selects: 'reason=FailedCreate'. */
export function selectedPath(collection: string, fieldSelector: string): string {
  return `${collection}?fieldSelector=${encodeURIComponent(fieldSelector)}`;
}

/** One object, or undefined where no object can have these names. */
export function objectPath(kind: ResourceKind, namespace: string, name: string): string | undefined {
  if (!isDnsSubdomain(name)) return undefined;
  if (kind.namespaced && !isDnsLabel(namespace)) return undefined;
  return `${collectionPath(kind, kind.namespaced ? namespace : undefined)}/${encodeURIComponent(name)}`;
}

/** The discovery document of the kind's group and version. */
export function groupVersionPath(kind: ResourceKind): string {
  return `${kind.group === '' ? '/api' : '/apis'}/${apiVersionOf(kind)}`;
}

/** A resource as `kubectl auth can-i` takes it: 'secrets', 'infisicalsecrets.secrets.infisical.com'. */
export function resourceName(kind: ResourceKind): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}

/** What a question about permissions is POSTed as. */
export const SUBJECT_ACCESS_REVIEW: ResourceKind = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
};
