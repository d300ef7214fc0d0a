import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tidyOnceReady } from '../../src/server/tidy.ts';

describe('tidyOnceReady', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('collects once, when everything is read', () => {
    let ready = false;
    const collect = vi.fn();
    tidyOnceReady(() => ({ ready, waiting: [] }), collect);
    vi.advanceTimersByTime(2000);
    expect(collect).not.toHaveBeenCalled();
    ready = true;
    vi.advanceTimersByTime(10_000);
    expect(collect).toHaveBeenCalledTimes(1);
  });

  it('waits no longer when it is stopped', () => {
    const collect = vi.fn();
    tidyOnceReady(() => ({ ready: true, waiting: [] }), collect)();
    vi.advanceTimersByTime(10_000);
    expect(collect).not.toHaveBeenCalled();
  });

  it('does nothing where the collector cannot be called', () => {
    tidyOnceReady(() => ({ ready: true, waiting: [] }), undefined)();
    expect(vi.getTimerCount()).toBe(0);
  });
});
