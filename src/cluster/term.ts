/**
 * How long a replica leads whose settings are not those of its installation any more: a rollout has begun, and what
 * the new replicas wait for only one of them can do. They get the Lease; where they cannot lead, it leads again.
 */

/** Whether a replica's settings are not those of its installation any more. */
export type IsOutdated = () => boolean;

/** Milliseconds that it leads at a time. */
const LONGEST = 60_000;
/** How many times as long as others it waits before it tries to lead. */
const PATIENCE = 5;
const NEVER: IsOutdated = () => false;

/** By what a pause between two attempts is multiplied. */
export function patienceOf(isOutdated: IsOutdated = NEVER): number {
  return isOutdated() ? PATIENCE : 1;
}

/** Begins a term; tells whether it is over: as soon as the settings change, else after a while. */
export function beginTerm(isOutdated: IsOutdated = NEVER, longest = LONGEST): () => boolean {
  const began = performance.now();
  const wasOutdated = isOutdated();
  return () => isOutdated() && (!wasOutdated || performance.now() - began >= longest);
}
