/** Carrying out a migration: one Secret at a time, and no further than the first that fails. */
import type { Client } from '../cluster/client.ts';
import type { HandOverOptions } from '../cluster/hand-over.ts';
import { handOver, leave } from '../cluster/hand-over.ts';
import { readOne } from '../cluster/hand-over-sight.ts';
import { tryOut } from '../cluster/hand-over-steps.ts';
import { objectPath } from '../cluster/paths.ts';
import { readValuesFor } from '../cluster/target-secret.ts';
import { CONFIG_MAP } from '../kube/object.ts';
import type { Conversion } from '../migrate/conversion.ts';
import type { HandOver } from '../migrate/hand-over.ts';
import { recordName } from '../migrate/names.ts';
import type { MigrationRecord } from '../migrate/record.ts';
import { recordOf, wayBack } from '../migrate/record.ts';
import type { Store } from '../upstream/store.ts';
import { conversionOf } from './migrate-records.ts';
import type { Migration } from './migrate-report.ts';
import { titleOf } from './migrate-report.ts';
import type { Teller } from './migrate-tell.ts';
import { teller } from './migrate-tell.ts';
import { counted, printable } from './print.ts';
import type { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, exitCodeOf, messageOf } from './terminal.ts';

export interface Applying {
  readonly client: Client;
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly timeoutMs: number;
  readonly acceptsChanges: boolean;
  /** Opened when something is copied; whoever made it closes it. */
  readonly store: () => Promise<Store>;
  readonly valuesFor?: ValuesFor;
}

/** The values of a conversion's copy by key: text, or base64 of those that it encodes. They stay in memory. */
export type ValuesFor = (conversion: Conversion, client: Client) => Promise<Readonly<Record<string, string>>>;

const valuesOfSecret: ValuesFor = async ({ namespace, secret, copy = NO_COPY }, client) =>
  readValuesFor(client, { namespace, name: secret }, copy);

const NO_COPY = { keys: [], encoded: [] };

/** How long an operator's failure, silence or other data is not believed. */
const PATIENCE = 10_000;

/** Hands over each of them in turn; those behind one that stopped stay as they are. Progress is told on stderr. */
export async function applyInTurn(
  conversions: readonly Conversion[],
  applying: Applying,
): Promise<readonly Migration[]> {
  const done: Migration[] = [];
  for (const conversion of conversions) {
    const stopped = done.some(({ state }) => state === 'stopped');
    done.push(stopped ? { conversion, state: 'planned', steps: [] } : await applyOne(conversion, applying));
  }
  return done;
}

async function applyOne(conversion: Conversion, applying: Applying): Promise<Migration> {
  const plan = await planFor(conversion, applying.client);
  return carriedOut(conversion, plan, applying, prepare);
}

/** Takes the recorded ones back in turn. */
export async function goBack(
  records: readonly MigrationRecord[],
  applying: Applying,
): Promise<readonly Migration[]> {
  const done: Migration[] = [];
  for (const record of records) {
    const conversion = conversionOf(record);
    const plan = wayBack(record);
    if (done.some(({ state }) => state === 'stopped')) done.push({ conversion, state: 'planned', steps: [] });
    else if (plan === undefined) done.push(await forsake(record, applying));
    else done.push(await carriedOut(conversion, plan, applying));
  }
  return done;
}

async function carriedOut(
  conversion: Conversion,
  plan: HandOver,
  applying: Applying,
  before?: (conversion: Conversion, passing: Passing) => Promise<void>,
): Promise<Migration> {
  const told = teller(plan, applying);
  told.head(titleOf(conversion));
  try {
    await before?.(conversion, { plan, applying, told });
    return await passOver(conversion, { plan, applying, told });
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

/** Where nothing synced the Secret before, it is left to itself, as it is now. */
async function forsake(record: MigrationRecord, { client }: Applying): Promise<Migration> {
  const { namespace, secret, to } = record;
  await leave(client, { namespace, secret, to, record: 'removed' });
  return { conversion: conversionOf(record), state: 'rolledBack', steps: ['leave'] };
}

/** What a run before this one has begun goes on as it was begun. */
async function planFor({ namespace, secret, from, to }: Conversion, client: Client): Promise<HandOver> {
  const path = objectPath(CONFIG_MAP, namespace, recordName(secret)) ?? '';
  const record = recordOf(await readOne(client, path));
  if (record?.state === 'open') return { ...record, record: 'kept' };
  if (to === undefined) throw new CommandError(`Secret '${secret}' cannot be migrated`, EXIT.general);
  return { namespace, secret, to, record: 'kept', ...(from === undefined ? {} : { from }) };
}

/** First what costs nothing: whether the API server would take it all. Then the values go upstream. */
async function prepare(conversion: Conversion, { plan, applying, told }: Passing): Promise<void> {
  const { copy, to } = conversion;
  const { client, store, valuesFor = valuesOfSecret } = applying;
  // A run before this one has done so before it wrote its record.
  if (plan.to !== to) return;
  await tryOut(client, plan);
  if (copy === undefined) return;
  const upstream = await store();
  const values = await valuesFor(conversion, client);
  const put = await upstream.put(copy.place, values);
  const others = (await upstream.list(copy.place)).filter((key) => !copy.keys.includes(key));
  if (others.length > 0) {
    await upstream.remove(copy.place, put.created);
    throw new CommandError(
      `${upstream.name} ${upstream.describe(copy.place)} has other keys too, which the Secret would get: ${others.join(', ')}; choose another place with --path`,
      EXIT.general,
    );
  }
  const fresh = put.created.length === 0 ? 'are there already' : 'copied';
  told.good(
    'copy',
    `${counted(copy.keys.length, 'value')} ${fresh}: ${upstream.name} ${upstream.describe(copy.place)}`,
  );
}

interface Passing {
  readonly plan: HandOver;
  readonly applying: Applying;
  readonly told: Teller;
}

/** The hand-over itself, in either direction. */
async function passOver(conversion: Conversion, { plan, applying, told }: Passing): Promise<Migration> {
  const { client, progress, timeoutMs, acceptsChanges } = applying;
  const options: HandOverOptions = {
    timeoutMs,
    patienceMs: PATIENCE,
    acceptsChanges,
    onStep: (step) => told.step(step),
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
