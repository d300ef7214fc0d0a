/** The declaration of `scan`. */
import type { CommandDeclaration } from './command.ts';
import { worldOption } from './command.ts';

export const SCAN_COMMAND: CommandDeclaration = {
  name: 'scan',
  about: 'show what strict would refuse of what runs, and pods without their injection',
  examples: [
    ['scan', 'every namespace that is opted in'],
    ['scan -A -o json', 'also those that are not, as if they were'],
    ['scan -n floe-jobs', 'one namespace, opted in or not'],
  ],
  declare: (command) => {
    worldOption(command.option('--config <file>', 'settings file of the webhook'));
  },
  run: async (options, { terminal }) => (await import('./scan.ts')).run(options, terminal),
};
