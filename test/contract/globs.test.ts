import * as fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { matchesAny, matchesGlob, parseGlobs } from '../../src/contract/globs.ts';

test.each([
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'anything at all', true],
  ['db', 'db', true],
  ['db', 'db2', false],
  ['db', 'my-db', false],
  ['db-*', 'db-', true],
  ['db-*', 'db-user', true],
  ['*-credentials', 'snowflake-credentials', true],
  ['*-credentials', 'snowflake-credentials-old', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['a**b', 'ab', true],
  // Every other character is itself.
  ['a.b', 'axb', false],
  ['a?', 'ab', false],
  ['[ab]', 'a', false],
  ['DB', 'db', false],
])('%j matches %j: %s', (glob, name, matches) => {
  expect(matchesGlob(glob, name)).toBe(matches);
});

it('agrees with the expression that says the same', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 12 });
  fc.assert(
    fc.property(text, fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 }), (glob, name) => {
      const said = glob
        .split('*')
        .map(RegExp.escape ?? escape)
        .join('.*');
      expect(matchesGlob(glob, name)).toBe(new RegExp(`^${said}$`).test(name));
    }),
    { seed: 1, numRuns: 500 },
  );
});

it('is quick with stars that a backtracking matcher would drown in', () => {
  expect(matchesGlob(`${'a*'.repeat(40)}b`, 'a'.repeat(253))).toBe(false);
});

it('reads lists; an empty one allows nothing', () => {
  expect(parseGlobs(' db-*,\n polaris ,')).toEqual({ globs: ['db-*', 'polaris'] });
  expect(parseGlobs(' ')).toEqual({ globs: [] });
  expect(matchesAny([], 'db')).toBe(false);
  expect(matchesAny(['x', 'd*'], 'db')).toBe(true);
});

it.each(['a b', 'ok, a\tb', 'a\u0000b'])('%j cannot be read', (text) => {
  expect(parseGlobs(text).bad).toBeDefined();
});

function escape(text: string): string {
  return text.replaceAll('.', String.raw`\.`);
}
