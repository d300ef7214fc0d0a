import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import { isChangedTo, isInPlace } from '../../src/migrate/in-place.ts';
import { mannerOf } from '../../src/migrate/manners.ts';

const object = (kind: string, name: string): JsonObject => ({ kind, metadata: { name } });

test.each<[boolean, JsonObject | undefined, JsonObject]>([
  [true, object('ExternalSecret', 'db'), object('ExternalSecret', 'db')],
  [false, object('ExternalSecret', 'db'), object('ExternalSecret', 'other')],
  [false, object('ExternalSecret', 'db'), object('InfisicalSecret', 'db')],
  [false, undefined, object('ExternalSecret', 'db')],
])('%s: a resource changes in its place', (wanted, from, to) => {
  expect(isInPlace({ to, ...(from === undefined ? {} : { from }) })).toBe(wanted);
});

describe('a resource is changed already', () => {
  const before = { spec: { store: { name: 'vault' }, dataFrom: [{ extract: { key: 'db' } }] } };
  const after = { spec: { store: { name: 'infisical' }, data: [{ key: 'A' }, { key: 'B' }] } };

  it.each<[string, JsonObject, boolean]>([
    ['as it was', before, false],
    ['as it is wanted', after, true],
    [
      'with what the API server adds',
      {
        spec: {
          refresh: '1h',
          store: { name: 'infisical', kind: 'X' },
          data: [{ key: 'A', s: 1 }, { key: 'B' }],
        },
      },
      true,
    ],
    ['with a key less', { spec: { store: { name: 'infisical' }, data: [{ key: 'A' }] } }, false],
    ['with what is to go still there', { spec: { ...after.spec, dataFrom: [] } }, false],
    ['without anything', {}, false],
  ])('%s', (_name, raw, wanted) => expect(isChangedTo(after, raw, before)).toBe(wanted));
});

describe('what only pushes', () => {
  const push = (kind: string, spec: JsonObject, type?: string, status?: string): JsonObject => ({
    apiVersion: kind === 'PushSecret' ? 'external-secrets.io/v1alpha1' : 'secrets.infisical.com/v1alpha1',
    kind,
    metadata: { name: 'out', namespace: 'jobs' },
    spec,
    ...(type === undefined ? {} : { status: { conditions: [{ type, status: status ?? '', reason: 'x' }] } }),
  });
  const verdict = (raw: JsonObject): string => {
    const { sync } = mannerOf(raw);
    return sync.health({ kind: sync.resource, raw }, { namespace: '', find: () => ({ state: 'unread' }) })
      .verdict;
  };

  it('is read the right way round', () => {
    expect(verdict(push('PushSecret', {}, 'Ready', 'True'))).toBe('ok');
    expect(verdict(push('PushSecret', {}, 'Ready', 'False'))).toBe('failing');
    expect(verdict(push('InfisicalPushSecret', {}, 'secrets.infisical.com/Reconcile', 'False'))).toBe('ok');
    expect(verdict(push('InfisicalPushSecret', {}, 'secrets.infisical.com/Reconcile', 'True'))).toBe(
      'failing',
    );
    expect(verdict(push('InfisicalPushSecret', {}))).toBe('none');
  });

  it('is released once it leaves upstream what it has pushed, and has nothing to rehearse', () => {
    for (const kind of ['PushSecret', 'InfisicalPushSecret']) {
      const raw = push(kind, { deletionPolicy: 'Delete', other: 1 });
      const manner = mannerOf(raw);
      expect([manner.isReleased(raw), manner.isReleased(manner.released(raw))]).toEqual([false, true]);
      expect(manner.released(raw)).toMatchObject({ spec: { other: 1 } });
      expect(manner.rehearsal).toBeUndefined();
    }
  });

  it('names the Secret that it reads', () => {
    const targets = (raw: JsonObject): unknown => {
      const { sync } = mannerOf(raw);
      return sync.targets({ kind: sync.resource, raw });
    };
    const db = [{ namespace: 'jobs', name: 'db' }];
    expect(targets(push('PushSecret', { selector: { secret: { name: 'db' } } }))).toEqual(db);
    expect(targets(push('InfisicalPushSecret', { push: { secret: { secretName: 'db' } } }))).toEqual(db);
  });
});
