/** What `list` and `status` have in common: one look, rows, a table or a document, an exit code. */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../config/load.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import type { Observation } from './observe.ts';
import { reportFailures, withObserver } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption } from './options.ts';
import type { Column, Format } from './print.ts';
import { listDocument, structured, tableFor } from './print.ts';
import type { SecretRow } from './secret-rows.ts';
import { secretRows } from './secret-rows.ts';
import type { Terminal } from './terminal.ts';
import { EXIT, guarded, messageOf, worstExit } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** How one of the two commands shows its rows. */
export interface Listing {
  /** Of the document: 'StatusList'. */
  readonly kind: string;
  columns(now: number): readonly Column<SecretRow>[];
  item(row: SecretRow): object;
  /** Looks closer at the rows, where the command has to. */
  look?(rows: readonly SecretRow[]): Promise<Closer>;
}

/** The rows with what a closer look told. */
export interface Closer {
  readonly rows: readonly SecretRow[];
  readonly failures: readonly ReadFailure[];
}

/** Exit code 0 also where a Secret is not synced, 5 with `--exit-code`; 4 or 8 where not everything was seen. */
export async function showSecrets(options: Options, terminal: Terminal, listing: Listing): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const settings = settingsOf(loadConfig({ env: terminal.env, cwd: terminal.cwd, flags: {} }));
    const desk = { listing, format, settings, terminal };
    return withObserver(options, terminal, settings.kinds, async (look) => {
      const first = await rowsOf(look, desk);
      const codes = reportFailures(first.failures, terminal);
      print(desk, first);
      if (flagOption(options, 'watch')) await watch(desk, look, first.rows);
      const unsynced = flagOption(options, 'exitCode') && first.rows.some(isUnsynced);
      return worstExit(unsynced ? [...codes, EXIT.findings] : codes);
    });
  });
}

function isUnsynced({ state, drift }: SecretRow): boolean {
  return state !== 'Synced' || drift === 'drifted';
}

interface Desk {
  readonly listing: Listing;
  readonly format: Format;
  readonly settings: Settings;
  readonly terminal: Terminal;
}

interface Seen {
  readonly rows: readonly SecretRow[];
  readonly failures: readonly ReadFailure[];
  readonly namespace?: string;
}

async function rowsOf(look: () => Promise<Observation>, { settings, listing }: Desk): Promise<Seen> {
  const { contents, failures, ...viewpoint } = await look();
  const rows = secretRows(contents, { settings, now: Date.now(), ...viewpoint });
  const closer = (await listing.look?.(rows)) ?? { rows, failures: [] };
  return { rows: closer.rows, failures: [...failures, ...closer.failures], ...viewpoint };
}

function print({ listing, format, terminal }: Desk, { rows, namespace }: Seen): void {
  if (format !== 'text') terminal.stdout.write(structured(format, document(listing, rows)));
  else printTable({ columns: listing.columns(Date.now()), rows, namespace }, terminal);
}

/** Between two looks: somebody watches who waits for a sync, and those take seconds. */
const EVERY = 2000;

/** Looks again and again, and prints what is not as it was. Ends with the terminal's signal. */
async function watch(
  desk: Desk,
  look: () => Promise<Observation>,
  first: readonly SecretRow[],
): Promise<void> {
  const { listing, terminal } = desk;
  const { interrupted, stderr } = terminal;
  const marked = (rows: readonly SecretRow[]): ReadonlyMap<string, string> =>
    new Map(rows.map((row) => [`${row.namespace}/${row.name}`, JSON.stringify(listing.item(row))]));
  let known = marked(first);
  while (await paused(EVERY, interrupted)) {
    try {
      const seen = await rowsOf(look, desk);
      const now = marked(seen.rows);
      const changed = seen.rows.filter(({ namespace, name }) => {
        const key = `${namespace}/${name}`;
        return known.get(key) !== now.get(key);
      });
      for (const gone of known.keys()) if (!now.has(gone)) stderr.write(`${gone} is gone\n`);
      if (changed.length > 0) printChanged(desk, { ...seen, rows: changed });
      known = now;
    } catch (error) {
      stderr.write(`Warning: ${messageOf(error)}; looking again\n`);
    }
  }
}

/** Without the header, which stands above already; YAML documents are told apart. */
function printChanged(desk: Desk, seen: Seen): void {
  const { stdout } = desk.terminal;
  if (desk.format === 'yaml') stdout.write('---\n');
  if (desk.format !== 'text') return print(desk, seen);
  const table = textTable({ columns: desk.listing.columns(Date.now()), ...seen }, desk.terminal);
  stdout.write(table.slice(table.indexOf('\n') + 1));
}

/** False where it was interrupted. */
async function paused(milliseconds: number, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
    return true;
  } catch {
    return false;
  }
}

interface Printed {
  readonly columns: readonly Column<SecretRow>[];
  readonly rows: readonly SecretRow[];
  readonly namespace?: string | undefined;
}

function printTable({ columns, rows, namespace }: Printed, terminal: Terminal): void {
  const { stdout, stderr } = terminal;
  if (rows.length === 0) {
    stderr.write(
      `No Secrets and no sync resources found${namespace === undefined ? '' : ` in namespace ${namespace}`}.\n`,
    );
    return;
  }
  stdout.write(textTable({ columns, rows, namespace }, terminal));
}

function textTable({ columns, rows, namespace }: Printed, terminal: Terminal): string {
  const place: readonly Column<SecretRow>[] =
    namespace === undefined ? [{ header: 'NAMESPACE', cell: (row) => row.namespace }] : [];
  return tableFor(terminal, [...place, ...columns], rows);
}

function document(listing: Listing, rows: readonly SecretRow[]): object {
  const synced = rows.filter((row) => row.state === 'Synced').length;
  const summary = { total: rows.length, synced, unsynced: rows.length - synced };
  return listDocument(listing.kind, rows.map(listing.item), summary);
}
