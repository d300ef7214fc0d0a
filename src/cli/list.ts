/** `floe-secrets list`: which Secrets there are, what makes them, whether they are synced. */
import type { Options } from './options.ts';
import type { Listing } from './secret-list.ts';
import { showSecrets } from './secret-list.ts';
import type { SecretRow } from './secret-rows.ts';
import type { Terminal } from './terminal.ts';

const LIST: Listing = {
  kind: 'ListList',
  columns: () => [
    { header: 'NAME', minimum: 26, cell: (row) => row.name },
    { header: 'TYPE', minimum: 18, cell: (row) => row.type ?? '-' },
    { header: 'SYNC STATUS', cell: (row) => row.state },
  ],
  item: listItem,
};

/** Exit code 0, or 5 with `--exit-code` where a Secret is not synced. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return showSecrets(options, terminal, LIST);
}

/** The contract's item; what is not known is null. */
export function listItem(row: SecretRow): object {
  const { namespace, name, type, state, syncResource, reason } = row;
  return {
    namespace,
    name,
    type: type ?? null,
    state,
    syncResource: syncResource ?? null,
    reason: reason ?? null,
  };
}
