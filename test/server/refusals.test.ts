import { describe, expect, it } from 'vitest';
import { createRefusals } from '../../src/server/refusals.ts';

describe('refusals of one source', () => {
  it('are told twice the rate at once, and the rate from then on', () => {
    let time = 0;
    const mayTell = createRefusals(10, () => time);
    const told = (count: number): number =>
      Array.from({ length: count }, () => mayTell('a')).filter(Boolean).length;
    expect(told(50)).toBe(20);
    expect(told(50)).toBe(0);
    time += 500;
    expect(told(50)).toBe(5);
    time += 60_000;
    expect(told(50)).toBe(20);
  });

  it('do not count for another', () => {
    const mayTell = createRefusals(1, () => 0);
    expect([mayTell('a'), mayTell('a'), mayTell('a'), mayTell('b')]).toEqual([true, true, false, true]);
  });

  it('are without a bound where there is none', () => {
    const mayTell = createRefusals(0);
    expect(Array.from({ length: 5_000 }, () => mayTell('a')).every(Boolean)).toBe(true);
  });
});
