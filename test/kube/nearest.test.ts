import { expect, it } from 'vitest';
import { nearest } from '../../src/kube/nearest.ts';

const KEYS = ['inject', 'injection', 'env', 'files', 'containers', 'require-keys', 'allowed-secrets'];

it.each([
  ['injects', 'inject'],
  ['Inject', 'inject'],
  ['contaners', 'containers'],
  ['requires-keys', 'require-keys'],
  ['allowed-secret', 'allowed-secrets'],
])('%s most likely means %s', (word, meant) => {
  expect(nearest(word, KEYS)).toBe(meant);
});

it.each(['something-else-entirely', 'x'.repeat(300_000)])('nothing is near to what is far off', (word) => {
  expect(nearest(word, KEYS)).toBeUndefined();
});

it('has nothing to say where there is nothing', () => {
  expect(nearest('inject', [])).toBeUndefined();
});
