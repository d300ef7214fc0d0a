/** The declaration of `usage`. */
import type { CommandDeclaration } from './command.ts';
import { worldOption } from './command.ts';

export const USAGE_COMMAND: CommandDeclaration = {
  name: 'usage',
  about: 'show who uses a secret, and which pods run an older version of it',
  examples: [
    ['usage snowflake-credentials -n floe-jobs', 'one Secret'],
    ['usage snowflake-credentials -A -o json', 'of this name in every namespace'],
  ],
  declare: (command) => {
    worldOption(command.argument('<secret>', 'name of the Secret'));
  },
  run: async (options, { terminal }) => (await import('./usage.ts')).run(options, terminal),
};
