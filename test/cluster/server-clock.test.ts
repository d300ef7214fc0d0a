import { describe, expect, it } from 'vitest';
import { createServerClock } from '../../src/cluster/server-clock.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');
const HEADER = 'Sun, 01 Mar 2026 12:00:00 GMT';

describe("the API server's clock", () => {
  it('is ours before anything was heard', () => {
    expect(createServerClock(() => NOON).now()).toBe(NOON);
  });

  it.each([
    ['exactly', 0],
    ['by its milliseconds, which the header does not tell', 900],
  ])('stays ours where the two agree %s', (_how, milliseconds) => {
    const clock = createServerClock(() => NOON + milliseconds);
    clock.heard(HEADER);
    expect(clock.now()).toBe(NOON + milliseconds);
  });

  it.each([
    ['a year ahead', 365 * 86_400_000],
    ['an hour behind', -3_600_000],
  ])('is told from ours by a second where ours is %s', (_how, off) => {
    const clock = createServerClock(() => NOON + off);
    clock.heard(HEADER);
    expect(Math.abs(clock.now() - NOON)).toBeLessThanOrEqual(1000);
  });

  it('follows when ours is set', () => {
    let own = NOON + 7_200_000;
    const clock = createServerClock(() => own);
    clock.heard(HEADER);
    own = NOON;
    clock.heard(HEADER);
    expect(Math.abs(clock.now() - NOON)).toBeLessThanOrEqual(1000);
  });

  it.each([[undefined], [['Sun, 01 Mar 2026 12:00:00 GMT', '']], ['soon'], ['']])(
    'takes no notice of a header that is no date: %j',
    (header) => {
      const clock = createServerClock(() => NOON);
      clock.heard(header);
      expect(clock.now()).toBe(NOON);
    },
  );
});
