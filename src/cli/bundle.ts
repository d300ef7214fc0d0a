/** The manifests that `review` is given: which of them are judged, and what the API server would be asked. */
import type { DatedManifest } from '../cluster/manifest-files.ts';
import { asObject, dig, get, text } from '../kube/json.ts';
import type { JsonObject } from '../kube/json.ts';
import { groupOf, nameOf, namespaceOf, uidOf } from '../kube/object.ts';
import type { WorkloadKind } from '../kube/workload.ts';
import { podOfTemplate, workloadKind } from '../kube/workload.ts';
import type { SyncKind } from '../plugins/plugin.ts';

/** A manifest as the API server would store it, and as it was written. */
export interface Admitted extends DatedManifest {
  readonly written: JsonObject;
}

/** One object that is judged. */
export interface Subject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly manifest: Admitted;
  /** The pod as the API server would see it created: itself, or what the workload's controller makes. */
  readonly pod?: JsonObject;
}

/** Not a workload, but a template all the same. */
const POD_TEMPLATE: WorkloadKind = {
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  namespaced: true,
  template: ['template'],
};

/** What a bundle is admitted with. */
interface Reception {
  /** Where things go that name no namespace. */
  readonly namespace: string;
  readonly kinds: readonly SyncKind[];
}

/** The manifests as the API server would store them: with a uid, in a namespace where they belong in one, new. */
export function admitted(manifests: readonly DatedManifest[], reception: Reception): readonly Admitted[] {
  const modifiedAt = Date.now();
  return manifests.map((manifest, index) => {
    const { raw } = manifest;
    const metadata = asObject(get(raw, 'metadata'));
    const place = isClusterWide(raw, reception.kinds)
      ? {}
      : { namespace: namespaceOf(raw) || reception.namespace };
    const uid = uidOf(raw) || `review-${index}`;
    // What no operator has seen yet is as old as its application, whichever time it was exported with.
    const age = Object.keys(asObject(get(raw, 'status'))).length === 0 ? { creationTimestamp: null } : {};
    return {
      ...manifest,
      modifiedAt,
      written: raw,
      raw: { ...raw, metadata: { ...metadata, ...place, ...age, uid } },
    };
  });
}

function isClusterWide(raw: JsonObject, kinds: readonly SyncKind[]): boolean {
  const kind = get(raw, 'kind');
  return kind === 'Namespace' || kinds.some(({ resource }) => resource.kind === kind && !resource.namespaced);
}

/** Pods, workloads and sync resources, in their order; nothing else is judged. */
export function subjectsOf(manifests: readonly Admitted[], kinds: readonly SyncKind[]): readonly Subject[] {
  return manifests.flatMap((manifest) => {
    const { raw } = manifest;
    const kind = text(raw, 'kind') ?? '';
    const group = groupOf(text(raw, 'apiVersion') ?? '');
    const subject = {
      kind,
      namespace: namespaceOf(raw),
      name: nameOf(raw) || (text(get(raw, 'metadata'), 'generateName') ?? ''),
      manifest,
    };
    if (group === '' && kind === 'Pod') return [{ ...subject, pod: atCreation(raw) }];
    const workload = templateKind(group, kind);
    if (workload !== undefined) return [{ ...subject, pod: podOf(workload, raw) }];
    const synced = kinds.some(({ resource }) => resource.group === group && resource.kind === kind);
    // A cluster-wide resource is in no namespace that could have opted in.
    return synced && subject.namespace !== '' ? [subject] : [];
  });
}

/**
 * Objects that the judgement of a bundle's pods looks for and that controllers would make: the Job of a CronJob,
 * whose annotations its pods take after.
 */
export function impliedObjects(manifests: readonly DatedManifest[]): readonly DatedManifest[] {
  return manifests
    .filter(({ raw }) => isCronJob(raw))
    .map((manifest) => ({ ...manifest, raw: jobOf(manifest.raw) }));
}

/** Where the pod stands in the manifest of its workload; undefined where the object has none. */
export function templatePathOf({ kind, manifest, pod }: Subject): readonly string[] | undefined {
  if (pod === undefined) return undefined;
  const group = groupOf(text(manifest.raw, 'apiVersion') ?? '');
  return kind === 'Pod' ? [] : templateKind(group, kind)?.template;
}

function templateKind(group: string, kind: string): WorkloadKind | undefined {
  if (group === POD_TEMPLATE.group && kind === POD_TEMPLATE.kind) return POD_TEMPLATE;
  return workloadKind(group, kind);
}

/** The pod that the workload's controller creates: it gives a name, a namespace and itself as the owner. */
function podOf(kind: WorkloadKind, raw: JsonObject): JsonObject {
  const pod = podOfTemplate(kind, raw);
  const owner = kind === POD_TEMPLATE ? undefined : ownerOf(kind, raw);
  const metadata = {
    ...asObject(get(pod, 'metadata')),
    generateName: `${nameOf(raw)}-`,
    namespace: namespaceOf(raw),
    ...(owner === undefined ? {} : { ownerReferences: [owner] }),
  };
  return { ...pod, metadata };
}

/** A Deployment owns its pods through a ReplicaSet, a CronJob through a Job; the others own them themselves. */
function ownerOf(kind: WorkloadKind, raw: JsonObject): JsonObject {
  if (kind.kind === 'CronJob') return controlledBy(jobOf(raw));
  if (kind.kind !== 'Deployment') return controlledBy(raw);
  const replicaSet = { name: `${nameOf(raw)}-0`, uid: `${uidOf(raw)}-replicaset` };
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', ...replicaSet, controller: true };
}

function controlledBy(raw: JsonObject): JsonObject {
  return {
    apiVersion: text(raw, 'apiVersion') ?? '',
    kind: text(raw, 'kind') ?? '',
    name: nameOf(raw),
    uid: uidOf(raw),
    controller: true,
  };
}

/** The next Job of a CronJob. */
function jobOf(cronJob: JsonObject): JsonObject {
  const template = dig(cronJob, 'spec', 'jobTemplate');
  const metadata = {
    ...asObject(get(template, 'metadata')),
    name: `${nameOf(cronJob)}-0`,
    namespace: namespaceOf(cronJob),
    uid: `${uidOf(cronJob)}-job`,
    ownerReferences: [controlledBy(cronJob)],
  };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: get(template, 'spec') };
}

function isCronJob(raw: JsonObject): boolean {
  return get(raw, 'kind') === 'CronJob' && groupOf(text(raw, 'apiVersion') ?? '') === 'batch';
}

/** A live object as a manifest of its own. */
export function manifestOf(raw: JsonObject): Admitted {
  return { raw, written: raw, file: '', line: 1, lineOf: () => 1, modifiedAt: 0 };
}

/** A pod at its creation has neither uid nor time; they were given for the world's sake. */
function atCreation(raw: JsonObject): JsonObject {
  const { uid: _uid, creationTimestamp: _time, ...metadata } = asObject(get(raw, 'metadata'));
  return { ...raw, metadata };
}
