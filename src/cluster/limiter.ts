/** A bound on what runs at the same time. */

/** Runs a task now or when its turn comes. */
export type Limiter = <T>(task: () => Promise<T>) => Promise<T>;

/** At most `most` tasks at once; the others wait in the order in which they came. */
export function createLimiter(most: number): Limiter {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      // The place goes from hand to hand, so a newcomer cannot slip in between.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
