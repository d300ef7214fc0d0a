/** The golden tables: what a cluster holds, and every row that `list` and `status` must show of it. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { manifestOf } from '../stories/given.ts';
import type { Manifest } from '../stories/manifest.ts';

const rowShape = z.strictObject({
  name: z.string(),
  type: z.string(),
  state: z.string(),
  project: z.string(),
  env: z.string(),
  lastSync: z.string(),
  /** How the row follows from what the operator does. */
  why: z.string().min(20),
});

const fileShape = z.strictObject({
  given: z.array(z.record(z.string(), z.unknown())),
  rows: z.array(rowShape),
  /** States in which a kind cannot be. */
  without: z.record(z.string(), z.array(z.string())).default({}),
});

export interface Golden extends Omit<z.output<typeof fileShape>, 'given'> {
  readonly plugin: string;
  readonly objects: readonly Manifest[];
}

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

export function loadGolden(): readonly Golden[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
  return files.sort().map((file) => {
    const { given, ...rest } = fileShape.parse(parse(readFileSync(FOLDER + file, 'utf8')));
    return { ...rest, plugin: file.replace('.yaml', ''), objects: given.map(manifestOf) };
  });
}

/** The cells of a table, without its header. */
export function cellsOf(table: string): readonly (readonly string[])[] {
  return table
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/));
}

export function listCells({ rows }: Golden): readonly (readonly string[])[] {
  return rows.map(({ name, type, state }) => [name, type, state]);
}

export function statusCells({ rows }: Golden): readonly (readonly string[])[] {
  return rows.map(({ name, project, env, lastSync }) => [name, project, env, lastSync]);
}
