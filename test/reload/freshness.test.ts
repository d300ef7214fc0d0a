import { describe, expect, it, test } from 'vitest';
import { parseVersions } from '../../src/contract/versions.ts';
import { isSameOrLater } from '../../src/kube/resource-version.ts';
import type { PodAge } from '../../src/reload/freshness.ts';
import { freshnessOf } from '../../src/reload/freshness.ts';
import type { Knowledge } from '../../src/reload/knowledge.ts';
import { knowledgeAfter } from '../../src/reload/knowledge.ts';
import { at, secret, write } from './setup.ts';

const FIRST = knowledgeAfter(
  undefined,
  { state: 'present', record: secret('10', write(-600)), data: 'first' },
  at(0),
)!;

function later(data: 'same' | 'different', record = secret('20', write(100)), from = FIRST): Knowledge {
  return knowledgeAfter(from, { state: 'present', record, data }, at(102))!;
}

describe('what is known of a Secret', () => {
  it('begins with what managedFields say', () => {
    expect(FIRST).toEqual({
      present: true,
      dataVersion: '10',
      createdAt: at(-600),
      writtenAt: at(-600),
      touchedAt: at(-600),
    });
    const [old] = [secret('5')];
    expect(knowledgeAfter(undefined, { state: 'present', record: old, data: 'first' }, at(0))).toMatchObject({
      writtenAt: at(-600),
    });
  });

  it('keeps the version of the data over writes of metadata', () => {
    expect(later('same', secret('20', write(-600), write(100, false)))).toEqual({
      ...FIRST,
      touchedAt: at(100),
    });
  });

  it('moves with the data', () => {
    expect(later('different')).toEqual({
      present: true,
      dataVersion: '20',
      createdAt: at(-600),
      writtenAt: at(100),
      touchedAt: at(100),
      changedAt: at(102),
    });
  });

  it('takes the time of the look for a change that left none, as the removal of a key', () => {
    expect(later('different', secret('20', write(-600)))).toMatchObject({ writtenAt: at(102) });
  });

  it('outlives the absence of the Secret', () => {
    const absent = knowledgeAfter(FIRST, { state: 'absent' }, at(50));
    expect(absent).toEqual({ ...FIRST, present: false });
    expect(later('different', undefined, absent)).toMatchObject({ present: true, dataVersion: '20' });
    expect(knowledgeAfter(undefined, { state: 'absent' }, at(50))).toBeUndefined();
  });
});

function podOf(created: number, more: Partial<PodAge> & { readonly versions?: string } = {}): PodAge {
  const { versions, ...rest } = more;
  const annotations = versions === undefined ? {} : { 'secrets.floe.dev/versions': versions };
  return { annotations, createdAt: at(created), started: true, ...rest };
}

describe('a pod', () => {
  const changed = later('different');
  const found = knowledgeAfter(
    undefined,
    { state: 'present', record: secret('20', write(100), write(200, false)), data: 'first' },
    at(300),
  )!;
  const removed = knowledgeAfter(
    undefined,
    { state: 'present', record: secret('20', write(-600)), data: 'first' },
    at(300),
  )!;
  test.each<[string, PodAge, Knowledge, string]>([
    ['older than a change that was seen', podOf(0), changed, 'older'],
    ['of the same second as the change', podOf(100), changed, 'older'],
    ['younger than the change', podOf(101), changed, 'current'],
    ['that was admitted with the changed data', podOf(100, { versions: 'db=20' }), changed, 'current'],
    ['that was admitted with a later version', podOf(100, { versions: 'a=1,db=21' }), changed, 'current'],
    ['that was admitted with an older version', podOf(0, { versions: 'db=10' }), changed, 'older'],
    ['that has not started', podOf(0, { started: false }), changed, 'current'],
    ['of a Secret that is gone', podOf(0), { ...changed, present: false }, 'current'],
    ['older than the data, seen by nobody', podOf(0), found, 'presumed'],
    ['older than a write of metadata alone', podOf(150), found, 'current'],
    ['older than metadata, by its version', podOf(150, { versions: 'db=15' }), found, 'current'],
    [
      'whose version moved while no write is late enough',
      podOf(0, { versions: 'db=10' }),
      removed,
      'presumed',
    ],
    ['that has waited for the Secret', podOf(-900, { startedAt: at(-600) }), removed, 'current'],
    ['that ran without the Secret', podOf(-900, { startedAt: at(-800) }), removed, 'presumed'],
    [
      'that knew an earlier Secret',
      podOf(-900, { startedAt: at(-600), versions: 'db=3' }),
      removed,
      'presumed',
    ],
    ['that began before a change', podOf(0, { startedAt: at(500) }), changed, 'older'],
    ['without a version, of data that is older', podOf(0), removed, 'current'],
  ])('%s', (_name, one, known, expected) => {
    expect(freshnessOf(one, 'db', known)).toBe(expected);
  });
});

it('versions are read leniently, and compared as numbers', () => {
  expect([...parseVersions('a=1, b-c.d=22,,x,=3,y=')]).toEqual([
    ['a', '1'],
    ['b-c.d', '22'],
  ]);
  expect(isSameOrLater('100', '99')).toBe(true);
  expect(isSameOrLater('99', '100')).toBe(false);
  expect(isSameOrLater('9007199254740993', '9007199254740992')).toBe(true);
  expect(isSameOrLater('abc', 'abc')).toBe(true);
  expect(isSameOrLater('abc', '1')).toBe(false);
});
