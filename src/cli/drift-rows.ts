/** `status --drift`: whether each Secret's data is what its operator wrote. */
import { readDrift } from '../cluster/drift.ts';
import { createLimiter } from '../cluster/limiter.ts';
import type { ReadFailure } from '../kube/world.ts';
import { withClient } from './observe.ts';
import type { Options } from './options.ts';
import { listOption } from './options.ts';
import type { Closer } from './secret-list.ts';
import type { SecretRow } from './secret-rows.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT } from './terminal.ts';

/** Whole Secrets under way at the same time: their values are in memory for as long. */
const AT_ONCE = 4;

/** Reads every synced Secret whole; a native one has no operator whose word it could differ from. */
export async function lookForDrift(
  rows: readonly SecretRow[],
  options: Options,
  terminal: Terminal,
): Promise<Closer> {
  if (listOption(options, 'world').length > 0) {
    throw new CommandError('--drift reads the Secrets of a cluster: leave out --world', EXIT.usage);
  }
  const failures = new Map<string, ReadFailure>();
  const limit = createLimiter(AT_ONCE);
  const looked = await withClient(options, terminal, async (client) =>
    Promise.all(
      rows.map(async (row) => {
        if (row.syncResource === undefined) return row;
        const { drift, failure } = await limit(async () => readDrift(client, row.namespace, row.name));
        if (failure !== undefined) failures.set(failure.message, failure);
        return { ...row, drift };
      }),
    ),
  );
  return { rows: looked, failures: [...failures.values()] };
}
