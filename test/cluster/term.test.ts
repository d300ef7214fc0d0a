import { describe, expect, it } from 'vitest';
import { restBefore } from '../../src/cluster/term.ts';

/** How often the usual rest is taken, where the settings change during the first. */
async function rests(before: boolean, after: boolean): Promise<readonly number[]> {
  const taken: number[] = [];
  await restBefore(
    () => (taken.length === 0 ? before : after),
    async (times) => void taken.push(times),
  );
  return taken;
}

describe('the rest before an attempt to lead', () => {
  it('is longer with outdated settings, also where they become so meanwhile', async () => {
    expect(await rests(false, false)).toEqual([1]);
    expect(await rests(true, true)).toEqual([5]);
    expect(await rests(false, true)).toEqual([1, 5]);
    expect(await rests(true, false)).toEqual([5]);
  });
});
