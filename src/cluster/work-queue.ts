/**
 * Keys that want attention, each by one worker at a time: a key that is added while it is worked on is worked on
 * once more. What fails is tried again, later each time.
 */
import { backoff } from './pause.ts';

export interface WorkQueue {
  /** Now, or after so many milliseconds where it is not due sooner anyway. */
  add(key: string, after?: number): void;
  /** How many keys wait or are worked on. */
  readonly size: number;
  /** Takes no more, and resolves when nothing is worked on any more. */
  stop(): Promise<void>;
}

export interface WorkQueueOptions {
  /** Looks at a key; resolves with the milliseconds after which to look again, or undefined when it is done. */
  work(key: string): Promise<number | undefined>;
  failed(key: string, error: unknown): void;
  /** Keys at the same time; default 4. */
  readonly concurrency?: number;
  readonly backoff?: { readonly base: number; readonly max: number };
}

const CONCURRENCY = 4;
const BACKOFF = { base: 250, max: 60_000 };

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const concurrency = options.concurrency ?? CONCURRENCY;
  const ready = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const timers = new Map<string, { readonly at: number; readonly timer: NodeJS.Timeout }>();
  const failures = new Map<string, number>();
  let stopped = false;

  const add = (key: string, after = 0): void => {
    if (stopped) return;
    const at = performance.now() + after;
    const known = timers.get(key);
    if (known !== undefined && known.at <= at) return;
    clearTimeout(known?.timer);
    timers.delete(key);
    if (after > 0) {
      timers.set(key, { at, timer: setTimeout(() => due(key), after) });
      return;
    }
    ready.add(key);
    next();
  };
  const due = (key: string): void => {
    timers.delete(key);
    ready.add(key);
    next();
  };
  const next = (): void => {
    for (const key of ready) {
      if (stopped || running.size >= concurrency) return;
      if (running.has(key)) continue;
      ready.delete(key);
      running.set(key, attend(key));
    }
  };
  const attend = async (key: string): Promise<void> => {
    // So that `running` has the key before the work can end.
    await Promise.resolve();
    const again = await outcomeOf(key);
    running.delete(key);
    if (again !== undefined) add(key, again);
    next();
  };
  const outcomeOf = async (key: string): Promise<number | undefined> => {
    try {
      const again = await options.work(key);
      failures.delete(key);
      return again;
    } catch (error) {
      if (stopped) return undefined;
      options.failed(key, error);
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      return backoff(count, options.backoff ?? BACKOFF);
    }
  };
  return {
    add,
    get size() {
      return ready.size + running.size + timers.size;
    },
    async stop() {
      stopped = true;
      for (const { timer } of timers.values()) clearTimeout(timer);
      timers.clear();
      ready.clear();
      await Promise.all(running.values());
    },
  };
}
