/** Labels and annotations of an ExternalSecret that its successor carries, and who else writes it. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, dig, isObject } from '../kube/json.ts';
import { annotation, annotationsOf, label, labelsOf } from '../kube/object.ts';
import { MIGRATION } from './names.ts';

export interface Metadata {
  readonly labels?: JsonObject;
  readonly annotations?: JsonObject;
}

/** Those by which tools find what they made; on another object they would claim it. */
const TOOLS: readonly string[] = [
  'kubectl.kubernetes.io/',
  'argocd.argoproj.io/',
  'kustomize.toolkit.fluxcd.io/',
  'helm.toolkit.fluxcd.io/',
  'meta.helm.sh/',
  'helm.sh/',
  'external-secrets.io/',
  'reconcile.external-secrets.io/',
  'app.kubernetes.io/managed-by',
  'secrets.floe.dev/sync-requested',
  'force-sync',
];

/**
 * External Secrets gives the Secret the labels of its template, or without a template its own; Infisical's operator
 * gives it those of the resource.
 */
export function metadataFor(raw: JsonObject): Metadata {
  const template = dig(raw, 'spec', 'target', 'template');
  const metadata = asObject(dig(template, 'metadata'));
  const own = isObject(template) ? onlyWishes : (map: JsonObject): JsonObject => map;
  return {
    ...named('labels', { ...own(labelsOf(raw)), ...asObject(metadata['labels']) }),
    ...named('annotations', { ...own(annotationsOf(raw)), ...asObject(metadata['annotations']) }),
  };
}

/** What a resource gives its Secret by having it itself. */
export function ownMetadata(raw: JsonObject): Metadata {
  return { ...named('labels', labelsOf(raw)), ...named('annotations', annotationsOf(raw)) };
}

/** What operators and kubectl keep on a Secret for themselves; a manifest that kubectl keeps there holds values. */
const MARKS: readonly string[] = [
  'kubectl.kubernetes.io/',
  'reconcile.external-secrets.io/',
  'secrets.infisical.com/version',
  'secrets.infisical.com/managed-',
  'secrets.hashicorp.com/',
  MIGRATION,
];

/** A Secret's own, which whoever writes all of its metadata must write again. */
export function secretMetadata(raw: JsonObject): Metadata {
  return { ...named('labels', labelsOf(raw), MARKS), ...named('annotations', annotationsOf(raw), MARKS) };
}

/** Whether text of a template stands in them, which only External Secrets would fill in. */
export function isTemplated({ labels, annotations }: Metadata): boolean {
  const values = [...Object.values(labels ?? {}), ...Object.values(annotations ?? {})];
  return values.some((value) => typeof value === 'string' && value.includes('{{'));
}

/** What this project reads on a sync resource is meant for its successor too. */
function onlyWishes(map: JsonObject): JsonObject {
  return filtered(
    map,
    (key) => key.startsWith('secrets.floe.dev/') || key.startsWith('secrets.infisical.com/'),
  );
}

function named(name: 'labels' | 'annotations', map: JsonObject, without = TOOLS): Metadata {
  const kept = filtered(map, (key) => !without.some((prefix) => key.startsWith(prefix)));
  return Object.keys(kept).length === 0 ? {} : { [name]: kept };
}

function filtered(map: JsonObject, keep: (key: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([key]) => keep(key)));
}

/** Who writes it again when it is gone, as far as it shows. */
export function keeperOf(raw: JsonObject): string | undefined {
  const on = (key: string): boolean => (annotation(raw, key) ?? label(raw, key)) !== undefined;
  if (on('argocd.argoproj.io/tracking-id') || on('argocd.argoproj.io/instance')) return 'Argo CD';
  if (on('kustomize.toolkit.fluxcd.io/name') || on('helm.toolkit.fluxcd.io/name')) return 'Flux';
  if (on('meta.helm.sh/release-name') || label(raw, 'app.kubernetes.io/managed-by') === 'Helm') {
    return 'Helm';
  }
  return undefined;
}
