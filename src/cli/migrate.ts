/** The frame of every migration: a plan unless more is asked for, one secret at a time, resumable, and a way back. */
import { loadConfig } from '../config/load.ts';
import { settingsOf } from '../review/settings.ts';
import type { Mode } from './migrate-modes.ts';
import { MODES } from './migrate-modes.ts';
import type { Migration } from './migrate-report.ts';
import { migrateDocument, obstacleLine, planText, titleOf } from './migrate-report.ts';
import type { MigrationSource } from './migrate-source.ts';
import { reportFailures, withClient } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, textOption } from './options.ts';
import type { Format } from './print.ts';
import { counted, printable, structured } from './print.ts';
import { withProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, guarded, worstExit } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/**
 * Exit code 5 where something cannot be migrated, 1 where something stopped; 2, 3, 4 and 8 as everywhere. Progress is
 * told on stderr.
 */
export async function runMigration(
  options: Options,
  terminal: Terminal,
  source: MigrationSource,
): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const mode = modeOf(options);
    const settings = settingsOf(loadConfig({ env: terminal.env, cwd: terminal.cwd, flags: {} }));
    return withProgress(terminal, async (progress) =>
      withClient(options, terminal, async (client) => {
        const namespace = flagOption(options, 'allNamespaces')
          ? undefined
          : (textOption(options, 'namespace') ?? client.namespace);
        progress.say(`looking for ${source.noun}s`);
        const looking = { client, options, settings, terminal, namespace };
        const { migrations, failures } = await MODES[mode]({ source, looking, progress });
        progress.clear();
        const isPlan = mode === 'plan' || mode === 'dryRun';
        const all = migrations.map(({ conversion }) => conversion);
        const counts = source.count?.(all) ?? counted(all.length, source.noun);
        const words = isPlan ? planText(migrations, counts) : outcomeText(migrations, counts);
        terminal.stdout.write(format === 'text' ? words : structured(format, migrateDocument(migrations)));
        return worstExit([...reportFailures(failures, terminal), ...migrations.map(exitCodeOfOne)]);
      }),
    );
  });
}

function modeOf(options: Options): Mode {
  const asked = (['apply', 'rollback', 'finish'] as const).filter((name) => flagOption(options, name));
  if (asked.length > 1) {
    throw new CommandError(`--${asked.join(' and --')} exclude each other`, EXIT.usage);
  }
  const dryRun = flagOption(options, 'dryRun');
  if (dryRun && asked[0] !== undefined && asked[0] !== 'apply') {
    throw new CommandError(`--dry-run is of --apply alone`, EXIT.usage);
  }
  return dryRun ? 'dryRun' : (asked[0] ?? 'plan');
}

function outcomeText(migrations: readonly Migration[], counts: string): string {
  const count = (state: Migration['state']): number =>
    migrations.filter((migration) => migration.state === state).length;
  const parts = OUTCOMES.map(([state, words]) => [count(state), words] as const).filter(([many]) => many > 0);
  const lines = migrations
    .filter(({ state }) => state === 'blocked')
    .map(
      ({ conversion }) => `${titleOf(conversion)}: ${conversion.obstacles.map(obstacleLine).join('; ')}\n`,
    );
  const summary = parts.map(([many, words]) => `${many} ${words}`).join(', ');
  return `${lines.map(printable).join('')}${counts}: ${summary === '' ? 'nothing to do' : summary}\n`;
}

const OUTCOMES = [
  ['migrated', 'migrated'],
  ['rolledBack', 'rolled back'],
  ['finished', 'finished'],
  ['done', 'done before'],
  ['stopped', 'stopped'],
  ['planned', 'not begun'],
  ['blocked', 'cannot be migrated'],
] as const;

function exitCodeOfOne({ state, exitCode }: Migration): number {
  if (state === 'stopped') return exitCode ?? EXIT.general;
  return state === 'blocked' ? EXIT.findings : EXIT.ok;
}
