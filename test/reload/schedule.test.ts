import { describe, expect, it } from 'vitest';
import type { Cause } from '../../src/reload/need.ts';
import type { Pace, Schedule } from '../../src/reload/schedule.ts';
import { createSchedule } from '../../src/reload/schedule.ts';
import { at } from './setup.ts';

const PACE: Pace = { quiet: 10_000, cooldown: 300_000, maxPerMinute: 20 };

function cause(secret: string, version = '2'): Cause {
  return { secret, version, presumed: false, pods: ['uid-a'] };
}

function need(schedule: Schedule, seconds: number, ...causes: readonly Cause[]): void {
  schedule.found('api', { causes, paused: false }, at(seconds));
}

function dueAt(schedule: Schedule, seconds: number): readonly string[] {
  return schedule
    .due(at(seconds))
    .map(({ key, causes }) => `${key}: ${causes.map(({ secret }) => secret).join()}`);
}

/** The first second at which something is due. */
function waitedFor(schedule: Schedule, from: number): number {
  for (let seconds = from; seconds < from + 3600; seconds += 1) {
    if (dueAt(schedule, seconds).length > 0) return seconds - from;
  }
  return Number.POSITIVE_INFINITY;
}

describe('a restart', () => {
  it('waits until its Secrets rest, and is one for all of them', () => {
    const schedule = createSchedule(PACE);
    const secrets = Array.from({ length: 10 }, (_, index) => cause(`s${index}`));
    for (const index of secrets.keys()) need(schedule, index, ...secrets.slice(0, index + 1));
    expect(dueAt(schedule, 18)).toEqual([]);
    expect(schedule.next(at(9))).toBeGreaterThanOrEqual(at(19));
    expect(dueAt(schedule, 21)).toEqual([`api: ${secrets.map(({ secret }) => secret).join()}`]);
    expect(dueAt(schedule, 22)).toEqual([]);
  });

  it('does not wait for ever for a Secret that never rests', () => {
    const schedule = createSchedule(PACE);
    for (let seconds = 0; seconds < 60; seconds += 5) {
      need(schedule, seconds, cause('db', String(seconds)));
      expect(dueAt(schedule, seconds)).toEqual([]);
    }
    expect(dueAt(schedule, 62)).toEqual(['api: db']);
  });

  it('is forgotten where the need ends by itself', () => {
    const schedule = createSchedule(PACE);
    need(schedule, 0, cause('db'));
    need(schedule, 5);
    expect(schedule.waiting).toBe(0);
    expect(schedule.next(at(5))).toBeUndefined();
  });

  it('is made once for a version, also while its pods are still old', () => {
    const schedule = createSchedule(PACE);
    need(schedule, 0, cause('db'));
    expect(dueAt(schedule, 12)).toEqual(['api: db']);
    need(schedule, 13, cause('db'));
    schedule.outcome('api', 'done', at(14));
    need(schedule, 15, cause('db'));
    expect(schedule.waiting).toBe(0);
  });

  it('is made again for what changes while it is made, after the cool-down', () => {
    const schedule = createSchedule(PACE);
    need(schedule, 0, cause('db'));
    schedule.due(at(12));
    need(schedule, 13, cause('db', '3'));
    schedule.outcome('api', 'done', at(14));
    expect(waitedFor(schedule, 14)).toBe(300);
  });

  it('cools down from a restart that another process made', () => {
    const schedule = createSchedule(PACE);
    schedule.found('api', { causes: [cause('db')], paused: false, reloadedAt: at(-100) }, at(0));
    expect(waitedFor(schedule, 0)).toBe(200);
  });

  it('waits while the workload is paused', () => {
    const schedule = createSchedule(PACE);
    schedule.found('api', { causes: [cause('db')], paused: true }, at(0));
    expect(dueAt(schedule, 1000)).toEqual([]);
    expect(schedule.next(at(1000))).toBeUndefined();
    schedule.found('api', { causes: [cause('db')], paused: false }, at(1001));
    expect(dueAt(schedule, 1001)).toEqual(['api: db']);
  });

  it('that failed is asked for again, later each time, as the same restart', () => {
    const schedule = createSchedule({ ...PACE, quiet: 0 });
    need(schedule, 0, cause('db'));
    const times: number[] = [];
    const ats = new Set<number>();
    for (let seconds = 0; seconds < 200; seconds += 1) {
      for (const restart of schedule.due(at(seconds))) {
        times.push(seconds);
        ats.add(restart.at);
        schedule.outcome('api', 'failed', at(seconds));
      }
    }
    expect(times).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    expect([...ats]).toEqual([at(0)]);
  });

  it('that was refused is not asked for so often', () => {
    const schedule = createSchedule({ ...PACE, quiet: 0 });
    need(schedule, 0, cause('db'));
    schedule.due(at(0));
    schedule.outcome('api', 'refused', at(0));
    expect(waitedFor(schedule, 0)).toBe(30);
  });

  it('of a workload that is gone is over', () => {
    const schedule = createSchedule({ ...PACE, quiet: 0 });
    need(schedule, 0, cause('db'));
    schedule.due(at(0));
    schedule.outcome('api', 'gone', at(0));
    expect(schedule.waiting).toBe(0);
    need(schedule, 1, cause('db'));
    schedule.forget('api');
    schedule.outcome('api', 'done', at(2));
    expect(schedule.waiting).toBe(0);
  });
});

describe('restarts of many workloads', () => {
  it('are bounded by the minute', () => {
    const schedule = createSchedule(PACE);
    for (let index = 0; index < 50; index += 1) {
      schedule.found(`w${index}`, { causes: [cause('db')], paused: false }, at(0));
    }
    const made: number[] = [];
    for (let seconds = 0; seconds < 200; seconds += 1) {
      for (const { key } of schedule.due(at(seconds))) {
        made.push(seconds);
        schedule.outcome(key, 'done', at(seconds));
      }
    }
    expect(made).toHaveLength(50);
    for (const first of made)
      expect(made.filter((one) => one >= first && one < first + 60).length).toBeLessThan(21);
    expect(made.at(-1)).toBeLessThan(140);
  });

  it('do not begin in one instant', () => {
    const schedule = createSchedule(PACE);
    const begun = new Set<number>();
    for (let index = 0; index < 20; index += 1) {
      schedule.found(`w${index}`, { causes: [cause('db')], paused: false }, at(0));
    }
    for (let time = at(10); time <= at(13); time += 100) if (schedule.due(time).length > 0) begun.add(time);
    expect(begun.size).toBeGreaterThan(5);
  });
});
