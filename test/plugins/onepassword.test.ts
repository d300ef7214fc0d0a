// Conditions as 1Password's operator writes them.
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import { onePasswordItem, onepassword } from '../../src/plugins/onepassword.ts';
import { HERE, secret } from '../review/setup.ts';
import { objectOf } from './objects.ts';
import { ALONE } from './view.ts';

const FLIPPED = '2026-11-22T03:47:40Z';

function health(status?: JsonObject): ReturnType<typeof onePasswordItem.health> {
  const spec = { itemPath: 'vaults/platform/items/db' };
  return onePasswordItem.health(objectOf(onePasswordItem, { spec, ...(status && { status }) }), ALONE);
}

describe('a OnePasswordItem', () => {
  it('targets the Secret of its own name', () => {
    expect(onePasswordItem.targets(objectOf(onePasswordItem, { name: 'db' }))).toEqual([
      { namespace: HERE, name: 'db' },
    ]);
  });

  it('is well while it is Ready, without a time that anybody could hold against it', () => {
    const ready = { type: 'Ready', status: 'True', lastTransitionTime: FLIPPED };
    expect(health({ conditions: [ready] })).toEqual({
      verdict: 'ok',
      generation: 'unreported',
      words: 'Ready=True',
      healthySince: Date.parse(FLIPPED),
      neverOld: false,
      everSynced: true,
    });
  });

  it('fails with its message: there is no reason', () => {
    const message = "failed to retrieve item: Failed to 'GetItem' for vaultName='platform'";
    const failed = health({ conditions: [{ type: 'Ready', status: 'False', message }] });
    expect(failed).toMatchObject({
      verdict: 'failing',
      words: `Ready=False (${message})`,
      everSynced: false,
    });
  });

  it('has no status where the operator met its rate limit first', () => {
    expect(health()).toMatchObject({ verdict: 'none', words: 'no status yet' });
  });

  it.each([
    ['vaults/platform/items/db', ['platform'], ['db']],
    ['vaults/platform/items/', ['platform'], []],
    ['vaults//items/db', [], ['db']],
    ['platform/db', [], []],
    ['vaults/platform/items/db/more', [], []],
    ['', [], []],
  ])('reads of %j the vault %j', (itemPath, projects, paths) => {
    const object = objectOf(onePasswordItem, { spec: { itemPath } });
    expect(onePasswordItem.scope(object, ALONE)).toEqual({ projects, environments: [], paths });
  });
});

describe("1Password's mark", () => {
  const owner = { apiVersion: 'onepassword.com/v1', kind: 'OnePasswordItem', name: 'db', uid: 'u' };

  it.each([
    ['the path', { annotations: { 'operator.1password.io/item-path': 'vaults/a/items/b' } }, true],
    ['the version', { annotations: { 'operator.1password.io/item-version': '3' } }, true],
    ['an owner, though it is no controller', { ownerReferences: [{ ...owner, controller: false }] }, true],
    ['what only tells a reloader', { annotations: { 'operator.1password.io/auto-restart': 'true' } }, false],
  ])('%s', (_case, marks, marked) => {
    expect(onepassword.marks({ ...secret('db'), ...marks })).toBe(marked);
  });
});
