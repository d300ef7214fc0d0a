/** Which authorities a caBundle has while others replace theirs: never one less than a replica may still serve. */
import { expect, it } from 'vitest';
import { createBundleOverlap } from '../../src/cluster/bundle-overlap.ts';
import { makeAuthority } from '../../tools/certificates.ts';

const names = ['first', 'second', 'third'] as const;
const [first, second, third] = await Promise.all(
  names.map(async (name) => (await makeAuthority(name)).certPem),
);
const over = (await makeAuthority('over', -1)).certPem;
const HOUR = 3_600_000;
const pems = (...all: readonly (string | undefined)[]): string => all.join('');
/** The bundle's certificates, however their PEM is laid out. */
const inBundle = (bundle: string): readonly string[] =>
  bundle.split(/(?<=-----END CERTIFICATE-----\n?)/).flatMap((pem) => (pem.trim() === '' ? [] : [pem.trim()]));
const expected = (...all: readonly (string | undefined)[]) => all.map((pem) => pem?.trim());

function overlapping() {
  const clock = { now: Date.now() };
  return { clock, bundleOf: createBundleOverlap({ overlap: HOUR, now: () => clock.now }) };
}

it('is what was issued, to the letter, where nothing changes', () => {
  const { bundleOf } = overlapping();
  expect(bundleOf(pems(first), [pems(first), pems(first)])).toBe(first);
});

it('has the authority before for as long as the overlap lasts', () => {
  const { clock, bundleOf } = overlapping();
  bundleOf(pems(first), []);
  clock.now += 10 * HOUR;
  expect(inBundle(bundleOf(pems(second), []))).toEqual(expected(second, first));
  clock.now += HOUR - 1;
  expect(inBundle(bundleOf(pems(second), [pems(second, first)]))).toEqual(expected(second, first));
  clock.now += 1;
  expect(bundleOf(pems(second), [pems(second, first)])).toBe(second);
});

it('has all that came one after the other within it', () => {
  const { clock, bundleOf } = overlapping();
  bundleOf(pems(first), []);
  bundleOf(pems(second), []);
  clock.now += HOUR / 2;
  expect(inBundle(bundleOf(pems(third), []))).toEqual(expected(third, first, second));
  clock.now += HOUR;
  expect(bundleOf(pems(third), [])).toBe(third);
});

it('leaves in place what a new leader finds there, for replicas may serve it', () => {
  const { clock, bundleOf } = overlapping();
  expect(inBundle(bundleOf(pems(second), [pems(first), '', pems(second, first), 'garbage']))).toEqual(
    expected(second, first),
  );
  clock.now += HOUR;
  expect(bundleOf(pems(second), [pems(second, first)])).toBe(second);
});

it('takes out at once what came from elsewhere while it led, and what is over', () => {
  const { bundleOf } = overlapping();
  expect(bundleOf(pems(first), [over])).toBe(first);
  expect(bundleOf(pems(first), [pems(first, third)])).toBe(first);
});

it('is none where nothing was issued', () => {
  const { bundleOf } = overlapping();
  expect(bundleOf('', [pems(first)])).toBe('');
});
