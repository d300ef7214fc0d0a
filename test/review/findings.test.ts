import { describe, expect, it } from 'vitest';
import { REASONS } from '../../src/contract/reasons.ts';
import { cleanWords, draft, errorsFirst, findingOf, invalid } from '../../src/review/findings.ts';

describe('cleanWords', () => {
  it.each([
    ['a\nb\r\n\tc', 'a b c'],
    ['\u001b[31mred\u001b[0m', '[31mred [0m'],
    ['nul\u0000 del\u007f c1\u0085', 'nul del c1'],
    // An override would turn round what stands behind it in a terminal.
    ['safe \u202egnp.exe\u202c', 'safe gnp.exe'],
    ['\u2066isolated\u2069 \u200bzero \ufeffmark', 'isolated zero mark'],
    ['line\u2028paragraph\u2029end', 'line paragraph end'],
    ['  many   blanks  ', 'many blanks'],
    ['Grüße, 東京 🚀', 'Grüße, 東京 🚀'],
    ['', ''],
    ['\u0000\u202e', ''],
  ])('%j', (words, clean) => {
    expect(cleanWords(words)).toBe(clean);
  });

  it('cuts at 200 characters, never inside of one', () => {
    expect(cleanWords('x'.repeat(200))).toBe('x'.repeat(200));
    expect(cleanWords('x'.repeat(201))).toBe(`${'x'.repeat(199)}…`);
    for (let shift = 0; shift < 4; shift++) {
      const cut = cleanWords('x'.repeat(shift) + '🚀'.repeat(300));
      expect(cut.length).toBeLessThanOrEqual(200);
      expect(cut.isWellFormed()).toBe(true);
    }
    expect(cleanWords(`${'\n'.repeat(1_000_000)}x`).length).toBeLessThanOrEqual(200);
  });

  it('mends what is no text', () => {
    expect(cleanWords('half \ud83d').isWellFormed()).toBe(true);
  });
});

describe('findingOf', () => {
  const use = (container: string) => ({
    container,
    field: 'envFrom',
    words: `container '${container}' (envFrom)`,
  });

  it('says what, where and what next', () => {
    const finding = findingOf(
      draft('FLOE-E801', "Secret 'db' not found in namespace 'floe-jobs'", {
        secret: 'db',
        uses: [use('dbt')],
        suggestion: 'create it',
      }),
    );
    expect(finding).toEqual({
      code: 'FLOE-E801',
      severity: 'error',
      secret: 'db',
      container: 'dbt',
      field: 'envFrom',
      message:
        "FLOE-E801: Secret 'db' not found in namespace 'floe-jobs'. Used by container 'dbt' (envFrom). Suggestion: create it",
      suggestion: 'create it',
      summary: "FLOE-E801: Secret 'db' not found in namespace 'floe-jobs'",
    });
  });

  it('names each place once, and no more than three', () => {
    const message = (...names: string[]): string =>
      findingOf(draft('FLOE-E801', 'x', { uses: names.map(use) })).message;
    expect(message('a', 'a', 'a')).toBe("FLOE-E801: x. Used by container 'a' (envFrom).");
    expect(message('a', 'b', 'a', 'c', 'd', 'e')).toMatch(/'a'.*'b'.*'c' \(envFrom\) and 2 more\.$/);
  });

  it("writes a pod author's characters so that no terminal obeys them", () => {
    const finding = findingOf({
      ...invalid("entry 1 ('\u202eevil\u0007\n\u001b[2J')"),
      suggestion: 'a\u0000b',
    });
    expect(finding.message + finding.summary).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('has the severity of its code', () => {
    for (const [code, { severity }] of Object.entries(REASONS)) {
      expect(draft(code as keyof typeof REASONS, 'x').severity).toBe(severity);
    }
  });

  it('puts errors first and keeps the order else', () => {
    const drafts = [
      draft('FLOE-E812', 'a'),
      draft('FLOE-E801', 'b'),
      draft('FLOE-E813', 'c'),
      draft('FLOE-E802', 'd', { severity: 'warning' }),
      draft('FLOE-E805', 'e'),
    ];
    expect(errorsFirst(drafts).map(({ what }) => what)).toEqual(['b', 'e', 'a', 'c', 'd']);
  });
});
