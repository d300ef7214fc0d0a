/** The declaration of `uninstall`. */
import type { CommandDeclaration } from './command.ts';

export const UNINSTALL_COMMAND: CommandDeclaration = {
  name: 'uninstall',
  about: 'take the webhooks away and open every gate, before an uninstall',
  examples: [
    ['uninstall --dry-run', 'what would be done'],
    ['uninstall', 'as the chart does it before helm uninstall'],
  ],
  declare: (command) => {
    command
      .option('--name <name>', 'name of the installation', 'floe-secrets-webhook')
      .option('--dry-run', 'ask the API server whether it would, and change nothing');
  },
  run: async (options, { terminal }) => (await import('./uninstall.ts')).run(options, terminal),
};
