/** `floe-secrets status`: where Secrets come from and when they were last synced. */
import { formatAge } from '../kube/duration.ts';
import { listItem } from './list.ts';
import type { Options } from './options.ts';
import { flagOption } from './options.ts';
import type { Listing } from './secret-list.ts';
import { showSecrets } from './secret-list.ts';
import type { SecretRow } from './secret-rows.ts';
import type { Terminal } from './terminal.ts';

const STATUS: Listing = {
  kind: 'StatusList',
  columns: (now) => [
    { header: 'NAME', minimum: 26, cell: (row) => row.name },
    { header: 'PROJECT', minimum: 18, cell: (row) => joined(row.projects) ?? '-' },
    { header: 'ENV', minimum: 12, cell: (row) => joined(row.environments) ?? '-' },
    { header: 'LAST SYNC', cell: (row) => lastSync(row, now) },
  ],
  item: (row) => ({
    ...listItem(row),
    project: joined(row.projects) ?? null,
    environment: joined(row.environments) ?? null,
    path: joined(row.paths) ?? null,
    lastSync: row.lastSync === undefined ? null : new Date(row.lastSync.time).toISOString(),
    lastSyncSource: row.lastSync?.source ?? null,
  }),
};

/** Exit codes as of `list`; with `--drift` and `--exit-code` 5 too where data was changed by hand. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  if (!flagOption(options, 'drift')) return showSecrets(options, terminal, STATUS);
  return showSecrets(options, terminal, {
    ...STATUS,
    columns: (now) => [...STATUS.columns(now), { header: 'DRIFT', cell: (row) => row.drift ?? '-' }],
    item: (row) => ({ ...STATUS.item(row), drift: row.drift ?? null }),
    look: async (rows) => (await import('./drift-rows.ts')).lookForDrift(rows, options, terminal),
  });
}

function lastSync(row: SecretRow, now: number): string {
  return row.lastSync === undefined ? '-' : `${formatAge(now - row.lastSync.time)} ago`;
}

/** A resource may read several projects, environments and paths. */
function joined(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(',');
}
