/** From a pod or a workload of the API server to what controllers keep of it. */
import { PREFIX } from '../contract/keys.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asNumber, asObject, dig, flag, get, text } from '../kube/json.ts';
import {
  annotation,
  annotationsOf,
  controllerOf,
  createdAt,
  generationOf,
  labelsOf,
  nameOf,
  namespaceOf,
  timeOf,
  uidOf,
} from '../kube/object.ts';
import { containersOf, serviceAccountNameOf, volumesOf } from '../kube/pod.ts';
import type { PodRecord, SecretUse, UseForm, WorkloadRecord } from '../kube/running.ts';
import type { WorkloadKind } from '../kube/workload.ts';
import { podOfTemplate } from '../kube/workload.ts';
import { referencesOf, referencesOfContainer } from '../review/references.ts';
import { restartAppliedAt } from './managed-fields.ts';

/** What others that restart workloads are told by, and the marks that revisions of a template leave. */
const KEPT = [
  PREFIX,
  'secrets.infisical.com/',
  'secret.reloader.stakater.com/',
  'reloader.stakater.com/',
  'vso.secrets.hashicorp.com/',
  'secrets.doppler.com/',
  'operator.1password.io/',
  'kubectl.kubernetes.io/restartedAt',
  'deployment.kubernetes.io/revision',
];
/** Stakater's holds a digest of the Secret. */
const DROPPED = ['reloader.stakater.com/last-reloaded-from'];
const KEPT_LABELS = [
  PREFIX,
  'pod-template-hash',
  'pod-template-generation',
  'controller-revision-hash',
  'rollouts-pod-template-hash',
];

/** Where a DaemonSet counts its templates; its pods carry the number as `pod-template-generation`. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

export function reducePod(raw: JsonObject): PodRecord {
  const status = get(raw, 'status');
  return {
    ...commonOf(raw),
    serviceAccountName: serviceAccountNameOf(raw),
    uses: usesOf(raw),
    gates: asArray(dig(raw, 'spec', 'schedulingGates')).map((gate) => text(gate, 'name') ?? ''),
    nodeName: text(get(raw, 'spec'), 'nodeName') ?? '',
    phase: text(status, 'phase') ?? '',
    ...startOf(status),
    ready: asArray(get(status, 'conditions')).some(
      (condition) => text(condition, 'type') === 'Ready' && text(condition, 'status') === 'True',
    ),
  };
}

/** The containers that run or have ended, and when the first of them began. */
function startOf(status: Json | undefined): Pick<PodRecord, 'started' | 'startedAt'> {
  const states = ['initContainerStatuses', 'containerStatuses']
    .flatMap((list) => asArray(get(status, list)))
    .flatMap((container) => [get(container, 'state'), get(container, 'lastState')])
    .flatMap((state) => [get(state, 'running'), get(state, 'terminated')])
    .filter((state) => state !== undefined);
  const times = states.flatMap((state) => timeOf(text(state, 'startedAt')) ?? []);
  const started = states.length > 0 || text(status, 'phase') === 'Running';
  return { started, ...(times.length === 0 ? {} : { startedAt: Math.min(...times) }) };
}

/** `whole` is false where only the metadata was asked for. */
export function reduceWorkload(kind: WorkloadKind, raw: JsonObject, whole: boolean): WorkloadRecord {
  const spec = get(raw, 'spec');
  const template = podOfTemplate(kind, raw);
  const replicas = asNumber(get(spec, 'replicas'));
  const updateRevision = text(get(raw, 'status'), 'updateRevision') ?? annotation(raw, TEMPLATE_GENERATION);
  const reloadedAt = restartAppliedAt(raw);
  return {
    kind,
    ...commonOf(raw),
    generation: generationOf(raw),
    whole,
    paused: flag(spec, 'paused'),
    templateAnnotations: kept(annotationsOf(template), isKept),
    templateLabels: kept(labelsOf(template), isKeptLabel),
    templateUses: usesOf(template),
    ...(replicas === undefined ? {} : { replicas }),
    ...(updateRevision === undefined ? {} : { updateRevision }),
    ...(reloadedAt === undefined ? {} : { reloadedAt }),
  };
}

function commonOf(raw: JsonObject) {
  const owner = controllerOf(raw);
  const created = createdAt(raw);
  const metadata = get(raw, 'metadata');
  return {
    namespace: namespaceOf(raw),
    name: nameOf(raw),
    uid: uidOf(raw),
    resourceVersion: text(metadata, 'resourceVersion') ?? '',
    ...(owner === undefined ? {} : { owner }),
    annotations: kept(annotationsOf(raw), isKept),
    labels: kept(labelsOf(raw), isKeptLabel),
    ...(created === undefined ? {} : { createdAt: created }),
    terminating: get(asObject(metadata), 'deletionTimestamp') !== undefined,
  };
}

/** Every Secret of a pod with how it is named, each once. */
export function usesOf(pod: Json): readonly SecretUse[] {
  const uses = new Map<string, SecretUse>();
  const add = (secret: string, form: UseForm, init: boolean): void =>
    void uses.set(`${form} ${String(init)} ${secret}`, { secret, form, init });
  for (const container of containersOf(pod)) {
    for (const { secret, use } of referencesOfContainer(container))
      add(secret, use.field === 'envFrom' ? 'envFrom' : 'env', container.type === 'init');
  }
  const projected = volumesOf(pod).filter((volume) => get(volume, 'projected') !== undefined);
  const fields = new Set(projected.map((volume) => `volume ${text(volume, 'name') ?? ''}`));
  for (const { secret, use, tolerated } of referencesOf(pod)) {
    if (use.container !== undefined) continue;
    add(secret, tolerated ? 'imagePullSecrets' : fields.has(use.field) ? 'projected' : 'volume', false);
  }
  return [...uses.values()];
}

function isKept(key: string): boolean {
  return KEPT.some((prefix) => key.startsWith(prefix)) && !DROPPED.includes(key);
}

function isKeptLabel(key: string): boolean {
  return KEPT_LABELS.some((prefix) => key.startsWith(prefix));
}

function kept(map: JsonObject, keep: (key: string) => boolean): Readonly<Record<string, string>> {
  const entries = Object.entries(map).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && keep(entry[0]),
  );
  return Object.fromEntries(entries);
}
