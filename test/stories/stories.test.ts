/** The stories as a whole: that they cover the contract, and that a door that says anything else is noticed. */
import { describe, expect, test } from 'vitest';
import { KEYS } from '../../src/contract/keys.ts';
import { REASONS } from '../../src/contract/reasons.ts';
import { PLUGINS } from '../../src/plugins/index.ts';
import { lostParts } from './invariants.ts';
import { differences } from './judge.ts';
import { asShort, textOf } from './manifest.ts';
import { render } from './rendering.ts';
import type { Expected } from './story.ts';
import { loadCases } from './telling.ts';
import type { Case } from './telling.ts';
import { troupesFor } from './troupe.ts';

const cases = loadCases();
const NOTHING: Expected = { maybe: [], message: [], lacks: [], audit: {} };
/** Keys that other parts of the program read: no review does. */
const NOT_REVIEWED = [
  'auto-reload',
  'controllers',
  'reload-polling',
  'restartedAt',
  'retry',
  'sync-requested',
];

function expectedCodes({ mutate, validate, verdict }: Case): readonly string[] {
  const findings = [mutate, validate, verdict].flatMap((expected) => expected?.findings ?? []);
  return findings.map((finding) => finding.code);
}

describe('the stories cover the contract', () => {
  const rows = new Set(cases.map(({ story }) => story.row));
  test.each(Array.from({ length: 15 }, (_, index) => index + 1))('row %i of the table of states', (row) => {
    expect(rows).toContain(row);
  });

  const codes = new Set(cases.flatMap(expectedCodes));
  test.each(Object.keys(REASONS))('%s', (code) => {
    expect(codes).toContain(code.replace('FLOE-', ''));
  });

  const texts = JSON.stringify(cases.map(({ objects, subject }) => ({ objects, subject })));
  const keys = Object.values(KEYS).filter((key) => !NOT_REVIEWED.includes(key.replace(/^.*\//, '')));
  test.each(keys)('%s', (key) => {
    expect(texts).toContain(`"${key}"`);
  });

  // README's table of plugins, cell by cell: each name in a chain, each kind as a Secret's claimant.
  const satisfied = cases.filter(
    ({ story, verdict, mutate }) =>
      verdict?.code === undefined &&
      mutate?.code === undefined &&
      asShort(story.namespace)['plugin'] !== undefined,
  );
  const chains = satisfied.map(({ story }) => textOf(asShort(story.namespace)['plugin']).split(/, */));
  test.each(PLUGINS.flatMap(({ id, aliases }) => [id, ...aliases]))(
    'the plugin %s accepts a Secret',
    (name) => {
      expect(chains.some((chain) => chain.includes(name))).toBe(true);
    },
  );

  const claims = PLUGINS.flatMap(({ id, kinds }) => kinds.map((kind) => [kind.resource.kind, id] as const));
  test.each(claims)('%s claims a Secret for %s', (kind, id) => {
    const told = satisfied.filter(({ objects, story }) => {
      const chain = textOf(asShort(story.namespace)['plugin']).split(/, */);
      return chain.includes(id) && objects.some((object) => object['kind'] === kind);
    });
    expect(told).not.toEqual([]);
  });

  test.each(['cli', 'https', 'live'] as const)('most are told at the door %s', (door) => {
    const told = troupesFor(door).troupes.reduce((sum, troupe) => sum + troupe.cases.length, 0);
    expect(told / cases.length).toBeGreaterThan(0.85);
  });
});

test('a story expects the codes that it is about', () => {
  const missing = cases.filter((one) => one.story.codes.some((code) => !expectedCodes(one).includes(code)));
  expect(missing.map((one) => one.title)).toEqual([]);
});

describe('the judge notices', () => {
  const refused = {
    allowed: false,
    code: 403,
    reason: 'Forbidden',
    message: "FLOE-E801: Secret 'db'",
    warnings: [],
    findings: [{ code: 'FLOE-E801', severity: 'error', secret: 'db', message: "FLOE-E801: Secret 'db'" }],
  };
  test.each<[string, Partial<Expected>]>([
    ['a refusal', {}],
    ['another status', { code: 429 }],
    ['another code', { code: 403, findings: [{ code: 'E803' }] }],
    ['another Secret', { code: 403, findings: [{ code: 'E801', secret: 'other' }] }],
    ['a finding too many', { code: 403, findings: [] }],
    ['a finding too few', { code: 403, findings: [{ code: 'E801' }, { code: 'E801' }] }],
    ['missing words', { code: 403, message: ['kubectl'] }],
    ['an expression that does not match', { code: 403, message: ['/^FLOE-E802/'] }],
    ['a missing warning', { code: 403, warnings: ['late'] }],
    ['words that must not be', { code: 403, lacks: ["'db'"] }],
  ])('%s', (_what, expected) => {
    expect(differences(refused, { ...NOTHING, ...expected })).not.toEqual([]);
    expect(
      differences(refused, { ...NOTHING, code: 403, findings: [{ code: 'E801', secret: 'db' }] }),
    ).toEqual([]);
  });

  test.each([
    ['a container too many', { spec: { containers: [{ name: 'dbt' }, { name: 'x' }] } }],
    ['another value', { spec: { containers: [{ name: 'report' }] } }],
    ['nothing', {}],
  ])('a pod with %s', (_what, pod) => {
    expect(
      differences({ allowed: true, pod }, { ...NOTHING, pod: { containers: [{ name: 'dbt' }] } }),
    ).not.toEqual([]);
  });

  test('codes that a door shows without findings', () => {
    const answer = { allowed: true, warnings: ['FLOE-E806: old'] };
    expect(differences(answer, { ...NOTHING, findings: [] })).not.toEqual([]);
    expect(differences(answer, { ...NOTHING, findings: [{ code: 'E801' }] })).not.toEqual([]);
    expect(differences(answer, { ...NOTHING, findings: [{ code: 'E806' }] })).toEqual([]);
  });

  test('what a patch lost', () => {
    const before = { env: [{ name: 'A' }], labels: { a: 'b' } };
    expect(lostParts(before, { env: [{ name: 'A' }, { name: 'B' }], labels: { a: 'b', c: 'd' } })).toEqual(
      [],
    );
    expect(lostParts(before, { env: [{ name: 'B' }, { name: 'A' }], labels: { a: 'b' } })).not.toEqual([]);
    expect(lostParts(before, { env: [{ name: 'A' }] })).not.toEqual([]);
  });
});

test('times, names and repetitions of a story become values', () => {
  const stage = { now: new Date('2026-11-22T12:00:00Z'), number: 7 };
  const words = {
    a: 'now-5m',
    b: 'now',
    c: 'floe-jobs-other/db',
    d: '{{x*3}}',
    e: 'uid:Job/x',
    'floe-jobs': 1,
  };
  expect(render(words, stage)).toEqual({
    a: '2026-11-22T11:55:00Z',
    b: '2026-11-22T12:00:00Z',
    c: 'floe-jobs-7-other/db',
    d: 'xxx',
    e: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/),
    'floe-jobs-7': 1,
  });
});
