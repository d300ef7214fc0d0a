/** Carrying out a migration: one Secret at a time, and no further than the first that fails. */
import type { Client } from '../cluster/client.ts';
import type { HandOverOptions } from '../cluster/hand-over.ts';
import { handOver, leave } from '../cluster/hand-over.ts';
import { objectPath } from '../cluster/paths.ts';
import { readObject } from '../cluster/read-object.ts';
import { text } from '../kube/json.ts';
import { CONFIG_MAP, nameOf } from '../kube/object.ts';
import type { Conversion } from '../migrate/conversion.ts';
import type { HandOver } from '../migrate/hand-over.ts';
import { recordName } from '../migrate/names.ts';
import type { TrustedLogin } from '../migrate/record-login.ts';
import { strangeLogin } from '../migrate/record-login.ts';
import type { MigrationRecord } from '../migrate/record.ts';
import { recordOf, wayBack } from '../migrate/record.ts';
import type { Copying, ValuesFor } from './migrate-copy.ts';
import { beginCopy, resumeCopy, takeCopyBack } from './migrate-copy.ts';
import { conversionOf } from './migrate-records.ts';
import type { OpenStore } from './migrate-store.ts';
import type { Migration } from './migrate-report.ts';
import { titleOf } from './migrate-report.ts';
import type { Teller } from './migrate-tell.ts';
import { teller } from './migrate-tell.ts';
import { printable } from './print.ts';
import type { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, exitCodeOf, messageOf } from './terminal.ts';

export interface Applying {
  readonly client: Client;
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly timeoutMs: number;
  readonly acceptsChanges: boolean;
  /** Opened when something is copied there; whoever made it closes it. */
  readonly store: OpenStore;
  readonly valuesFor?: ValuesFor;
  /** By what resources of a namespace may log in that a record asks for. */
  readonly trusted: (namespace: string) => TrustedLogin;
}

/** How long an operator's failure, silence or other data is not believed. */
const PATIENCE = 10_000;

/** Hands over each of them in turn; those behind one that stopped stay as they are. Progress is told on stderr. */
export async function applyInTurn(
  conversions: readonly Conversion[],
  applying: Applying,
): Promise<readonly Migration[]> {
  return inTurn(conversions.map((conversion) => [conversion, async () => applyOne(conversion, applying)]));
}

async function applyOne(conversion: Conversion, applying: Applying): Promise<Migration> {
  const { plan, isUnderWay } = await planFor(conversion, applying);
  const copy = isUnderWay ? resumeCopy : beginCopy;
  return carriedOut(conversion, plan, applying, async (told) => {
    const ready = await copy(conversion, plan, { ...applying, told });
    const migration = await passOver(conversion, { plan: ready, applying, told });
    return migration.undone === true ? withoutCopies(migration, ready, { ...applying, told }) : migration;
  });
}

/** The record is gone by then: what cannot be taken back any more is told with what stopped it. */
async function withoutCopies(migration: Migration, plan: HandOver, copying: Copying): Promise<Migration> {
  try {
    await takeCopyBack(plan, copying);
    return migration;
  } catch (error) {
    const left = printable(`what was copied could not be taken back: ${messageOf(error)}`);
    copying.told.bad(left);
    return { ...migration, undone: false, reason: `${migration.reason ?? ''}; ${left}` };
  }
}

/** Takes the recorded ones back in turn. */
export async function goBack(
  records: readonly MigrationRecord[],
  applying: Applying,
): Promise<readonly Migration[]> {
  return inTurn(records.map((record) => [conversionOf(record), async () => goBackOne(record, applying)]));
}

/** What stands behind one that stopped is not begun. */
async function inTurn(
  works: readonly (readonly [Conversion, () => Promise<Migration>])[],
): Promise<readonly Migration[]> {
  const done: Migration[] = [];
  let hasStopped = false;
  for (const [conversion, work] of works) {
    const migration: Migration = hasStopped ? { conversion, state: 'planned', steps: [] } : await work();
    hasStopped ||= migration.state === 'stopped';
    done.push(migration);
  }
  return done;
}

