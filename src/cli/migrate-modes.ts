/** What can be done about secrets that are to be migrated: told, tried, done, taken back, forgotten. */
import { makeNeeded, tryOut } from '../cluster/hand-over-steps.ts';
import { parseDuration } from '../kube/duration.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { Conversion } from '../migrate/conversion.ts';
import { isConvertible } from '../migrate/conversion.ts';
import { recordName } from '../migrate/names.ts';
import type { MigrationRecord } from '../migrate/record.ts';
import type { Applying } from './migrate-apply.ts';
import { applyInTurn, goBack } from './migrate-apply.ts';
import { refuseOthers } from './migrate-copy.ts';
import { conversionOf, forgetRecord, readRecords } from './migrate-records.ts';
import type { Migration } from './migrate-report.ts';
import { obstacleLine, titleOf } from './migrate-report.ts';
import type { Looking, MigrationSource } from './migrate-source.ts';
import { withStores } from './migrate-store.ts';
import { trustedLogin } from './migrate-wish.ts';
import type { Options } from './options.ts';
import { flagOption, listOption, textOption } from './options.ts';
import { printable } from './print.ts';
import type { Progress } from './progress.ts';
import { CommandError, EXIT, messageOf } from './terminal.ts';

export type Mode = 'plan' | 'dryRun' | 'apply' | 'rollback' | 'finish';

interface Run {
  readonly source: MigrationSource;
  readonly looking: Looking;
  readonly progress: Progress;
}

interface Result {
  readonly migrations: readonly Migration[];
  readonly failures: readonly ReadFailure[];
}

export const MODES: Readonly<Record<Mode, (run: Run) => Promise<Result>>> = {
  plan: planned,
  dryRun: async (run) => {
    const { migrations, failures } = await planned(run);
    const tried = await applying(run, async (means) => {
      const results: Migration[] = [];
      for (const migration of migrations) results.push(await triedOut(migration, means));
      return results;
    });
    return { migrations: tried, failures };
  },
  apply: applied,
  rollback: async (run) => {
    const records = await chosenRecords(run, 'rolled back');
    return { migrations: await applying(run, async (means) => goBack(records, means)), failures: [] };
  },
  finish: async (run) => {
    const { client, options } = run.looking;
    const records = await chosenRecords(run, 'finished', listOption(options, 'names').length > 0);
    for (const record of records) await forgetRecord(client, record);
    return { migrations: records.map((record) => ofRecord(record, 'finished')), failures: [] };
  },
};

/** What there is to migrate, what is under way and what is done; those named, or all. */
async function planned({ source, looking }: Run): Promise<Result> {
  const [{ conversions, failures }, records] = await Promise.all([
    source.gather(looking),
    recordsOf(source, looking),
  ]);
  const isSame = (record: MigrationRecord, conversion: Conversion): boolean =>
    record.namespace === conversion.namespace && recordName(record) === recordName(conversion);
  const open = records.filter(({ state }) => state === 'open');
  const fresh = conversions.filter((one) => !open.some((record) => isSame(record, one)));
  const past = records.filter(
    (record) => record.state === 'open' || !conversions.some((one) => isSame(record, one)),
  );
  const all = [
    ...past.map((record) => ofRecord(record, record.state === 'open' ? 'underWay' : 'done')),
    ...fresh.map((conversion): Migration => ({
      conversion,
      state: isConvertible(conversion) ? 'planned' : 'blocked',
      steps: [],
    })),
  ];
  return { migrations: named(all, looking, source), failures };
}

async function recordsOf(
  source: MigrationSource,
  { client, namespace, terminal }: Looking,
): Promise<readonly MigrationRecord[]> {
  const records = (await readRecords(client, namespace)).filter((record) => source.owns(record));
  for (const { problem } of records) {
    if (problem !== undefined) terminal.stderr.write(`Warning: ${printable(problem)}\n`);
  }
  return records.filter(({ problem }) => problem === undefined);
}

function ofRecord(record: MigrationRecord, state: Migration['state']): Migration {
  return { conversion: conversionOf(record), state, steps: [] };
}

