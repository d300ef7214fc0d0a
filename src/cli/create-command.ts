/** The declaration of `create`. */
import type { CommandDeclaration } from './command.ts';
import { collected } from './command.ts';

export const CREATE_COMMAND: CommandDeclaration = {
  name: 'create',
  about: 'create a secret through its plugin, upstream where there is one',
  examples: [
    ['create db --from-env-file db.env -n floe-jobs --dry-run', 'what would be made'],
    ['create db --from-file PASSWORD=- -n floe-jobs', 'a value from standard input'],
    ['create db --from-literal USER=floe --plugin k8s', 'a native Secret'],
  ],
  declare: (command) => {
    command
      .argument('<secret>', 'name of the Secret')
      .option('--from-literal <key=value>', 'a key and its value; may be repeated', collected)
      .option(
        '--from-file <[key=]path>',
        "a file, every file of a folder, or '-'; may be repeated",
        collected,
      )
      .option('--from-env-file <path>', "a file of KEY=value lines, or '-'; may be repeated", collected)
      .option('--plugin <id>', "plugin that makes it (default: the first of the namespace's chain that can)")
      .option('--project <slug>', "upstream project; Vault: the mount (default: the settings')")
      .option('--environment <slug>', "upstream environment (default: the settings', else the namespace's)")
      .option('--path <path>', 'upstream folder or entry (default: the name of the secret)')
      .option('--dry-run', 'ask the store and the API server whether they would, and change nothing');
  },
  run: async (options, { terminal }) => (await import('./create.ts')).run(options, terminal),
};