async function goBackOne(record: MigrationRecord, applying: Applying): Promise<Migration> {
  const conversion = conversionOf(record);
  const { namespace, secret, to, copy } = record;
  const plan = wayBack(record) ?? { namespace, secret, to, record: 'removed' };
  return carriedOut(conversion, plan, applying, async (told) => {
    const strange =
      record.from === undefined ? undefined : strangeLogin(record.from, applying.trusted(namespace), true);
    if (strange !== undefined) throw new CommandError(strange, EXIT.general);
    const tidied = async (): Promise<void> =>
      takeCopyBack({ namespace, secret, ...(copy === undefined ? {} : { copy }) }, { ...applying, told });
    if (record.from !== undefined) return passOver(conversion, { plan, applying, told, beforeClose: tidied });
    // Where nothing synced the Secret before, it is left to itself, as it is now.
    told.good('retire', `delete ${text(to, 'kind') ?? ''} '${nameOf(to)}', and keep the Secret`);
    applying.progress.say('waiting for the garbage collector to let go of it');
    await leave(applying.client, plan, { timeoutMs: applying.timeoutMs, before: tidied });
    told.good('leave', `Secret '${secret}' stays as it is, and nobody syncs it any more`);
    return { conversion, state: 'rolledBack', steps: told.steps };
  });
}

async function carriedOut(
  conversion: Conversion,
  plan: HandOver,
  applying: Applying,
  work: (told: Teller) => Promise<Migration>,
): Promise<Migration> {
  const told = teller(plan, applying);
  told.head(titleOf(conversion));
  try {
    return await work(told);
  } catch (error) {
    const reason = printable(messageOf(error));
    told.bad(reason);
    return {
      conversion,
      state: 'stopped',
      steps: told.steps,
      reason,
      undone: false,
      exitCode: exitCodeOf(error),
    };
  }
}

interface Planned {
  readonly plan: HandOver;
  readonly isUnderWay: boolean;
}

/** What a run before this one has begun goes on as it was begun. */
async function planFor(conversion: Conversion, { client, trusted }: Applying): Promise<Planned> {
  const { namespace, secret, from, to } = conversion;
  const path = objectPath(CONFIG_MAP, namespace, recordName(conversion)) ?? '';
  const record = recordOf(await readObject(client, path));
  if (record?.problem !== undefined) throw new CommandError(record.problem, EXIT.general);
  if (record?.state === 'open') refuseStrangers(conversion, record, trusted(namespace));
  if (record?.state === 'open') return { plan: { ...record, record: 'kept' }, isUnderWay: true };
  if (to === undefined) throw new CommandError(`Secret '${secret}' cannot be migrated`, EXIT.general);
  const plan: HandOver = { namespace, secret, to, record: 'kept', ...(from === undefined ? {} : { from }) };
  return { plan, isUnderWay: false };
}

/** What is under way goes on as it was begun, and only by those who may: a failure makes what there was again, too. */
function refuseStrangers(conversion: Conversion, record: MigrationRecord, trusted: TrustedLogin): void {
  if (text(record.from, 'kind') !== text(conversion.from, 'kind')) {
    const other =
      record.from === undefined ? 'a Secret' : `${text(record.from, 'kind') ?? ''} '${nameOf(record.from)}'`;
    throw new CommandError(
      `the migration of ${other} to the same Secret is under way: end it, or take it back, first`,
      EXIT.general,
    );
  }
  const strange =
    strangeLogin(record.to, trusted) ??
    (record.from === undefined ? undefined : strangeLogin(record.from, trusted, true));
  if (strange !== undefined) throw new CommandError(strange, EXIT.general);
}

interface Passing {
  readonly plan: HandOver;
  readonly applying: Applying;
  readonly told: Teller;
  /** What is to be done before the record goes. */
  readonly beforeClose?: () => Promise<void>;
}

/** The hand-over itself, in either direction. */
async function passOver(
  conversion: Conversion,
  { plan, applying, told, beforeClose }: Passing,
): Promise<Migration> {
  const { client, progress, timeoutMs, acceptsChanges } = applying;
  const options: HandOverOptions = {
    timeoutMs,
    patienceMs: PATIENCE,
    acceptsChanges,
    onStep: async (step) => {
      if (step === 'close') await beforeClose?.();
      told.step(step);
    },
    onWait: (words) => progress.say(printable(`${plan.secret}: waiting for ${words}`)),
  };
  const result = await handOver(client, plan, options);
  if (result.state === 'done') {
    told.end();
    return { conversion, state: plan.record === 'kept' ? 'migrated' : 'rolledBack', steps: told.steps };
  }
  const { why, undone } = result;
  told.bad(
    `${why}; ${undone ? 'everything is as it was before' : 'it stays as it stands: --apply goes on, --rollback goes back'}`,
  );
  return { conversion, state: 'stopped', steps: told.steps, reason: printable(why), undone };
}
