/** The declaration of `restart`. */
import type { CommandDeclaration } from './command.ts';
import { worldOption } from './command.ts';

export const RESTART_COMMAND: CommandDeclaration = {
  name: 'restart',
  about: 'roll the workloads that use a secret',
  examples: [
    ['restart snowflake-credentials -n floe-jobs --dry-run', 'what would be rolled'],
    ['restart snowflake-credentials -n floe-jobs', 'roll it'],
  ],
  declare: (command) => {
    worldOption(
      command
        .argument('<secret>', 'name of the Secret')
        .option('--dry-run', 'ask the API server whether it would, and change nothing'),
    );
  },
  run: async (options, { terminal }) => (await import('./restart.ts')).run(options, terminal),
};
