/** The declaration of `list`. */
import type { Command } from 'commander';
import type { CommandDeclaration } from './command.ts';
import { worldOption } from './command.ts';

export const LIST_COMMAND: CommandDeclaration = {
  name: 'list',
  about: 'list secrets and whether they are synced',
  examples: [
    ['list -n floe-jobs', 'one namespace'],
    ['list -A -o json', 'every namespace, for a script'],
    ['list -n floe-jobs -w', 'go on, and print what changes'],
    ['list -n floe-jobs --exit-code', 'exit code 5 where one is not synced'],
  ],
  declare: listOptions,
  run: async (options, { terminal }) => (await import('./list.ts')).run(options, terminal),
};

/** The options that `list` and `status` share. */
export function listOptions(command: Command): void {
  worldOption(
    command
      .option('--exit-code', 'exit with 5 where a secret is not synced')
      .option('-w, --watch', 'go on, and print what changes'),
  );
}
