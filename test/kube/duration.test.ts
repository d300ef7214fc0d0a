import { expect, test } from 'vitest';
import { formatAge, formatDuration, parseDuration } from '../../src/kube/duration.ts';

test.each([
  ['500ms', 500],
  ['90s', 90_000],
  ['15m', 900_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['2d', 172_800_000],
  ['1w', 604_800_000],
  ['0s', 0],
  ['87600h', 315_360_000_000],
  ['5m5ms', 300_005],
])('parseDuration(%s)', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([
  '',
  ' ',
  '5',
  's',
  '-5m',
  '+5m',
  '5 m',
  '5m ',
  '1h30',
  '5M',
  '1e3s',
  '.5h',
  '5y',
  '1h,2m',
  '٥m',
  '9'.repeat(70) + 's',
])('parseDuration(%j) is none', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([
  [0, '0s'],
  [-5000, '0s'],
  [59_400, '59s'],
  [60_000, '1m'],
  [90_000, '1m30s'],
  [3_599_600, '1h'],
  [5_400_000, '1h30m'],
  [86_400_000, '1d'],
  [180_000_000, '2d2h'],
])('formatDuration(%d) is %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

test.each([
  [-1, '0s'],
  [59_999, '59s'],
  [120_000, '2m'],
  [7_199_000, '1h'],
  [86_400_000 * 12, '12d'],
])('formatAge(%d) is %s', (milliseconds, text) => {
  expect(formatAge(milliseconds)).toBe(text);
});

test('what is formatted can be read again', () => {
  for (const milliseconds of [1000, 61_000, 3_600_000, 5_460_000, 90_000_000]) {
    expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
  }
});
