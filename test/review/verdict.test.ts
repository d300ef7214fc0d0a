import { describe, expect, it, test } from 'vitest';
import type { Code } from '../../src/contract/reasons.ts';
import type { Draft } from '../../src/review/findings.ts';
import { draft } from '../../src/review/findings.ts';
import { sentence } from '../../src/review/verdict.ts';

const STRICT = { mode: 'strict', bare: true, dryRun: false } as const;

function drafts(count: number, words: (index: number) => string, code: Code = 'FLOE-E801'): readonly Draft[] {
  return Array.from({ length: count }, (_, index) => draft(code, words(index)));
}

describe('the refusal', () => {
  const missing = draft('FLOE-E801', 'x', { state: 'Missing' });
  const pending = draft('FLOE-E803', 'x', { state: 'Pending' });
  const unknown = draft('FLOE-E820', 'x', { state: 'Unknown' });
  const mistake = draft('FLOE-E805', 'x');
  const unknownKey = draft('FLOE-E805', 'x', { severity: 'warning' });

  // Of a bare pod, of a controller's, and in a dry run.
  test.each([
    ['Missing', [missing], [403, 403, 403]],
    ['Pending', [pending], [429, 403, 403]],
    ['Unknown', [unknown], [429, 403, 429]],
    ['Pending and Unknown', [pending, unknown], [429, 403, 403]],
    ['Pending and Missing', [pending, missing], [403, 403, 403]],
    ['a mistake', [mistake], [422, 422, 422]],
    ['a mistake among others', [missing, pending, mistake], [422, 422, 422]],
    ['an unknown key beside Missing', [missing, unknownKey], [403, 403, 403]],
    ['an unknown key beside Pending', [pending, unknownKey], [429, 403, 403]],
  ] as const)('%s', (_what, found, expected) => {
    const code = (more: object): number | undefined => sentence({ ...STRICT, ...more }, found).refusal?.code;
    expect([code({}), code({ bare: false }), code({ dryRun: true })]).toEqual(expected);
  });

  it('carries the reason that goes with its code, and a time to try again only with 429', () => {
    const refusal = (found: Draft): unknown => sentence(STRICT, [found]).refusal;
    expect(refusal(missing)).toEqual({ code: 403, reason: 'Forbidden', message: 'FLOE-E801: x.' });
    expect(refusal(mistake)).toEqual({ code: 422, reason: 'Invalid', message: 'FLOE-E805: x.' });
    expect(refusal(pending)).toEqual({
      code: 429,
      reason: 'TooManyRequests',
      message: 'FLOE-E803: x.',
      retryAfterSeconds: 1,
    });
  });

  it('is of strict alone', () => {
    for (const mode of ['audit', 'warn'] as const) {
      const said = sentence({ ...STRICT, mode }, [missing, mistake]);
      expect(said).toMatchObject({ allowed: true, findings: [{}, {}] });
      expect(said.refusal).toBeUndefined();
      expect(said.warnings.length).toBe(mode === 'audit' ? 0 : 2);
    }
    expect(sentence(STRICT, [unknownKey])).toMatchObject({ allowed: true, warnings: [expect.any(String)] });
    expect(sentence(STRICT, [])).toEqual({ allowed: true, findings: [], warnings: [] });
  });
});

describe('the message', () => {
  const message = (found: readonly Draft[]): string => sentence(STRICT, found).refusal?.message ?? '';
  const more = /… and (\d+) more \(kubectl floe-secrets explain\)$/;

  it('has errors first', () => {
    const found = [draft('FLOE-E812', 'careful'), draft('FLOE-E801', 'gone')];
    expect(message(found)).toBe('FLOE-E801: gone. FLOE-E812: careful.');
  });

  it.each([1, 2, 5, 9, 10, 11, 40, 100, 5000])('of %d findings fits, whole, and counts the rest', (count) => {
    for (const length of [1, 60, 107, 200, 500, 991, 1009, 1010, 1011, 1024, 3000]) {
      const text = message(drafts(count, (index) => `${index}`.padEnd(length, 'x')));
      expect(text.length).toBeLessThanOrEqual(1024);
      const rest = Number(more.exec(text)?.[1] ?? 0);
      expect(text.match(/FLOE-E801: /g)?.length).toBe(count - rest);
      // Only a single finding that is too long for any message is cut.
      if (length < 900) expect(text.replace(more, '')).not.toContain('…');
    }
  });

  it('is the same for the same findings', () => {
    const found = drafts(40, (index) => `secret-${index} is missing`);
    expect(message(found)).toBe(message(structuredClone(found)));
  });

  it('is never cut inside a character', () => {
    for (let shift = 0; shift < 4; shift++) {
      expect(message(drafts(3, () => 'x'.repeat(shift) + '🚀'.repeat(600))).isWellFormed()).toBe(true);
    }
  });
});

describe('the warnings', () => {
  const warnings = (found: readonly Draft[]): readonly string[] =>
    sentence({ ...STRICT, mode: 'warn' }, found).warnings;

  it('are whole where they fit 120 characters, else without the suggestion', () => {
    const short = draft('FLOE-E813', 'short', { suggestion: 'rename it' });
    const long = draft('FLOE-E813', 'l'.repeat(100), { suggestion: 'rename it' });
    expect(warnings([short])).toEqual(['FLOE-E813: short. Suggestion: rename it']);
    expect(warnings([long])).toEqual([`FLOE-E813: ${'l'.repeat(100)}`]);
  });

  it.each([0, 1, 15, 16, 17, 100, 5000])('of %d findings fit the limits of the API', (count) => {
    for (const length of [1, 109, 250, 1000]) {
      const said = warnings(drafts(count, (index) => `${index}`.padEnd(length, 'x'), 'FLOE-E813'));
      for (const line of said) expect(line.length).toBeLessThanOrEqual(256);
      expect(said.join('').length).toBeLessThanOrEqual(4096);
      const rest = Number(/^… and (\d+) more/.exec(said.at(-1) ?? '')?.[1] ?? 0);
      expect(rest === 0 ? said.length : said.length - 1 + rest).toBe(count);
    }
  });

  it('say nothing twice', () => {
    expect(warnings(drafts(3, () => 'the same', 'FLOE-E813'))).toEqual(['FLOE-E813: the same.']);
  });

  it('do not come with a refusal, whose message says it all', () => {
    expect(sentence(STRICT, [...drafts(1, () => 'x'), draft('FLOE-E813', 'y')]).warnings).toEqual([]);
  });
});
