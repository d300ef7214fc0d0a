/** From a pod or a workload of the API server to what controllers keep of it. */
import { PREFIX } from '../contract/keys.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asNumber, asObject, dig, flag, get, text } from '../kube/json.ts';
import {
  annotationsOf,
  controllerOf,
  createdAt,
  generationOf,
  labelsOf,
  nameOf,
  namespaceOf,
  uidOf,
} from '../kube/object.ts';
import { serviceAccountNameOf } from '../kube/pod.ts';
import type { PodRecord, SecretUse, UseForm, WorkloadRecord } from '../kube/running.ts';
import type { WorkloadKind } from '../kube/workload.ts';
import { podOfTemplate } from '../kube/workload.ts';
import { referencesOf } from '../review/references.ts';

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

const FORMS: readonly UseForm[] = ['env', 'envFrom', 'volume', 'imagePullSecrets'];

export function reducePod(raw: JsonObject): PodRecord {
  const status = get(raw, 'status');
  return {
    ...commonOf(raw),
    serviceAccountName: serviceAccountNameOf(raw),
    uses: usesOf(raw),
    gates: asArray(dig(raw, 'spec', 'schedulingGates')).map((gate) => text(gate, 'name') ?? ''),
    nodeName: text(get(raw, 'spec'), 'nodeName') ?? '',
    phase: text(status, 'phase') ?? '',
    started: ['initContainerStatuses', 'containerStatuses'].some((list) =>
      asArray(get(status, list)).some(hasRun),
    ),
    ready: asArray(get(status, 'conditions')).some(
      (condition) => text(condition, 'type') === 'Ready' && text(condition, 'status') === 'True',
    ),
  };
}

function hasRun(container: Json): boolean {
  const ended = [get(container, 'state'), get(container, 'lastState')].some(
    (state) => get(state, 'terminated') !== undefined,
  );
  return ended || dig(container, 'state', 'running') !== undefined;
}

/** `whole` is false where only the metadata was asked for. */
export function reduceWorkload(kind: WorkloadKind, raw: JsonObject, whole: boolean): WorkloadRecord {
  const spec = get(raw, 'spec');
  const template = podOfTemplate(kind, raw);
  const replicas = asNumber(get(spec, 'replicas'));
  const updateRevision = text(get(raw, 'status'), 'updateRevision');
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
  for (const { secret, use } of referencesOf(pod)) {
    const word = use.field.split(' ', 1)[0];
    const form = FORMS.find((one) => one === word);
    if (form !== undefined) uses.set(`${form} ${secret}`, { secret, form });
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
