/**
 * When restarts happen: a quiet window in which several Secrets become one restart, a pause between two restarts of
 * a workload, a bound for all of them, and a second try for what failed. A machine that is told what happened and
 * when; the wires carry out what it answers.
 */
import type { Cause, Need } from './need.ts';

/** Milliseconds, and restarts a minute. */
export interface Pace {
  readonly quiet: number;
  readonly cooldown: number;
  readonly maxPerMinute: number;
}

/** A workload as it stands. */
export interface Standing extends Pick<Need, 'causes'> {
  readonly paused: boolean;
  /** When it was last restarted by this project, as far as anybody knows. */
  readonly reloadedAt?: number;
}

/**
 * What is to be done now. A restart that failed is asked for again with the same `at`, so that one that was made
 * after all is not made twice.
 */
export interface Restart {
  readonly key: string;
  readonly at: number;
  readonly causes: readonly Cause[];
}

/** `gone`: the workload is not there any more. `refused`: a permission is missing. */
export type Outcome = 'done' | 'gone' | 'refused' | 'failed';

export interface Schedule {
  /** What a workload needs now; a need that is met by itself is forgotten. */
  found(key: string, standing: Standing, now: number): void;
  forget(key: string): void;
  /** What is due; whoever takes it reports the outcome of each. */
  due(now: number): readonly Restart[];
  outcome(key: string, outcome: Outcome, now: number): void;
  /** When something is due next; undefined where nothing waits for time alone. */
  next(now: number): number | undefined;
  /** Workloads that wait for their restart. */
  readonly waiting: number;
}

interface Entry {
  causes: readonly Cause[];
  paused: boolean;
  firstAt: number;
  /** When the newest cause came. */
  lastAt: number;
  failures: number;
  retryAt: number;
  /** Of an attempt whose outcome may be unknown. */
  at: number | undefined;
  /** What the restart that is under way is for; what comes meanwhile waits for the next. */
  taken: readonly Cause[] | undefined;
}

/** The versions of Secrets that a workload has been restarted for. */
type Made = ReadonlyMap<string, string>;

const MINUTE = 60_000;
/** A Secret that never rests is waited for this many windows. */
const LONGEST_QUIET = 6;
/** The workloads of one Secret shall not all begin in the same instant. */
const SPREAD = { share: 0.2, most: 2_000 };
const RETRY = { failed: { base: 1_000, max: MINUTE }, refused: { base: 30_000, max: 10 * MINUTE } };

export function createSchedule(pace: Pace): Schedule {
  const entries = new Map<string, Entry>();
  const made = new Map<string, Made>();
  const restartedAt = new Map<string, number>();
  let recent: number[] = [];

  const readyAt = (key: string, entry: Entry): number => {
    const rested = Math.min(entry.lastAt + pace.quiet, entry.firstAt + LONGEST_QUIET * pace.quiet);
    const cooled = (restartedAt.get(key) ?? Number.NEGATIVE_INFINITY) + pace.cooldown;
    return Math.max(rested + spread(key, pace.quiet), cooled, entry.retryAt);
  };
  const waiting = (): readonly (readonly [string, Entry])[] =>
    [...entries].filter(([, entry]) => entry.taken === undefined && !entry.paused);

  return {
    found(key, { causes, paused, reloadedAt }, now) {
      if (reloadedAt !== undefined) restartedAt.set(key, Math.max(reloadedAt, restartedAt.get(key) ?? 0));
      const done = made.get(key);
      const open = causes.filter(({ secret, version }) => done?.get(secret) !== version);
      const entry = entries.get(key);
      if (entry === undefined) {
        if (open.length > 0) entries.set(key, entryOf(open, paused, now));
        return;
      }
      if (open.length === 0 && entry.taken === undefined) {
        entries.delete(key);
        return;
      }
      const isNew = open.some((cause) => !entry.causes.some((known) => isSame(known, cause)));
      if (isNew) Object.assign(entry, { lastAt: now, at: undefined });
      Object.assign(entry, { causes: open, paused });
    },
    forget(key) {
      entries.delete(key);
      made.delete(key);
      restartedAt.delete(key);
    },
    due(now) {
      recent = recent.filter((at) => at > now - MINUTE);
      const ready = waiting()
        .map(([key, entry]) => ({ key, entry, at: readyAt(key, entry) }))
        .filter(({ at }) => at <= now)
        .toSorted((one, other) => one.at - other.at)
        .slice(0, Math.max(0, pace.maxPerMinute - recent.length));
      return ready.map(({ key, entry }) => {
        recent.push(now);
        entry.taken = entry.causes;
        entry.at ??= now;
        return { key, at: entry.at, causes: entry.causes };
      });
    },
    outcome(key, outcome, now) {
      const entry = entries.get(key);
      if (entry?.taken === undefined) return;
      const { taken, causes, paused } = entry;
      entry.taken = undefined;
      if (outcome === 'failed' || outcome === 'refused') {
        const { base, max } = RETRY[outcome];
        entry.retryAt = now + Math.min(max, base * 2 ** Math.min(entry.failures, 20));
        entry.failures += 1;
        return;
      }
      entries.delete(key);
      if (outcome === 'gone') return;
      made.set(key, withVersions(made.get(key), taken));
      restartedAt.set(key, now);
      const later = causes.filter((cause) => !taken.some((one) => isSame(one, cause)));
      if (later.length > 0) entries.set(key, entryOf(later, paused, now));
    },
    next(now) {
      const times = waiting().map(([key, entry]) => readyAt(key, entry));
      if (times.length === 0) return undefined;
      const full = recent.filter((at) => at > now - MINUTE);
      const free = full.length < pace.maxPerMinute ? 0 : (full[0] ?? now) + MINUTE;
      return Math.max(Math.min(...times), free);
    },
    get waiting() {
      return entries.size;
    },
  };
}

function entryOf(causes: readonly Cause[], paused: boolean, now: number): Entry {
  return {
    causes,
    paused,
    firstAt: now,
    lastAt: now,
    failures: 0,
    retryAt: Number.NEGATIVE_INFINITY,
    at: undefined,
    taken: undefined,
  };
}

function isSame(one: Cause, other: Cause): boolean {
  return one.secret === other.secret && one.version === other.version;
}

function withVersions(made: Made | undefined, causes: readonly Cause[]): Made {
  return new Map([...(made ?? []), ...causes.map(({ secret, version }) => [secret, version] as const)]);
}

/** The same for one workload each time, another for each workload. */
function spread(key: string, quiet: number): number {
  let hash = 0;
  for (const letter of key) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x9e37_79b1);
  hash ^= hash >>> 15;
  return ((Math.imul(hash, 0x85eb_ca77) >>> 0) / 2 ** 32) * Math.min(quiet * SPREAD.share, SPREAD.most);
}
