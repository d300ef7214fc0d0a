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
import { nameOf, namespaceOf } from '../kube/object.ts';
import type { Opened } from './gates.ts';
import { gatedPods, openEach, printOpened } from './gates.ts';
import { withClient } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, textOption } from './options.ts';
import type { Format } from './print.ts';
import { listDocument, structured } from './print.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, guarded, worstExit } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** Exit code 0 where nothing is left of either, also where nothing was there. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const manner = { name: textOption(options, 'name') ?? '', dryRun: flagOption(options, 'dryRun') };
    const { dryRun } = manner;
    const taken: Taken[] = [];
    const opened = await withClient(options, terminal, async (client) => {
      for (const kind of [MUTATING, VALIDATING]) {
        taken.push({ kind: kind.kind, name: manner.name, removed: await remove(client, kind, manner) });
        // At once: what is gone is gone, even where the next step fails.
        if (format === 'text')
          terminal.stdout.write(
            taken
              .slice(-1)
              .map((one) => line(one, dryRun))
              .join(''),
          );
      }
      return openEach(client, await gatedPods(client), dryRun);
    });
    if (format === 'text') printOpened(opened, dryRun, terminal);
    else terminal.stdout.write(structured(format, documentOf(taken, opened, dryRun)));
    return worstExit(opened.flatMap(({ exitCode = EXIT.ok }) => exitCode));
  });
}

/** A webhook configuration, and whether there was one to remove. */
interface Taken {
  readonly kind: string;
  readonly name: string;
  readonly removed: boolean;
}

function line({ kind, name, removed }: Taken, dryRun: boolean): string {
  const outcome = removed ? (dryRun ? 'would be removed' : 'removed') : 'is not there';
  return `${kind} ${name} ${outcome}\n`;
}

function documentOf(taken: readonly Taken[], opened: readonly Opened[], dryRun: boolean): object {
  const items = [
    ...taken.map(({ kind, name, removed }) => ({
      kind,
      namespace: null,
      name,
      action: removed ? 'removed' : 'absent',
      reason: null,
    })),
    ...opened.map(({ pod, action, reason }) => ({
      kind: 'Pod',
      namespace: namespaceOf(pod),
      name: nameOf(pod),
      action,
      reason: reason ?? null,
    })),
  ];
  const count = (action: string): number => items.filter((item) => item.action === action).length;
  return listDocument('UninstallList', items, {
    dryRun,
    removed: count('removed'),
    opened: count('opened'),
    failed: count('failed'),
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
