import { expect, test } from 'vitest';
import { isDnsLabel, isDnsSubdomain, isSecretKey, isVariableName } from '../../src/kube/names.ts';

// From the API server's own tables (apimachinery pkg/util/validation/validation_test.go).
const GOOD_SUBDOMAINS = [
  'a',
  'ab',
  'abc',
  'a1',
  'a-1',
  'a--1--2--b',
  '0',
  '0.a',
  'a.a',
  'a.b.c.d.e',
  '1.2.3',
  'aa.b-b.c',
  'x'.repeat(253),
];
const BAD_SUBDOMAINS = [
  '',
  'A',
  'ABC',
  'aBc',
  'A1',
  '-',
  'a-',
  '-a',
  '_',
  'a_',
  '_a',
  'a_b',
  '.',
  'a.',
  '.a',
  'a..b',
  'a.-b',
  'a-.b',
  ' ',
  'a ',
  ' a',
  'a b',
  'a\n',
  'ä',
  'a/b',
  '..',
  'x'.repeat(254),
];

test.each(GOOD_SUBDOMAINS)('%s is a subdomain', (name) => expect(isDnsSubdomain(name)).toBe(true));
test.each(BAD_SUBDOMAINS)('%j is no subdomain', (name) => expect(isDnsSubdomain(name)).toBe(false));

test('a label is a short subdomain without dots', () => {
  expect(['a', '0', 'a-b', 'x'.repeat(63)].every(isDnsLabel)).toBe(true);
  expect(['', 'a.b', 'x'.repeat(64), 'A', '-a', 'a-', 'a\n'].some(isDnsLabel)).toBe(false);
});

test('a key is what a ConfigMap takes as one', () => {
  expect(['a', 'A', '.a', 'a.b', '_', '-', '0', 'tls.crt', 'k'.repeat(253)].every(isSecretKey)).toBe(true);
  expect(['', '.', '..', '..a', '...', 'a/b', 'a b', 'a\n', 'k'.repeat(254), 'ä'].some(isSecretKey)).toBe(
    false,
  );
});

test('a variable is what a shell can read', () => {
  expect(['a', '_', 'A1', '_1'].every(isVariableName)).toBe(true);
  expect(['', '1', 'A-B', 'A.B', 'A B', 'A\n', 'Ä'].some(isVariableName)).toBe(false);
});
