/** Plans and results of a migration: what people review, and what scripts read. */
import type { Conversion, Copy } from '../migrate/conversion.ts';
import { isConvertible } from '../migrate/conversion.ts';
import { counted, listDocument, printable, yaml } from './print.ts';

/** `done`: by a run before this one, which can be taken back. `underWay`: a run before this one has begun it. */
export type MigrationState =
  'planned' | 'blocked' | 'underWay' | 'done' | 'migrated' | 'rolledBack' | 'finished' | 'stopped';

export interface Migration {
  readonly conversion: Conversion;
  readonly state: MigrationState;
  /** What was done to it, in the order in which it was. */
  readonly steps: readonly string[];
  /** Why it stopped. */
  readonly reason?: string;
  /** Whether everything is as it was before. */
  readonly undone?: boolean;
  /** Of one that stopped; default that of any failure. */
  readonly exitCode?: number;
}

/**
 * The plan as YAML that kubectl takes: what is to be made, and in comments everything else, what cannot be migrated
 * first. `counts`: '3 ExternalSecrets'.
 */
export function planText(migrations: readonly Migration[], counts: string): string {
  const of = (...states: readonly MigrationState[]): readonly Migration[] =>
    migrations.filter(({ state }) => states.includes(state));
  const [blocked, planned, begun] = [of('blocked'), of('planned'), of('underWay')];
  const done = of('done');
  const head = [
    `${counts}: ${planned.length} can be migrated, ${blocked.length} cannot`,
    ...(begun.length === 0 ? [] : [`${begun.length} under way`]),
    ...(done.length === 0 ? [] : [`${done.length} done`]),
  ].join(', ');
  const sections = [
    comment(head),
    ...section('Cannot be migrated as it is:', blocked, obstacleLines),
    ...section('Under way; --apply goes on, --rollback goes back:', begun, () => []),
    ...section('Done; --rollback goes back, --finish forgets the way back:', done, () => []),
    ...(planned.length === 0
      ? []
      : [`#\n${comment('Can be migrated; --apply does it, one after the other:')}`]),
  ];
  const needs = new Map(
    planned.map(({ conversion }) => [JSON.stringify(conversion.needs), conversion.needs]),
  );
  const shared = [...needs.values()].filter((one) => one !== undefined).map((one) => yaml(one));
  return [sections.join(''), ...shared, ...planned.map(document)].join('---\n');
}

function section(
  title: string,
  migrations: readonly Migration[],
  lines: (conversion: Conversion) => readonly string[],
): readonly string[] {
  if (migrations.length === 0) return [];
  const body = migrations.flatMap(({ conversion }) => [
    comment(`  ${titleOf(conversion)}`),
    ...lines(conversion).map((line) => comment(`    ${line}`)),
  ]);
  return [`#\n${comment(title)}`, ...body];
}

/** "ExternalSecret floe-jobs/db (vault/team), Secret 'credentials'". */
export function titleOf({ kind, namespace, name, secret, source }: Conversion): string {
  const from = source === '' || source === '-' ? '' : ` (${source})`;
  const where = namespace === '' ? name : `${namespace}/${name}`;
  return `${kind} ${where}${from}${secret === name ? '' : `, Secret '${secret}'`}`;
}

function obstacleLines({ obstacles }: Conversion): readonly string[] {
  return obstacles.map(obstacleLine);
}

export function obstacleLine({ where, why, fix }: Conversion['obstacles'][number]): string {
  return `${where === '' ? '' : `${where}: `}${why}${fix === undefined ? '' : `; ${fix}`}`;
}

function document({ conversion }: Migration): string {
  const { copy, notes, to } = conversion;
  const copied = copy === undefined ? [] : [copyLine(copy)];
  const lines = [titleOf(conversion), ...copied, ...notes.map((note) => `note: ${note}`)];
  return lines.map(comment).join('') + yaml(to);
}

export function copyLine({ store, place, keys }: Copy): string {
  const { project, environment, path } = place;
  const where = store === 'vault' ? `Vault ${project}/${path}` : `Infisical ${project}/${environment}${path}`;
  return `copies ${counted(keys.length, 'value')} to ${where}: ${keys.join(', ')}`;
}

function comment(text: string): string {
  return `# ${printable(text)}\n`;
}

/** Names alone: no value is in any output. */
export function migrateDocument(migrations: readonly Migration[]): object {
  const items = migrations.map(({ conversion, state, steps, reason, undone }) => ({
    kind: conversion.kind,
    namespace: conversion.namespace,
    name: conversion.name,
    secret: conversion.secret,
    source: conversion.source,
    state,
    obstacles: conversion.obstacles,
    notes: conversion.notes,
    copy: conversion.copy ?? null,
    resource: conversion.to ?? null,
    needs: conversion.needs ?? null,
    steps,
    reason: reason ?? null,
    undone: undone ?? null,
  }));
  const count = (state: MigrationState): number => migrations.filter((one) => one.state === state).length;
  return listDocument('MigrateList', items, {
    total: migrations.length,
    convertible: migrations.filter(({ conversion }) => isConvertible(conversion)).length,
    blocked: count('blocked'),
    underWay: count('underWay'),
    done: count('done'),
    migrated: count('migrated'),
    rolledBack: count('rolledBack'),
    finished: count('finished'),
    stopped: count('stopped'),
  });
}