/** Those of the names; a name that is not there is an error that says so. */
function named(
  all: readonly Migration[],
  { options, namespace }: Looking,
  { noun }: MigrationSource,
): readonly Migration[] {
  const names = listOption(options, 'names');
  const missing = names.find((name) => !all.some(({ conversion }) => conversion.name === name));
  if (missing === undefined) {
    return names.length === 0 ? all : all.filter(({ conversion }) => names.includes(conversion.name));
  }
  const where = namespace === undefined ? 'any namespace' : `namespace '${namespace}'`;
  throw new CommandError(`there is no ${noun} '${missing}' in ${where}`, EXIT.general);
}

/** Going back is asked for by name: nobody takes a whole namespace back by an option. */
async function chosenRecords(
  { source, looking }: Run,
  done: string,
  wantsNames = true,
): Promise<readonly MigrationRecord[]> {
  const names = listOption(looking.options, 'names');
  const records = await recordsOf(source, looking);
  const titles = records.map((record) => conversionOf(record).name);
  if (names.length === 0 && wantsNames) {
    const choice = titles.length === 0 ? 'there is nothing' : `say which: ${titles.join(', ')}`;
    throw new CommandError(`${choice} to be ${done}`, titles.length === 0 ? EXIT.general : EXIT.usage);
  }
  const missing = names.find((name) => !titles.includes(name));
  if (missing !== undefined) {
    throw new CommandError(
      `no migration of '${missing}' is recorded: there is nothing to be ${done}`,
      EXIT.general,
    );
  }
  return names.length === 0
    ? records.filter(({ state }) => state === 'closed')
    : records.filter((record) => names.includes(conversionOf(record).name));
}

async function triedOut(migration: Migration, { client, store }: Applying): Promise<Migration> {
  const { conversion, state } = migration;
  const { namespace, secret, from, to, copy, needs } = conversion;
  if (state !== 'planned' || to === undefined) return migration;
  try {
    if (needs !== undefined) await makeNeeded(client, needs, true);
    await tryOut(client, { namespace, secret, to, record: 'kept', ...(from === undefined ? {} : { from }) });
    if (copy !== undefined) await refuseOthers(await store(copy.store), copy);
    return migration;
  } catch (error) {
    const obstacles = [...conversion.obstacles, { where: '', why: printable(messageOf(error)) }];
    return { ...migration, state: 'blocked', conversion: { ...conversion, obstacles } };
  }
}

/** Where those that are named cannot all be migrated, none is. */
async function applied(run: Run): Promise<Result> {
  const { looking } = run;
  const { migrations, failures } = await planned(run);
  const blocked = migrations.filter(({ state }) => state === 'blocked');
  const [first] = blocked;
  if (first !== undefined && listOption(looking.options, 'names').length > 0) {
    const [obstacle] = first.conversion.obstacles;
    const why = obstacle === undefined ? 'it cannot be converted' : obstacleLine(obstacle);
    throw new CommandError(
      `${titleOf(first.conversion)} cannot be migrated: ${printable(why)}`,
      EXIT.findings,
    );
  }
  const done = migrations.filter(({ state }) => state === 'done');
  const due = migrations.filter(({ state }) => state === 'planned' || state === 'underWay');
  const carried = await applying(run, async (means) =>
    applyInTurn(
      due.map(({ conversion }) => conversion),
      means,
    ),
  );
  return { migrations: [...blocked, ...done, ...carried], failures };
}

async function applying(
  { source, looking, progress }: Run,
  work: (means: Applying) => Promise<readonly Migration[]>,
): Promise<readonly Migration[]> {
  const { client, options, settings, terminal } = looking;
  const means: Omit<Applying, 'store'> = {
    client,
    terminal,
    progress,
    timeoutMs: timeoutOf(options),
    acceptsChanges: flagOption(options, 'acceptChanges'),
    trusted: (namespace) => trustedLogin({ options, settings: settings.config.upstream, namespace }),
    ...(source.valuesFor === undefined ? {} : { valuesFor: source.valuesFor }),
  };
  return withStores(settings, terminal, async (store) => work({ ...means, store }));
}

function timeoutOf(options: Options): number {
  const written = textOption(options, 'timeout') ?? '2m';
  const timeout = parseDuration(written);
  if (timeout !== undefined) return timeout;
  throw new CommandError(`--timeout ${written} is no duration such as 60s or 5m`, EXIT.usage);
}
