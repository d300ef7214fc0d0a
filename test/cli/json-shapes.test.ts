// The README's table of documents is what the commands write.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../sources.ts';

interface Document {
  readonly kind: string;
  readonly items: readonly object[];
  readonly summary: object;
}

const GOLDEN = join(ROOT, 'test/cli/golden');

/** Documents whose items are Kubernetes objects have no fields of their own. */
const OBJECTS = ['PolicyList', 'ExportList'];

test('every document has the fields that the README names', () => {
  const documents = readdirSync(GOLDEN)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(GOLDEN, name), 'utf8')) as Partial<Document>)
    .filter((one): one is Document => one.items !== undefined)
    .filter(({ kind }) => !OBJECTS.includes(kind));
  const written = documents.map(({ kind, items, summary }) =>
    [kind, Object.keys(items[0] ?? {}).join(', '), Object.keys(summary).join(', ')].join(': '),
  );
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| `(\w+List)` +\| `([^`]+)` +\| `([^`]+)` +\|$/gm)].map(
    ([, ...cells]) => cells.join(': '),
  );
  expect(rows.toSorted()).toEqual([...new Set(written)].toSorted());
});
