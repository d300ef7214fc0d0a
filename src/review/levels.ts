/**
 * Where a pod's wishes may stand: on the Pod, its Job, that Job's CronJob, its ServiceAccount, its Namespace. The
 * nearest that has the key wins whole. Owners and ServiceAccounts give defaults, never permissions.
 */
import { KEYS, PREFIX } from '../contract/keys.ts';
import { derived } from '../kube/derived.ts';
import type { JsonObject } from '../kube/json.ts';
import { text } from '../kube/json.ts';
import type { KubeObject, OwnerReference, ResourceKind } from '../kube/object.ts';
import {
  CRON_JOB,
  JOB,
  SERVICE_ACCOUNT,
  annotationsOf,
  controllerOf,
  groupOf,
  uidOf,
} from '../kube/object.ts';
import { serviceAccountNameOf } from '../kube/pod.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { Draft } from './findings.ts';
import { draft } from './findings.ts';
import type { Inquiry } from './inquiry.ts';
import { askObject } from './inquiry.ts';

export type LevelName = 'Pod' | 'Job' | 'CronJob' | 'ServiceAccount' | 'Namespace';

export interface Level {
  readonly name: LevelName;
  readonly annotations: JsonObject;
}

export function levelOf(name: LevelName, raw: unknown): Level {
  return { name, annotations: annotationsOf(raw) };
}

/** A value and the level that gave it. */
export interface Wish {
  readonly value: string;
  readonly level: LevelName;
}

export interface Levels {
  /** Nearest first. */
  readonly all: readonly Level[];
  readonly serviceAccount?: KubeObject;
  /** Levels that could not be read: what they ask for is not known. */
  readonly findings: readonly Draft[];
}

/** The levels of a pod. `owners` stand for the Job and CronJob where the pod is a template of theirs. */
export function levelsOf(
  inquiry: Inquiry,
  pod: unknown,
  namespace: KubeObject,
  owners: readonly Level[] = [],
): Levels {
  const all: Level[] = [levelOf('Pod', pod)];
  const findings: Draft[] = [];
  if (owners.length > 0) all.push(...owners);
  else addJobs(all, inquiry, pod, findings);
  const account = accountOf(inquiry, pod);
  if (account.findings.length > 0) findings.push(...account.findings);
  const { serviceAccount } = account;
  // Most ServiceAccounts and Namespaces ask for nothing, and stay the same objects for many pods.
  if (serviceAccount !== undefined && asks(serviceAccount))
    all.push(levelOf('ServiceAccount', serviceAccount.raw));
  if (asks(namespace)) all.push(levelOf('Namespace', namespace.raw));
  return serviceAccount === undefined ? { all, findings } : { all, serviceAccount, findings };
}

/** Whether any annotation of ours stands on it. */
const asks = derived(({ raw }: KubeObject) =>
  Object.keys(annotationsOf(raw)).some((key) => key.startsWith(PREFIX)),
);

/** The pod's ServiceAccount, if it is there. */
export function accountOf(inquiry: Inquiry, pod: unknown): Pick<Levels, 'serviceAccount' | 'findings'> {
  const read = askObject(inquiry, SERVICE_ACCOUNT, serviceAccountNameOf(pod));
  if (read.state === 'failed') return { findings: [unreadable('its ServiceAccount', read.failure)] };
  return read.state === 'present' ? { serviceAccount: read.value, findings: [] } : { findings: [] };
}

/** The nearest level's value; an empty one ends the search too. */
export function nearestWish(levels: readonly Level[], key: string): Wish | undefined {
  for (const { name, annotations } of levels) {
    const value = text(annotations, key);
    if (value !== undefined) return { value, level: name };
  }
  return undefined;
}

/** Every level's `require-keys`: they add up. */
export function requireKeysWishes(levels: readonly Level[]): readonly Wish[] {
  return levels.flatMap(({ name, annotations }) => {
    const value = text(annotations, KEYS.requireKeys);
    return value === undefined ? [] : [{ value, level: name }];
  });
}

/** By who looked in vain. */
const REMEDIES = {
  webhook: {
    forbidden: "grant the webhook's ServiceAccount this permission",
    unavailable: 'try again; the webhook could not reach the Kubernetes API in time',
  },
  person: {
    forbidden: 'ask for this permission, or use another --context; the webhook has rights of its own',
    unavailable: 'try again; the Kubernetes API could not be reached in time',
  },
};

export function unreadable(what: string, failure: ReadFailure): Draft {
  const code = failure.reason === 'forbidden' ? 'FLOE-E821' : 'FLOE-E820';
  const suggestion = remedyForFailure(failure);
  return draft(code, `${what} could not be read: ${failure.message}`, { state: 'Unknown', suggestion });
}

/** What helps whoever looked in vain. */
export function remedyForFailure({ reason, asker }: ReadFailure): string {
  return REMEDIES[asker ?? 'webhook'][reason];
}

function addJobs(levels: Level[], inquiry: Inquiry, pod: unknown, findings: Draft[]): void {
  const job = liveOwner(inquiry, controllerOf(pod), JOB, findings);
  if (job === undefined) return;
  levels.push(levelOf('Job', job.raw));
  const cronJob = liveOwner(inquiry, controllerOf(job.raw), CRON_JOB, findings);
  if (cronJob !== undefined) levels.push(levelOf('CronJob', cronJob.raw));
}

/** An owner counts only as a live object of that name and uid: anybody can write an ownerReference. */
function liveOwner(
  inquiry: Inquiry,
  owner: OwnerReference | undefined,
  kind: ResourceKind,
  findings: Draft[],
): KubeObject | undefined {
  if (owner?.kind !== kind.kind || groupOf(owner.apiVersion) !== kind.group) return undefined;
  const read = askObject(inquiry, kind, owner.name);
  if (read.state === 'failed') findings.push(unreadable(`its ${kind.kind} '${owner.name}'`, read.failure));
  return read.state === 'present' && uidOf(read.value.raw) === owner.uid ? read.value : undefined;
}
