import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  growingTable,
  painter,
  printable,
  structured,
  symbols,
  table,
  tableFor,
  yaml,
} from '../../src/cli/print.ts';
import { parseManifests } from '../../src/kube/manifests.ts';

const columns = [
  { header: 'NAME', minimum: 26, cell: (row: readonly string[]) => row[0] ?? '' },
  { header: 'TYPE', minimum: 18, cell: (row: readonly string[]) => row[1] ?? '' },
  { header: 'SYNC STATUS', cell: (row: readonly string[]) => row[2] ?? '' },
];

describe('table', () => {
  it('has the widths of the decision record', () => {
    expect(table(columns, [['snowflake-credentials', 'InfisicalSecret', 'Synced']])).toBe(
      'NAME                      TYPE              SYNC STATUS\n' +
        'snowflake-credentials     InfisicalSecret   Synced\n',
    );
  });

  it('grows for long names, keeps two blanks between columns, and has no trailing blanks', () => {
    const long = 'a'.repeat(80);
    const [header, row, short] = table(columns, [
      [long, 'Opaque', ''],
      ['b', 'Opaque', 'Synced'],
    ]).split('\n');
    expect(row).toBe(`${long}  Opaque`);
    expect(header?.indexOf('TYPE')).toBe(82);
    expect(short?.indexOf('Opaque')).toBe(82);
  });

  it('fits a terminal by shortening what is widest, so that every column is seen', () => {
    const rows = [['sh.helm.release.v1.floe-secrets-webhook.v1', 'helm.sh/release.v1', 'Synced']];
    const at = (width: number, env = {}) =>
      tableFor({ stdout: { write: () => true, isTTY: true, columns: width }, env }, columns, rows);
    expect(at(60)).toBe(
      'NAME                         TYPE                SYNC STATUS\n' +
        'sh.helm.release.v1.floe-se…  helm.sh/release.v1  Synced\n',
    );
    expect(at(40)).toBe('NAME           TYPE          SYNC STATUS\nsh.helm.rele…  helm.sh/rel…  Synced\n');
    expect(at(40, { LANG: 'C' })).toContain('sh.helm.re...  helm.sh/r...  Synced\n');
    // Where there is no room for every column, whole lines that wrap say more than stumps.
    expect(at(26)).toBe(table(columns, rows));
    expect(at(200)).toBe(table(columns, rows));
    expect(tableFor({ stdout: { write: () => true }, env: {} }, columns, rows)).toBe(table(columns, rows));
  });

  it('goes on below itself, without the header and in no narrower columns', () => {
    const below = growingTable({ stdout: { write: () => true }, env: {} });
    expect(below(columns, [['a'.repeat(30), 'Opaque', 'Synced']])).toMatch(/^NAME +TYPE +SYNC STATUS\n/);
    expect(below(columns, [['b', 'Opaque', 'Pending']])).toBe(
      `b${' '.repeat(31)}Opaque            Pending\n`,
    );
  });

  it('lets no control character of a stranger reach the terminal', () => {
    expect(table(columns, [['a\u001B[31m\nb', 'c\u202Ed', '']])).toContain('a [31m b');
    expect(printable('\u009B1mx\u2066y')).toBe(' 1mx y');
  });
});

describe('JSON and YAML', () => {
  const hostile = 'a\u001B[31m\u009B1m\u202E\u2066\u061C\u2028\u0085\u0000b\tc\nd';
  const odd = { [hostile]: hostile, list: [hostile, { [hostile]: 1 }], plain: 'é ✓ 日本' };

  it('have escapes in the place of what a terminal obeys, and say the same', () => {
    for (const format of ['json', 'yaml'] as const) {
      const text = structured(format, odd);
      expect(text).not.toMatch(/(?![\n])[\p{Cc}\p{Zl}\u061C\u202A-\u202E\u2066-\u2069]/u);
      expect(text).toContain('é ✓ 日本');
      expect(format === 'json' ? JSON.parse(text) : parse(text, { version: '1.1' })).toEqual(odd);
    }
  });

  it('put quotes around what Kubernetes would read as something else', () => {
    const texts = [
      'yes',
      'y',
      'Off',
      'null',
      '~',
      '1e3',
      '0o17',
      '017',
      '08',
      '1_0',
      '.5',
      '0x1',
      '0b1',
      '+1',
      '- a',
      'a: b',
      '#c',
      '=',
      '',
      ' a',
      '@a',
      '2001-01-01',
      '12:30:45',
    ];
    const value = { texts, ...Object.fromEntries(texts.map((text) => [text, text])) };
    expect(parseManifests(yaml({ apiVersion: 'v1', kind: 'X', value }), 'f')[0]?.raw['value']).toEqual(value);
    expect(yaml(['0o17'])).toBe('- "0o17"\n');
  });
});

describe('painter', () => {
  it('colours a terminal, and neither a pipe nor where NO_COLOR is set', () => {
    const terminal = { write: () => true, isTTY: true };
    expect(painter(terminal, {})('red', 'x')).toBe('\u001B[31mx\u001B[39m');
    expect(painter(terminal, { NO_COLOR: '1' })('red', 'x')).toBe('x');
    expect(painter(terminal, { NO_COLOR: '' })('red', 'x')).not.toBe('x');
    expect(painter({ write: () => true }, {})('red', 'x')).toBe('x');
  });
});

describe('symbols', () => {
  it.each([
    [{}, '✓'],
    [{ LANG: 'en_US.UTF-8' }, '✓'],
    [{ LANG: 'de_DE.utf8' }, '✓'],
    [{ LANG: 'C' }, '+'],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' }, '+'],
    [{ LANG: 'C', LC_ALL: '' }, '+'],
  ])('%j', (env, good) => {
    expect(symbols(env).good).toBe(good);
  });
});

describe('yaml', () => {
  it('quotes what YAML 1.1 would read as something else, and makes no anchors', () => {
    const shared = { a: 'off' };
    expect(yaml({ x: shared, w: shared, z: 'y' })).toBe('x:\n  a: "off"\nw:\n  a: "off"\nz: "y"\n');
  });
});
