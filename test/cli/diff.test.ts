import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../src/cli/diff.ts';

const diff = (before: string, after: string): string =>
  unifiedDiff(before, after, { before: 'a', after: 'b' });

/** Undoes nothing and trusts nothing: applies a unified diff line by line. */
function apply(before: string, patch: string): string {
  const source = before.split('\n');
  const result: string[] = [];
  let at = 0;
  for (const line of patch.split('\n').slice(2, -1)) {
    const header = /^@@ -(\d+),\d+ \+\d+,\d+ @@$/.exec(line);
    if (header !== null) {
      const start = Number(header[1]) - 1;
      result.push(...source.slice(at, start));
      at = start;
    } else if (line.startsWith('+')) {
      result.push(line.slice(1));
    } else {
      expect(line.slice(1)).toBe(source[at++]);
      if (line.startsWith(' ')) result.push(line.slice(1));
    }
  }
  return [...result, ...source.slice(at)].join('\n');
}

describe('unifiedDiff', () => {
  it('is empty for equal texts', () => {
    expect(diff('a\n', 'a\n')).toBe('');
  });

  it('shows a change with three lines around it', () => {
    expect(diff('a\nb\nc\nd\ne\nf\n', 'a\nb\nc\nd\nX\ne\nf\n')).toBe(
      '--- a\n+++ b\n@@ -2,5 +2,6 @@\n b\n c\n d\n+X\n e\n f\n',
    );
  });

  it('is right for texts that are too long for a table of all their lines', () => {
    const long = Array.from({ length: 60_000 }, (_, index) => `line ${index}`);
    const more = ['first', ...long.slice(0, 100), 'X', ...long.slice(100), 'last'];
    const other = ['first', ...long.slice(1).toReversed(), 'last'];
    for (const after of [more, other]) {
      const [one, two] = [`${long.join('\n')}\n`, `${after.join('\n')}\n`];
      expect(apply(one, diff(one, two))).toBe(two);
    }
    expect(diff(long.join('\n'), more.join('\n')).match(/^[-+](?![-+])/gm)).toEqual(['+', '+', '+']);
  });

  it('makes hunks that turn one text into the other', () => {
    const line = (index: number): string => `line ${index % 7}`;
    const before = Array.from({ length: 60 }, (_, index) => line(index)).join('\n');
    const edits = [
      before.replace('line 3\nline 4', 'line 3\nnew\nline 4'),
      before.replaceAll('line 5', 'changed'),
      `first\n${before}\nlast`,
      before.split('\n').slice(20, 40).join('\n'),
    ];
    for (const after of edits)
      expect(apply(`${before}\n`, diff(`${before}\n`, `${after}\n`))).toBe(`${after}\n`);
  });
});
