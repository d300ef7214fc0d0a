import { describe, expect, it, vi } from 'vitest';
import { createPause, takeTurns } from '../../src/cluster/pause.ts';

const LONG = 3_600_000;

describe('a pause', () => {
  it('ends when somebody wakes it', async () => {
    const pause = createPause();
    const over = pause.sleep(LONG);
    pause.wake();
    await over;
  });

  it('does not begin where news came while nobody slept, once', async () => {
    vi.useFakeTimers();
    try {
      const pause = createPause();
      pause.wake();
      pause.wake();
      await pause.sleep(LONG);
      const second = vi.fn();
      void pause.sleep(LONG).then(second);
      await vi.advanceTimersByTimeAsync(LONG - 1);
      expect(second).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(second).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  it('lets the next turn see what happened during one', async () => {
    const pause = createPause();
    const end = new AbortController();
    let news = 0;
    const seen: number[] = [];
    await takeTurns(
      async () => {
        seen.push(news);
        if (seen.length === 2) end.abort();
        await Promise.resolve();
        news += 1;
        pause.wake();
        return LONG;
      },
      { pause, signal: end.signal },
    );
    expect(seen).toEqual([0, 1]);
  });
});
