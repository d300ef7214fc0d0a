import { expect, it } from 'vitest';
import { derived } from '../../src/kube/derived.ts';

it('makes something of each object once, also where that is nothing', () => {
  const asked: object[] = [];
  const firstKey = derived((object: object) => {
    asked.push(object);
    return Object.keys(object)[0];
  });
  const [one, empty] = [{ a: 1 }, {}];
  expect([firstKey(one), firstKey(one), firstKey(empty), firstKey(empty)]).toEqual([
    'a',
    'a',
    undefined,
    undefined,
  ]);
  expect(asked).toEqual([one, empty]);
  expect(firstKey({ a: 1 })).toBe('a');
  expect(asked).toHaveLength(3);
});
