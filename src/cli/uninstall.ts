/**
 * `floe-secrets uninstall`: takes both webhook configurations away, then opens every scheduling gate. A configuration
 * that outlives its webhook would refuse every pod of strict namespaces, and a gate that outlives its controller would
 * stay closed for ever.
 */
import { errorOfFault } from '../cluster/api-error.ts';
import type { Client } from '../cluster/client.ts';
import { objectPath } from '../cluster/paths.ts';
import { MUTATING, VALIDATING } from '../cluster/registrations.ts';
import type { ResourceKind } from '../kube/object.ts';
import { open } from './gates.ts';
import { withClient } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, textOption } from './options.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, guarded } from './terminal.ts';

/** Exit code 0 where nothing is left of either, also where nothing was there. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const name = textOption(options, 'name') ?? '';
    const dryRun = flagOption(options, 'dryRun');
    await withClient(options, terminal, async (client) => {
      for (const kind of [MUTATING, VALIDATING]) {
        const removed = await remove(client, kind, { name, dryRun });
        const outcome = removed ? (dryRun ? 'would be removed' : 'removed') : 'is not there';
        terminal.stdout.write(`${kind.kind} ${name} ${outcome}\n`);
      }
    });
    return open({ ...options, all: true, namespace: undefined }, terminal);
  });
}

/** Whether there was one to remove. */
async function remove(
  client: Client,
  kind: ResourceKind,
  { name, dryRun }: { readonly name: string; readonly dryRun: boolean },
): Promise<boolean> {
  const path = objectPath(kind, '', name);
  if (path === undefined) throw new CommandError(`'${name}' is no name of an installation`, EXIT.usage);
  try {
    await client.send('DELETE', dryRun ? `${path}?dryRun=All` : path, undefined);
    return true;
  } catch (fault) {
    if (errorOfFault(fault).status === 404) return false;
    throw fault;
  }
}
