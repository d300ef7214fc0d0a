/** A unified diff of two texts, as `diff -u` prints it. */

type Edit = ' ' | '-' | '+';

interface Line {
  readonly edit: Edit;
  readonly text: string;
}

interface Names {
  readonly before: string;
  readonly after: string;
}

const CONTEXT = 3;

/** Empty where both texts are equal. */
export function unifiedDiff(before: string, after: string, names: Names): string {
  if (before === after) return '';
  const lines = compare(linesOf(before), linesOf(after));
  return [`--- ${names.before}`, `+++ ${names.after}`, ...hunksOf(lines).flatMap(print)].join('\n') + '\n';
}

function linesOf(text: string): readonly string[] {
  return text.replace(/\n$/, '').split('\n');
}

/** Longest common subsequence; what both texts begin and end with is set aside, so the table stays small. */
function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail))
    tail++;
  return [
    ...before.slice(0, head).map(kept),
    ...compareMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(kept),
  ];
}

function kept(text: string): Line {
  return { edit: ' ', text };
}

/** Cells of the table that is made for a comparison. */
const MOST_CELLS = 16_000_000;

function compareMiddle(before: readonly string[], after: readonly string[]): readonly Line[] {
  if ((before.length + 1) * (after.length + 1) > MOST_CELLS) return compareGreedily(before, after);
  const common = commonLengths(before, after);
  const at = (row: number, column: number): number => common[row * (after.length + 1) + column] ?? 0;
  const lines: Line[] = [];
  let row = 0;
  let column = 0;
  while (row < before.length || column < after.length) {
    if (row < before.length && column < after.length && before[row] === after[column]) {
      lines.push(kept(before[row] ?? ''));
      row++;
      column++;
    } else if (
      column >= after.length ||
      (row < before.length && at(row + 1, column) >= at(row, column + 1))
    ) {
      lines.push({ edit: '-', text: before[row++] ?? '' });
    } else {
      lines.push({ edit: '+', text: after[column++] ?? '' });
    }
  }
  return lines;
}

/** Without a table, of texts that are long: good where lines were only added, and right in any case. */
function compareGreedily(before: readonly string[], after: readonly string[]): readonly Line[] {
  let row = 0;
  const lines = after.map((text): Line => {
    if (text !== before[row]) return { edit: '+', text };
    row++;
    return kept(text);
  });
  if (row === before.length) return lines;
  const removed = before.map((text): Line => ({ edit: '-', text }));
  return [...removed, ...after.map((text): Line => ({ edit: '+', text }))];
}

/** For every pair of positions, how many lines the rests have in common: a table, row by row. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      const down = lengths[(row + 1) * width + column] ?? 0;
      const right = lengths[row * width + column + 1] ?? 0;
      const diagonal = lengths[(row + 1) * width + column + 1] ?? 0;
      lengths[row * width + column] = before[row] === after[column] ? diagonal + 1 : Math.max(down, right);
    }
  }
  return lengths;
}

interface Hunk {
  /** Line numbers of the first line, from 1, in both texts. */
  readonly before: number;
  readonly after: number;
  readonly lines: readonly Line[];
}

function hunksOf(lines: readonly Line[]): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let start = 0;
  while (start < lines.length) {
    const first = lines.findIndex((line, index) => index >= start && line.edit !== ' ');
    if (first === -1) break;
    const from = Math.max(start, first - CONTEXT);
    const to = endOf(lines, first);
    hunks.push({
      before: 1 + lines.slice(0, from).filter((line) => line.edit !== '+').length,
      after: 1 + lines.slice(0, from).filter((line) => line.edit !== '-').length,
      lines: lines.slice(from, to),
    });
    start = to;
  }
  return hunks;
}

/** Where a hunk ends: three unchanged lines after its last change that has no other close by. */
function endOf(lines: readonly Line[], first: number): number {
  let last = first;
  for (let index = first; index < lines.length && index <= last + 2 * CONTEXT; index++) {
    if (lines[index]?.edit !== ' ') last = index;
  }
  return Math.min(lines.length, last + 1 + CONTEXT);
}

function print(hunk: Hunk): readonly string[] {
  const count = (other: Edit): number => hunk.lines.filter((line) => line.edit !== other).length;
  return [
    `@@ -${hunk.before},${count('+')} +${hunk.after},${count('-')} @@`,
    ...hunk.lines.map((line) => line.edit + line.text),
  ];
}
