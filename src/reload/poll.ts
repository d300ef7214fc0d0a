/**
 * Which Secret is looked at next: first those of which something is known to have happened, then new ones, then
 * the others in turn. With more of them than the rate allows, the turns take longer instead of the API server more.
 */

export interface PollSettings {
  /** Milliseconds between two looks at a Secret; undefined looks once, and then where something has happened. */
  readonly interval: number | undefined;
  readonly turns: Turns;
}

/** Turns at a rate, for all who look. */
export interface Turns {
  /** Milliseconds between two turns. */
  readonly gap: number;
  /** When the next turn is. */
  readonly next: number;
  take(now: number): void;
}

export interface Poll {
  follow(key: string): void;
  unfollow(key: string): void;
  /** Look at it with the next turn. */
  hurry(key: string): void;
  /** The Secret whose turn it is. */
  take(now: number): string | undefined;
  /** When there is something to take. */
  next(now: number): number | undefined;
  /** Milliseconds: as configured, or what the rate makes of it. */
  readonly interval: number;
  readonly size: number;
}

/** Turns that may follow one another at once after a late one. */
const LATENESS = 4;

export function createTurns(qps: number): Turns {
  const gap = 1000 / Math.max(qps, 0.1);
  let next = Number.NEGATIVE_INFINITY;
  return {
    gap,
    get next() {
      return next;
    },
    take(now) {
      // Timers are late; what that costs is made up for soon, so that the rate is right.
      next = (next === Number.NEGATIVE_INFINITY ? now : Math.max(next, now - LATENESS * gap)) + gap;
    },
  };
}

export function createPoll({ interval, turns }: PollSettings): Poll {
  const hurried = new Set<string>();
  const fresh = new Set<string>();
  /** When each was last looked at, oldest first. */
  const looked = new Map<string, number>();

  const size = (): number => looked.size + fresh.size;
  const actual = (): number => Math.max(interval ?? 0, size() * turns.gap);
  const dueAt = (): number | undefined => {
    if (hurried.size > 0 || fresh.size > 0) return turns.next;
    const oldest = looked.values().next().value;
    if (oldest === undefined || interval === undefined) return undefined;
    return Math.max(turns.next, oldest + actual());
  };
  const drop = (key: string): void => {
    hurried.delete(key);
    fresh.delete(key);
    looked.delete(key);
  };

  return {
    follow(key) {
      if (!looked.has(key)) fresh.add(key);
    },
    unfollow: drop,
    hurry(key) {
      if (looked.has(key) || fresh.has(key)) hurried.add(key);
    },
    take(now) {
      const due = dueAt();
      if (due === undefined || due > now) return undefined;
      const [key] = [...first(hurried), ...first(fresh), ...first(looked.keys())];
      if (key === undefined) return undefined;
      drop(key);
      // To the end of the line.
      looked.set(key, now);
      turns.take(now);
      return key;
    },
    next: (now) => {
      const due = dueAt();
      return due === undefined ? undefined : Math.max(now, due);
    },
    get interval() {
      return actual();
    },
    get size() {
      return size();
    },
  };
}

function first(keys: Iterable<string>): readonly string[] {
  for (const key of keys) return [key];
  return [];
}
