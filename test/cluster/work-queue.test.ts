import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WorkQueue, WorkQueueOptions } from '../../src/cluster/work-queue.ts';
import { createWorkQueue } from '../../src/cluster/work-queue.ts';

const CEILING = { timeout: 60_000, interval: 2 };

let queue: WorkQueue | undefined;
let failures: string[] = [];
afterEach(async () => {
  await queue?.stop();
  queue = undefined;
  failures = [];
});

function start(work: WorkQueueOptions['work'], more: Partial<WorkQueueOptions> = {}): WorkQueue {
  queue = createWorkQueue({
    work,
    failed: (key) => failures.push(key),
    backoff: { base: 1, max: 5 },
    ...more,
  });
  return queue;
}

describe('a work queue', () => {
  it('works on each key once, however often it is added meanwhile, and once more where it is added during its work', async () => {
    const worked: string[] = [];
    const gate = Promise.withResolvers<void>();
    const keys = start(async (key) => {
      worked.push(key);
      if (worked.length === 1) await gate.promise;
      return undefined;
    });
    keys.add('a');
    await vi.waitFor(() => expect(worked).toEqual(['a']), CEILING);
    keys.add('a');
    keys.add('a');
    keys.add('b');
    await vi.waitFor(() => expect(worked).toEqual(['a', 'b']), CEILING);
    gate.resolve();
    await vi.waitFor(() => expect(worked).toEqual(['a', 'b', 'a']), CEILING);
    await vi.waitFor(() => expect(keys.size).toBe(0), CEILING);
  });

  it('works on no more keys at a time than it may', async () => {
    let running = 0;
    let most = 0;
    const keys = start(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running -= 1;
        return undefined;
      },
      { concurrency: 3 },
    );
    for (let index = 0; index < 20; index += 1) keys.add(`k${index}`);
    await vi.waitFor(() => expect(keys.size).toBe(0), CEILING);
    expect(most).toBe(3);
  });

  it('tries again what fails, and what asks for it', async () => {
    let count = 0;
    const keys = start(async () => {
      count += 1;
      if (count < 3) throw new Error('not yet');
      return count < 5 ? 1 : undefined;
    });
    keys.add('a');
    await vi.waitFor(() => expect(count).toBe(5), CEILING);
    await vi.waitFor(() => expect(keys.size).toBe(0), CEILING);
    expect(failures).toEqual(['a', 'a']);
  });

  it('looks sooner where it is asked to, and never later', async () => {
    const worked: string[] = [];
    const keys = start(async (key) => {
      worked.push(key);
      return undefined;
    });
    keys.add('a', 600_000);
    keys.add('a', 1);
    keys.add('b', 1);
    keys.add('b', 600_000);
    await vi.waitFor(() => expect(worked.toSorted()).toEqual(['a', 'b']), CEILING);
    expect(keys.size).toBe(0);
  });

  it('ends with what it works on, and begins nothing more', async () => {
    let ended = false;
    const keys = start(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      ended = true;
      return 1;
    });
    keys.add('a');
    await vi.waitFor(() => expect(keys.size).toBe(1), CEILING);
    keys.add('b', 5);
    await keys.stop();
    expect(ended).toBe(true);
    keys.add('c');
    expect(keys.size).toBe(0);
  });
});

describe('by a clock that is told', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const pass = async (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

  it('waits twice as long after each failure, to a limit, and begins anew after a success', async () => {
    const times: number[] = [];
    let isBad = true;
    const keys = start(
      async () => {
        times.push(performance.now());
        if (isBad) throw new Error('not yet');
        return undefined;
      },
      { backoff: { base: 1_000, max: 8_000 } },
    );
    keys.add('a');
    await pass(60_000);
    const pauses = times.slice(1).map((time, index) => time - times[index]!);
    // Each with its jitter.
    const bounds = [1, 2, 4, 8, 8, 8].map((seconds) => seconds * 1_000);
    for (const [index, most] of bounds.entries()) {
      expect(pauses[index]).toBeLessThanOrEqual(most * 1.2);
      expect(pauses[index]).toBeGreaterThanOrEqual(most * 0.5);
    }
    isBad = false;
    await pass(10_000);
    isBad = true;
    times.length = 0;
    keys.add('a');
    await pass(1_500);
    expect(times).toHaveLength(2);
  });

  it('looks again after the time that the work asks for, and at once where the key is added meanwhile', async () => {
    const times: number[] = [];
    const keys = start(async () => {
      times.push(performance.now());
      return 20_000;
    });
    const began = performance.now();
    keys.add('a');
    await pass(5_000);
    keys.add('a');
    await pass(20_000);
    expect(times.map((time) => Math.round((time - began) / 1_000))).toEqual([0, 5, 25]);
  });

  it('puts a later look off where a sooner one is asked for, and then has only that', async () => {
    const times: number[] = [];
    const keys = start(async () => {
      times.push(performance.now());
      return undefined;
    });
    const began = performance.now();
    keys.add('a', 10_000);
    keys.add('a', 3_000);
    keys.add('a', 30_000);
    await pass(60_000);
    expect(times.map((time) => Math.round((time - began) / 1_000))).toEqual([3]);
    expect(keys.size).toBe(0);
  });
});
