/** How each kind is made to sync now: a way or a reason for all of them, and specs that end as they began. */
import { applyPatch } from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';
import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { PLUGINS } from '../../src/plugins/index.ts';
import { messageOf, resyncOf } from '../../src/plugins/resync.ts';

function object(kind: string, spec: JsonObject, status: JsonObject = {}): KubeObject {
  const resource = { group: 'g', version: 'v1', kind, plural: `${kind}s`, namespaced: true };
  return { kind: resource, raw: { metadata: { name: 'x', namespace: 'n' }, spec, status } };
}

test('every kind that a plugin watches has a way, or a reason why there is none', () => {
  const kinds = PLUGINS.flatMap((plugin) => plugin.kinds.map(({ resource }) => resource.kind));
  expect(kinds.filter((kind) => resyncOf(kind) === undefined)).toEqual([]);
  expect(resyncOf('toString')).toBeUndefined();
});

describe('an interval written otherwise', () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['minutes', { syncConfig: { resyncInterval: '5m' } }, { syncConfig: { resyncInterval: '300s' } }],
    ['weeks', { syncConfig: { resyncInterval: '1w' } }, { syncConfig: { resyncInterval: '7d' } }],
    ['seconds', { syncConfig: { resyncInterval: '60s' } }, { syncConfig: { resyncInterval: '61s' } }],
    ['nonsense', { syncConfig: { resyncInterval: 'soon' } }, { syncConfig: { resyncInterval: '60s' } }],
    ['the older field', { resyncInterval: 60 }, { resyncInterval: 61 }],
    ['none', {}, { syncConfig: { resyncInterval: '5m' } }],
    [
      'none beside others',
      { syncConfig: { instantUpdates: true } },
      { syncConfig: { instantUpdates: true, resyncInterval: '1h' } },
    ],
  ])('of %s', (_what, spec, other) => {
    expectThereAndBack('InfisicalSecret', spec, other);
  });

  it.each<[JsonObject, JsonObject]>([
    [{ refreshAfter: '1h' }, { refreshAfter: '60m' }],
    [{ refreshAfter: '1.5m' }, { refreshAfter: '60s' }],
    [{}, { refreshAfter: '60s' }],
  ])('of a VaultStaticSecret with %o', (spec, other) => {
    expectThereAndBack('VaultStaticSecret', spec, other);
  });

  it('is not put back over what somebody else wrote meanwhile', () => {
    const nudge = resyncOf('InfisicalSecret')?.nudge(object('InfisicalSecret', { resyncInterval: 60 }));
    if (nudge?.how !== 'spec') throw new Error('no spec is written');
    expect(() => patched({ resyncInterval: 300 }, nudge.back)).toThrow();
  });
});

test.each([
  ['InfisicalStaticSecret', {}, 'secrets.floe.dev/sync-requested'],
  ['ExternalSecret', {}, 'force-sync'],
])('%s hears of an annotation', (kind, spec, key) => {
  expect(resyncOf(kind)?.nudge(object(kind, spec))).toEqual({ how: 'annotation', key });
});

test.each([
  ['ExternalSecret', { refreshPolicy: 'CreatedOnce' }, 'CreatedOnce'],
  ['DopplerSecret', {}, 'resyncSeconds'],
  ['VaultDynamicSecret', {}, 'lease'],
  ['SealedSecret', {}, 'each write'],
])('%s with %o says why there is no way', (kind, spec, words) => {
  expect(resyncOf(kind)?.nudge(object(kind, spec))).toEqual({
    how: 'none',
    why: expect.stringContaining(words),
  });
});

describe('what a pass leaves', () => {
  const conditions = (type: string, message: string): JsonObject => ({
    conditions: [
      { type: 'Other', status: 'True', message: 'x' },
      { type, status: 'True', reason: 'OK', message },
    ],
  });
  it.each([
    ['InfisicalSecret', conditions('secrets.infisical.com/ReadyToSyncSecrets', 'a')],
    ['InfisicalStaticSecret', conditions('secrets.infisical.com/LastSuccessfulReconcileAt', 'a')],
    ['ExternalSecret', { ...conditions('Ready', 'a'), refreshTime: 'a' }],
    ['VaultStaticSecret', { lastGeneration: 1 }],
  ])('on %s is seen', (kind, status) => {
    const evidence = (changed: JsonObject): unknown => resyncOf(kind)?.evidence(object(kind, {}, changed));
    const later = JSON.parse(
      JSON.stringify(status).replaceAll('"a"', '"b"').replace(':1', ':2'),
    ) as JsonObject;
    expect(evidence(status)).toBe(evidence(status));
    expect(evidence(status)).not.toBe(evidence(later));
  });

  it('is marked where it stands', () => {
    const raw = { status: conditions('Ready', 'words') };
    expect(messageOf(raw, 'Ready')).toEqual({ index: 1, message: 'words' });
    expect(messageOf(raw, 'Nope')).toBeUndefined();
    expect(messageOf({}, 'Ready')).toBeUndefined();
  });
});

function expectThereAndBack(kind: string, spec: JsonObject, other: JsonObject): void {
  const nudge = resyncOf(kind)?.nudge(object(kind, spec));
  if (nudge?.how !== 'spec') throw new Error('no spec is written');
  const changed = patched(spec, nudge.change);
  expect(changed).toEqual(other);
  expect(patched(changed, nudge.back)).toEqual(spec);
}

function patched(spec: JsonObject, patch: readonly unknown[]): JsonObject {
  const result = applyPatch({ spec: structuredClone(spec) }, patch as Operation[], true);
  return result.newDocument.spec;
}
