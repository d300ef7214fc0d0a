/** The declaration of `sync`. */
import type { CommandDeclaration } from './command.ts';

export const SYNC_COMMAND: CommandDeclaration = {
  name: 'sync',
  about: 'ask the operator of a secret to sync it now, and wait for the result',
  examples: [
    ['sync snowflake-credentials -n floe-jobs', 'the Secret, or its sync resource, by name'],
    ['sync snowflake-credentials -n floe-jobs --timeout 5m -o json', 'more patience, for a script'],
    ['sync snowflake-credentials -n floe-jobs --no-spec', 'refuse where its spec would be written'],
  ],
  declare: (command) => {
    command
      .argument('<secret>', 'name of the Secret, or of the resource that syncs it')
      .option('--timeout <duration>', 'how long to wait for the operator', '60s')
      .option('--no-spec', 'never write a spec, not even for a moment, but refuse');
  },
  run: async (options, { terminal }) => (await import('./sync.ts')).run(options, terminal),
};
