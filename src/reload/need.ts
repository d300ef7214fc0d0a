/** Which restarts a workload needs: its pods beside what is known of the Secrets that they use. */
import type { PodRecord, WorkloadRecord } from '../kube/running.ts';
import { isOver } from '../kube/running.ts';
import { freshnessOf } from './freshness.ts';
import type { Knowledge } from './knowledge.ts';

/** A Secret for whose data some pods are too old. */
export interface Cause {
  readonly secret: string;
  /** The version that brought the data. */
  readonly version: string;
  /** Nobody saw the data change; see `presumed` in freshness.ts. */
  readonly presumed: boolean;
  /** Uids of the pods that are too old. */
  readonly pods: readonly string[];
}

export interface Need {
  readonly causes: readonly Cause[];
  /** Secrets that would be causes, were they not another reloader's. */
  readonly left: readonly { readonly secret: string; readonly version: string; readonly to: string }[];
}

export interface Subject {
  readonly workload: WorkloadRecord;
  readonly pods: readonly PodRecord[];
  /** Whether the workload's pods are to be restarted for this Secret. */
  isWanted(secret: string): boolean;
  knowledge(secret: string): Knowledge | undefined;
  /** Who else restarts the workload for this Secret. */
  other(secret: string): string | undefined;
}

/** Secrets that running containers have from a pod; the kubelet alone uses a pull secret. */
export function usedSecrets(pod: Pick<PodRecord, 'uses'>): readonly string[] {
  const used = pod.uses.filter(({ form }) => form !== 'imagePullSecrets').map(({ secret }) => secret);
  return [...new Set(used)];
}

export function needOf(subject: Subject): Need {
  const live = subject.pods.filter((pod) => isRestartable(pod, subject.workload));
  const secrets = [...new Set(live.flatMap(usedSecrets))].toSorted();
  const found = secrets
    .filter((secret) => subject.isWanted(secret))
    .flatMap((secret) => causeOf(subject, secret, live));
  const others = new Map(found.map(({ secret }) => [secret, subject.other(secret)]));
  return {
    causes: found.filter(({ secret }) => others.get(secret) === undefined),
    left: found.flatMap(({ secret, version }) => {
      const to = others.get(secret);
      return to === undefined ? [] : [{ secret, version, to }];
    }),
  };
}

/**
 * A pod that is over or ends is nobody's to restart. Neither is one that is being replaced already: it is of an
 * older template, or older than the last restart of ours, whichever process made that.
 */
export function isRestartable(pod: PodRecord, { updateRevision, reloadedAt }: WorkloadRecord): boolean {
  if (pod.terminating || isOver(pod)) return false;
  if (reloadedAt !== undefined && (pod.createdAt ?? 0) < reloadedAt) return false;
  const own = revisionOf(pod);
  return updateRevision === undefined || own === undefined || own === updateRevision;
}

/** A DaemonSet counts its templates, the others name them by a hash. */
const REVISION_LABELS = ['pod-template-generation', 'controller-revision-hash', 'pod-template-hash'] as const;

function revisionOf({ labels }: PodRecord): string | undefined {
  return REVISION_LABELS.map((label) => labels[label]).find((label) => label !== undefined);
}

function causeOf({ knowledge }: Subject, secret: string, pods: readonly PodRecord[]): readonly Cause[] {
  const known = knowledge(secret);
  if (known === undefined) return [];
  const old = pods.flatMap((pod) => {
    if (!usedSecrets(pod).includes(secret)) return [];
    const freshness = freshnessOf(pod, secret, known);
    return freshness === 'current' ? [] : [{ uid: pod.uid, freshness }];
  });
  if (old.length === 0) return [];
  const presumed = old.every(({ freshness }) => freshness === 'presumed');
  return [{ secret, version: known.dataVersion, presumed, pods: old.map(({ uid }) => uid) }];
}
