/** What `list` and `status` have in common: one look, rows, a table or a document, an exit code. */
import { loadConfig } from '../config/load.ts';
import { settingsOf } from '../review/settings.ts';
import { observe, reportFailures } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption } from './options.ts';
import type { Column, Format } from './print.ts';
import { listDocument, structured, tableFor } from './print.ts';
import type { SecretRow } from './secret-rows.ts';
import { secretRows } from './secret-rows.ts';
import type { Terminal } from './terminal.ts';
import { EXIT, guarded, worstExit } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** How one of the two commands shows its rows. */
export interface Listing {
  /** Of the document: 'StatusList'. */
  readonly kind: string;
  columns(now: number): readonly Column<SecretRow>[];
  item(row: SecretRow): object;
}

/** Exit code 0 also where a Secret is not synced, 5 with `--exit-code`; 4 or 8 where not everything was seen. */
export async function showSecrets(options: Options, terminal: Terminal, listing: Listing): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const { env, cwd } = terminal;
    const settings = settingsOf(loadConfig({ env, cwd, flags: {} }));
    const { contents, failures, ...viewpoint } = await observe(options, terminal, settings.kinds);
    const now = Date.now();
    const rows = secretRows(contents, { settings, now, ...viewpoint });
    const codes = reportFailures(failures, terminal);
    if (format !== 'text') terminal.stdout.write(structured(format, document(listing, rows)));
    else printTable({ columns: listing.columns(now), rows, namespace: viewpoint.namespace }, terminal);
    const unsynced = flagOption(options, 'exitCode') && rows.some((row) => row.state !== 'Synced');
    return worstExit(unsynced ? [...codes, EXIT.findings] : codes);
  });
}

interface Printed {
  readonly columns: readonly Column<SecretRow>[];
  readonly rows: readonly SecretRow[];
  readonly namespace: string | undefined;
}

function printTable({ columns, rows, namespace }: Printed, terminal: Terminal): void {
  const { stdout, stderr } = terminal;
  if (rows.length === 0) {
    stderr.write(
      `No Secrets and no sync resources found${namespace === undefined ? '' : ` in namespace ${namespace}`}.\n`,
    );
    return;
  }
  const place: readonly Column<SecretRow>[] =
    namespace === undefined ? [{ header: 'NAMESPACE', cell: (row) => row.namespace }] : [];
  stdout.write(tableFor(terminal, [...place, ...columns], rows));
}

function document(listing: Listing, rows: readonly SecretRow[]): object {
  const synced = rows.filter((row) => row.state === 'Synced').length;
  const summary = { total: rows.length, synced, unsynced: rows.length - synced };
  return listDocument(listing.kind, rows.map(listing.item), summary);
}
