/** What `list` and `status` have in common: one look, rows, a table or a document, an exit code. */
import { setTimeout as sleep } from 'node:timers/promises';
import { wordsOf } from '../cluster/failure.ts';
import { loadConfig } from '../config/load.ts';
import { formatAge } from '../kube/duration.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import type { Observation } from './observe.ts';
import { reportFailures, withObserver } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption } from './options.ts';
import type { Column, Format } from './print.ts';
import { growingTable, listDocument, structured } from './print.ts';
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
      const print = printer(terminal);
      print(desk, first);
      if (flagOption(options, 'watch')) await watch(desk, look, first, print);
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

/** Prints what was found, or what of it is new. */
type Print = (desk: Desk, seen: Seen) => void;

/** The table's header stands once, and YAML documents are told apart. */
function printer({ stdout, stderr, env }: Terminal): Print {
  const below = growingTable({ stdout, env });
  let isFirst = true;
  return ({ listing, format }, { rows, namespace, failures }) => {
    if (format !== 'text') {
      if (format === 'yaml' && !isFirst) stdout.write('---\n');
      stdout.write(structured(format, document(listing, rows)));
    } else if (rows.length > 0) {
      const place: readonly Column<SecretRow>[] =
        namespace === undefined ? [{ header: 'NAMESPACE', cell: (row) => row.namespace }] : [];
      stdout.write(below([...place, ...listing.columns(Date.now())], rows));
    } else {
      const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
      stderr.write(
        `No Secrets and no sync resources ${failures.length > 0 ? 'could be seen' : 'found'}${where}.\n`,
      );
    }
    isFirst = false;
  };
}

/** Between two looks: somebody watches who waits for a sync, and those take seconds. */
const EVERY = 2000;

/** Looks again and again, and prints what is not as it was. Ends with the terminal's signal. */
async function watch(desk: Desk, look: () => Promise<Observation>, first: Seen, print: Print): Promise<void> {
  const { listing, terminal } = desk;
  const { interrupted, stderr } = terminal;
  const outage = outageOf(terminal);
  const unseenFromTheStart = new Set(first.failures.map(({ message }) => message));
  let known = marked(listing, first.rows);
  while (await paused(EVERY, interrupted)) {
    try {
      const seen = await rowsOf(look, desk);
      const fresh = seen.failures.filter(({ message }) => !unseenFromTheStart.has(message));
      outage.tell(wordsOf(fresh).join('; '));
      const now = marked(listing, seen.rows);
      const changed = seen.rows.filter((row) => known.get(keyOf(row)) !== now.get(keyOf(row)));
      const lost = [...known].filter(([key]) => !now.has(key));
      // What could be seen and cannot be any more is not gone.
      if (fresh.length === 0) for (const [key] of lost) stderr.write(`${key} is gone\n`);
      if (changed.length > 0) print(desk, { ...seen, rows: changed });
      known = fresh.length === 0 ? now : new Map([...lost, ...now]);
    } catch (error) {
      outage.tell(messageOf(error));
    }
  }
}

function keyOf({ namespace, name }: SecretRow): string {
  return `${namespace}/${name}`;
}

function marked(listing: Listing, rows: readonly SecretRow[]): ReadonlyMap<string, string> {
  return new Map(rows.map((row) => [keyOf(row), JSON.stringify(listing.item(row))]));
}

/** One line where looking begins to fail, and one where it works again, however the failures are worded meanwhile. */
function outageOf({ stderr }: Terminal): { tell(words: string): void } {
  let since: number | undefined;
  return {
    tell: (words) => {
      if (words !== '' && since === undefined) {
        since = Date.now();
        stderr.write(`Warning: ${words}; looking again every ${EVERY / 1000}s\n`);
      } else if (words === '' && since !== undefined) {
        stderr.write(`Seen again after ${formatAge(Date.now() - since)}\n`);
        since = undefined;
      }
    },
  };
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

function document(listing: Listing, rows: readonly SecretRow[]): object {
  const synced = rows.filter((row) => row.state === 'Synced').length;
  const summary = { total: rows.length, synced, unsynced: rows.length - synced };
  return listDocument(listing.kind, rows.map(listing.item), summary);
}
