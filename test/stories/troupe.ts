/** Cases that share a process, a folder of manifests or a cluster: each gets names of its own there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from './manifest.ts';
import { render } from './rendering.ts';
import type { Stage } from './rendering.ts';
import { loadCases } from './telling.ts';
import type { Case } from './telling.ts';

export type SharedDoor = 'cli' | 'https' | 'live';

/** A case with the number that makes its names unique. */
export interface Numbered {
  readonly one: Case;
  readonly number: number;
  readonly title: string;
}

/** Cases of one configuration. */
export interface Troupe {
  /** For a test's title: '(defaults)' or the configuration as JSON. */
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly cases: readonly Numbered[];
}

/** The cases that can be told at this door, by configuration; the rest with the reason why not. */
export function troupesFor(door: SharedDoor): {
  readonly troupes: readonly Troupe[];
  readonly untold: readonly { readonly title: string; readonly reason: string }[];
} {
  const numbered = loadCases().map((one, index) => ({
    one,
    number: index + 1,
    title: `${one.file} ${index + 1}: ${one.title}`,
  }));
  const told = numbered.filter(({ one }) => reasonAgainst(one, door) === undefined);
  const untold = numbered.flatMap(({ one, title }) => {
    const reason = reasonAgainst(one, door);
    return reason === undefined ? [] : [{ title, reason }];
  });
  const groups = Map.groupBy(told, ({ one, number }) =>
    JSON.stringify(render(one.story.config, { now: new Date(0), number })),
  );
  const troupes = [...groups].map(([name, cases]) => ({
    name: name === '{}' ? 'the defaults' : name,
    config: JSON.parse(name) as Readonly<Record<string, unknown>>,
    cases,
  }));
  return { troupes, untold };
}

function reasonAgainst({ story, mutateSkipped }: Case, door: SharedDoor): string | undefined {
  const declared = story.doors[door];
  if (declared !== undefined) return declared;
  if (story.failing.length > 0) return 'a read that fails can only be told to the function';
  if (door === 'cli' && mutateSkipped) return 'the command line always makes both calls';
  return undefined;
}

export interface Folder {
  readonly path: string;
  remove(): void;
}

/** A folder with the worlds of all cases, for `--world`. */
export function worldFolder(cases: readonly Numbered[], now: Date): Folder {
  const path = mkdtempSync(join(tmpdir(), 'floe-stories-'));
  const items = cases.flatMap(({ one, number }) => render(one.objects, { now, number }));
  writeFileSync(join(path, 'world.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** What the case reviews, rendered. */
export function subjectOf({ one, number }: Numbered, now: Date): Manifest {
  return render(one.subject, stageOf({ number }, now));
}

export function stageOf({ number }: Pick<Numbered, 'number'>, now: Date): Stage {
  return { now, number };
}
