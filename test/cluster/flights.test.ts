import { describe, expect, it } from 'vitest';
import { createFlights } from '../../src/cluster/flights.ts';
import { createLimiter } from '../../src/cluster/limiter.ts';

/** Reads that end when the test says so. */
function controlled() {
  const open: ((value: string) => void)[] = [];
  const read = async () => new Promise<string>((resolve) => open.push(resolve));
  return { open, read };
}
const settle = async () => new Promise((resolve) => setTimeout(resolve, 0));

describe('reads under way', () => {
  it('are shared by those who ask for the same', async () => {
    const { open, read } = controlled();
    const flights = createFlights<string>();
    const both = Promise.all([flights.join('a', read, false), flights.join('a', read, false)]);
    const other = flights.join('b', read, false);
    expect(open).toHaveLength(2);
    open[0]?.('one');
    open[1]?.('two');
    expect([await both, await other]).toEqual([['one', 'one'], 'two']);
    void flights.join('a', read, false);
    expect(open).toHaveLength(3);
  });

  it('that began earlier are not taken by a fresh one; fresh ones share the next', async () => {
    const { open, read } = controlled();
    const flights = createFlights<string>();
    const old = flights.join('a', read, false);
    const fresh = Promise.all([flights.join('a', read, true), flights.join('a', read, true)]);
    expect(open).toHaveLength(1);
    open[0]?.('before');
    expect(await old).toBe('before');
    await settle();
    expect(open).toHaveLength(2);
    open[1]?.('after');
    expect(await fresh).toEqual(['after', 'after']);
  });

  it('that fail do not keep the next from its turn', async () => {
    const flights = createFlights<string>();
    const failing = flights.join('a', async () => Promise.reject(new Error('no')), false);
    const next = flights.join('a', async () => 'yes', true);
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});

describe('a limit', () => {
  it('holds, keeps the order, and frees its place after a failure', async () => {
    const limit = createLimiter(2);
    const { open, read } = controlled();
    const order: string[] = [];
    const tasks = ['a', 'b', 'c', 'd'].map(async (name) =>
      limit(async () => {
        order.push(name);
        const value = await read();
        if (value === 'fail') throw new Error(name);
      }).catch(() => undefined),
    );
    expect(order).toEqual(['a', 'b']);
    open[0]?.('fail');
    await settle();
    expect(order).toEqual(['a', 'b', 'c']);
    open[1]?.('');
    await settle();
    open[2]?.('');
    open[3]?.('');
    await Promise.all(tasks);
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });
});
