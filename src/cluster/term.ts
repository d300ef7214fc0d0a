/**
 * How long a replica leads whose settings are not those of its installation any more: a rollout has begun, and what
 * the new replicas wait for only one of them can do. They get the Lease; where they cannot lead, it leads again.
 */

/** Whether a replica's settings are not those of its installation any more. */
type IsOutdated = () => boolean;

/** Milliseconds that it leads at a time. */
const LONGEST = 60_000;
/** How many times as long as others it waits before it tries to lead. */
const PATIENCE = 5;
const NEVER: IsOutdated = () => false;

/** Rests before the next attempt, and once more where the settings have changed meanwhile: others go first. */
export async function restBefore(
  isOutdated: IsOutdated = NEVER,
  sleep: (times: number) => Promise<void>,
): Promise<void> {
  const wasOutdated = isOutdated();
  await sleep(wasOutdated ? PATIENCE : 1);
  if (!wasOutdated && isOutdated()) await sleep(PATIENCE);
}

/** Begins a term; tells whether it is over: as soon as the settings change, else after a while. */
export function beginTerm(isOutdated: IsOutdated = NEVER, longest = LONGEST): () => boolean {
  const began = performance.now();
  const wasOutdated = isOutdated();
  return () => isOutdated() && (!wasOutdated || performance.now() - began >= longest);
}
