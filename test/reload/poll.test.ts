import { describe, expect, it } from 'vitest';
import { createPoll, createTurns } from '../../src/reload/poll.ts';

/** At the default rate of 20 turns a second. */
function pollOf(count: number) {
  const poll = createPoll({ interval: 20_000, turns: createTurns(20) });
  for (let index = 0; index < count; index += 1) poll.follow(`jobs/s${index}`);
  return poll;
}

/** Looks for so many seconds, and tells when each Secret was looked at. */
function lookFor(poll: ReturnType<typeof createPoll>, from: number, seconds: number): Map<string, number[]> {
  const looks = new Map<string, number[]>();
  for (let now = from; now < from + seconds * 1000; now += 10) {
    const key = poll.take(now);
    if (key !== undefined) looks.set(key, [...(looks.get(key) ?? []), now]);
  }
  return looks;
}

function longestGap(looks: Map<string, number[]>): number {
  const gaps = [...looks.values()].flatMap((times) =>
    times.slice(1).map((time, index) => time - times[index]!),
  );
  return Math.max(...gaps);
}

describe('looking at Secrets', () => {
  it('visits each once in every interval, and no more', () => {
    const poll = pollOf(10);
    const looks = lookFor(poll, 0, 100);
    expect(looks.size).toBe(10);
    expect([...looks.values()].every((times) => times.length === 5)).toBe(true);
    expect(poll.interval).toBe(20_000);
  });

  it('visits 400 within half a minute at the default rate', () => {
    const poll = pollOf(400);
    const looks = lookFor(poll, 0, 120);
    expect(looks.size).toBe(400);
    expect(longestGap(looks)).toBeLessThan(30_000);
  });

  it('takes longer, not more, where there are more', () => {
    const poll = pollOf(2000);
    expect(poll.interval).toBe(100_000);
    const looks = lookFor(poll, 0, 100);
    expect([...looks.values()].flat()).toHaveLength(2000);
  });

  it('goes first to where something has happened', () => {
    const poll = pollOf(400);
    lookFor(poll, 0, 30);
    poll.hurry('jobs/s399');
    poll.hurry('jobs/unknown');
    expect([...lookFor(poll, 30_000, 0.2).keys()][0]).toBe('jobs/s399');
  });

  it('shares its turns with others', () => {
    const turns = createTurns(20);
    const [one, other] = [createPoll({ interval: 1000, turns }), createPoll({ interval: 1000, turns })];
    one.follow('a');
    other.follow('b');
    expect([one.take(0), other.take(0), other.take(49), other.take(50)]).toEqual([
      'a',
      undefined,
      undefined,
      'b',
    ]);
  });

  it('forgets what is not used any more', () => {
    const poll = pollOf(3);
    poll.unfollow('jobs/s0');
    poll.unfollow('jobs/s2');
    expect([...lookFor(poll, 0, 60).keys()]).toEqual(['jobs/s1']);
    poll.unfollow('jobs/s1');
    expect(poll.next(100_000)).toBeUndefined();
  });

  it('without an interval happens only where something has', () => {
    const poll = createPoll({ interval: undefined, turns: createTurns(20) });
    poll.follow('jobs/s0');
    poll.follow('jobs/s1');
    expect(lookFor(poll, 0, 60).size).toBe(2);
    expect(poll.next(60_000)).toBeUndefined();
    poll.hurry('jobs/s1');
    expect(poll.next(60_000)).toBe(60_000);
    expect([...lookFor(poll, 60_000, 10).keys()]).toEqual(['jobs/s1']);
  });
});
