/** The declaration of `status`. */
import type { CommandDeclaration } from './command.ts';
import { listOptions } from './list-command.ts';

export const STATUS_COMMAND: CommandDeclaration = {
  name: 'status',
  about: 'show where secrets come from and when they were last synced',
  examples: [
    ['status -n floe-jobs', 'one namespace'],
    ['status -A -o yaml', 'every namespace, with the source of each time'],
    ['status -n floe-jobs --drift', 'what was changed by hand since its last sync?'],
  ],
  declare: (command) => {
    listOptions(command.option('--drift', "compare each Secret's data with its operator's checksum"));
  },
  run: async (options, { terminal }) => (await import('./status.ts')).run(options, terminal),
};
