/** How results look: tables, JSON, YAML, colours and symbols. */
import { styleText } from 'node:util';
import { Document, Scalar, visit } from 'yaml';
import type { Tags } from 'yaml';
import { OCTAL } from '../kube/yaml-tags.ts';
import { isRaw, printable, withEscapes } from './printable.ts';
import type { Output, Terminal } from './terminal.ts';

export interface Column<Row> {
  readonly header: string;
  /** From the column's beginning to the next one's, the gap included. */
  readonly minimum?: number;
  cell(row: Row): string;
}

const GAP = 2;

/** The gap included. Narrower columns tell nothing: the terminal rather wraps the whole lines then. */
const NARROWEST_COLUMN = 10;

/** Upper-case header and rows, columns at least two blanks apart, no trailing blanks, never cut. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = cellsOf(columns, rows);
  return written(cells, widthsOf(cells, columns));
}

/** The table as it fits a terminal: the widest columns lose what does not fit. Into a pipe it is never cut. */
export function tableFor<Row>(
  terminal: Pick<Terminal, 'stdout' | 'env'>,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): string {
  return growingTable(terminal)(columns, rows);
}

/** Prints rows below those of an earlier call: without the header again, and in columns that are no narrower. */
export function growingTable({ stdout, env }: Pick<Terminal, 'stdout' | 'env'>) {
  const ellipsis = symbols(env).isAscii ? '...' : '…';
  let before: readonly number[] | undefined;
  return <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string => {
    const cells = cellsOf(columns, rows);
    const widths = widthsOf(cells, columns, before);
    const shown = before === undefined ? cells : cells.slice(1);
    before = widths;
    const room = stdout.isTTY === true ? stdout.columns : undefined;
    if (room === undefined || total(widths) <= room) return written(shown, widths);
    const fitted = narrowed(widthsOf(cells, []), room);
    if (fitted === undefined) return written(shown, widths);
    return written(
      shown.map((line) => line.map((cell, index) => clipped(cell, (fitted[index] ?? 0) - GAP, ellipsis))),
      fitted,
    );
  };
}

type Cells = readonly (readonly string[])[];

function cellsOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Cells {
  return [
    columns.map((column) => column.header),
    ...rows.map((row) => columns.map((column) => printable(column.cell(row)))),
  ];
}

/** From each column's beginning to the next one's. */
function widthsOf(
  cells: Cells,
  columns: readonly Pick<Column<never>, 'minimum'>[],
  before: readonly number[] = [],
): readonly number[] {
  return (cells[0] ?? []).map((_, index) =>
    cells.reduce(
      (width, line) => Math.max(width, lengthOf(line[index]) + GAP),
      Math.max(columns[index]?.minimum ?? 0, before[index] ?? 0),
    ),
  );
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, -GAP);
}

/**
 * The widest gives way first: a name that is long does not push the last column out of sight. Undefined where there is
 * no room for all columns.
 */
function narrowed(widths: readonly number[], room: number): readonly number[] | undefined {
  const narrow = [...widths];
  for (let excess = total(narrow) - room; excess > 0; excess -= 1) {
    const widest = Math.max(...narrow);
    if (widest <= NARROWEST_COLUMN) return undefined;
    narrow[narrow.lastIndexOf(widest)] = widest - 1;
  }
  return narrow;
}

function clipped(cell: string, width: number, ellipsis: string): string {
  return lengthOf(cell) > width ? cut(cell, width - ellipsis.length) + ellipsis : cell;
}

function written(cells: Cells, widths: readonly number[]): string {
  return cells.map((line) => `${joined(line, widths)}\n`).join('');
}

function cut(line: string, length: number): string {
  return Array.from(line).slice(0, length).join('').trimEnd();
}

function joined(line: readonly string[], widths: readonly number[]): string {
  return line
    .map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - lengthOf(cell)))
    .join('')
    .trimEnd();
}

function lengthOf(cell = ''): number {
  return Array.from(cell).length;
}

/** JSON as people and scripts read it: two blanks, a final newline. */
function json(value: unknown): string {
  return `${withEscapes(JSON.stringify(value, undefined, 2))}\n`;
}

/** The same as YAML: lines are not folded and nothing becomes an anchor. */
export function yaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false, version: '1.1', customTags });
  visit(document, {
    Scalar(_key, node) {
      // Only between double quotes YAML has escapes.
      if (typeof node.value === 'string' && isRaw(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return withEscapes(document.toString({ lineWidth: 0 }));
}

/** What Kubernetes' reader takes for a number is put in quotes. */
function customTags(tags: Tags): Tags {
  return [...tags, OCTAL];
}

export type Format = 'text' | 'json' | 'yaml';

/** One result in one of the formats that scripts read. */
export function structured(format: 'json' | 'yaml', value: unknown): string {
  return format === 'json' ? json(value) : yaml(value);
}

/** What a command found, in the contract's form. */
export function listDocument(kind: string, items: readonly object[], summary: object): object {
  return { apiVersion: 'secrets.floe.dev/v1alpha1', kind, items, summary };
}

export { printable };

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim';
export type Paint = (colour: Colour, text: string) => string;

/** Colours on a terminal that has not refused them; plain text into pipes and files. */
export function painter(output: Output, env: Terminal['env']): Paint {
  const wanted = output.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  // validateStream would look at the process's own environment; the decision was made above.
  return (colour, text) => (wanted ? styleText(colour, text, { validateStream: false }) : text);
}

export interface Symbols {
  readonly good: string;
  readonly bad: string;
  readonly warning: string;
  /** Where the terminal cannot show more. */
  readonly isAscii: boolean;
}

/** ✓ and ✗, or ASCII where the locale says that it is not UTF-8. */
export function symbols(env: Terminal['env']): Symbols {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  );
  if (locale !== undefined && !/utf-?8/i.test(locale))
    return { good: '+', bad: 'x', warning: '!', isAscii: true };
  return { good: '✓', bad: '✗', warning: '!', isAscii: false };
}

/** '1 error', '2 errors'. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
