/** Whether a pod runs with the data that a Secret has now. When in doubt it does not: a needless restart is one. */
import { KEYS } from '../contract/keys.ts';
import { parseVersions } from '../contract/versions.ts';
import { isSameOrLater } from '../kube/resource-version.ts';
import type { Knowledge } from './knowledge.ts';

/**
 * `older`: the data was seen to change after the pod had begun. `presumed`: a write after it may have been one of
 * metadata, and nobody was there to see.
 */
export type Freshness = 'current' | 'older' | 'presumed';

/** What is asked of a pod. */
export interface PodAge {
  readonly annotations: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly createdAt?: number;
  /** Whether any container has run; one that has not will read what is there then. */
  readonly started: boolean;
  /** When the first of its containers began, by its node's clock. */
  readonly startedAt?: number;
}

export function freshnessOf(pod: PodAge, secret: string, known: Knowledge): Freshness {
  if (!known.present || !pod.started) return 'current';
  const version = parseVersions(pod.annotations[KEYS.versions]).get(secret);
  if (version !== undefined && isSameOrLater(version, known.dataVersion)) return 'current';
  if (version === undefined && hasWaited(pod, known)) return 'current';
  const createdAt = pod.createdAt ?? 0;
  // Both clocks tell whole seconds, so within one of them nobody knows which was first.
  if (createdAt > known.writtenAt) return isExplained(version, createdAt, known) ? 'current' : 'presumed';
  return known.changedAt === undefined ? 'presumed' : 'older';
}

/**
 * A Secret that came after the pod, as with a first installation: the kubelet waits for it. The node's clock is
 * believed here alone, where the data has never been other data as far as anybody knows.
 */
function hasWaited({ startedAt }: PodAge, { createdAt, writtenAt, changedAt }: Knowledge): boolean {
  return (
    changedAt === undefined && createdAt === writtenAt && startedAt !== undefined && startedAt >= createdAt
  );
}

/**
 * A version that moved after the pod's admission was written by somebody, at a time. Where no write of the object
 * is late enough, something was taken out of it, of which managedFields say nothing.
 */
function isExplained(version: string | undefined, createdAt: number, known: Knowledge): boolean {
  return version === undefined || known.changedAt !== undefined || known.touchedAt >= createdAt;
}
