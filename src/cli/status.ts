/** `floe-secrets status`: where Secrets come from and when they were last synced. */
import { formatAge } from '../kube/duration.ts';
import { listItem } from './list.ts';
import type { Options } from './options.ts';
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

/** Exit codes as of `list`. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return showSecrets(options, terminal, STATUS);
}

function lastSync(row: SecretRow, now: number): string {
  return row.lastSync === undefined ? '-' : `${formatAge(now - row.lastSync.time)} ago`;
}

/** A resource may read several projects, environments and paths. */
function joined(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(',');
}
