/** Workloads: objects with a pod template, and the pods that their controllers make of it. */
import type { JsonObject } from './json.ts';
import { asArray, asObject, dig, get, text } from './json.ts';
import type { ResourceKind } from './object.ts';

export interface WorkloadKind extends ResourceKind {
  /** Where the pod template stands. */
  readonly template: readonly string[];
}

/** A workload as it stands in the cluster. */
export interface WorkloadObject {
  readonly kind: WorkloadKind;
  /** With its apiVersion and kind, which items of a list may lack. */
  readonly raw: JsonObject;
}

const TEMPLATE = ['spec', 'template'] as const;
const apps = { group: 'apps', version: 'v1', namespaced: true, template: TEMPLATE };

/** Pod Security Admission's list of pod controllers, and Argo's Rollout. */
export const WORKLOADS: readonly WorkloadKind[] = [
  { ...apps, kind: 'Deployment', plural: 'deployments' },
  { ...apps, kind: 'StatefulSet', plural: 'statefulsets' },
  { ...apps, kind: 'DaemonSet', plural: 'daemonsets' },
  { ...apps, kind: 'ReplicaSet', plural: 'replicasets' },
  { ...apps, group: '', kind: 'ReplicationController', plural: 'replicationcontrollers' },
  { ...apps, group: 'batch', kind: 'Job', plural: 'jobs' },
  {
    group: 'batch',
    version: 'v1',
    kind: 'CronJob',
    plural: 'cronjobs',
    namespaced: true,
    template: ['spec', 'jobTemplate', 'spec', 'template'],
  },
  { ...apps, group: 'argoproj.io', version: 'v1alpha1', kind: 'Rollout', plural: 'rollouts' },
];

export function workloadKind(group: string, kind: string): WorkloadKind | undefined {
  return WORKLOADS.find((one) => one.group === group && one.kind === kind);
}

/** The pod that the template describes: its metadata and spec, without a name of its own. */
export function podOfTemplate(kind: WorkloadKind, workload: unknown): JsonObject {
  const template = dig(workload, ...kind.template);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: asObject(get(template, 'metadata')),
    spec: asObject(get(template, 'spec')),
  };
}

/** Whether a Job has ended, so that it makes no more pods. */
export function isFinished(workload: unknown): boolean {
  const ended = ['Complete', 'Failed'];
  return asArray(dig(workload, 'status', 'conditions')).some(
    (condition) => ended.includes(text(condition, 'type') ?? '') && text(condition, 'status') === 'True',
  );
}
