/** The declaration of `explain`. */
import type { CommandDeclaration } from './command.ts';
import { FILENAME_FLAGS, collected, worldOption } from './command.ts';

export const EXPLAIN_COMMAND: CommandDeclaration = {
  name: 'explain',
  about: 'tell what a pod gets and why, or why it was refused',
  examples: [
    ['explain dbt-run-x7k2p -n floe-jobs', 'a pod that runs'],
    ['explain deployment/dbt -n floe-jobs', 'the pods of a workload, also those that never came to be'],
    ['explain -f pod.yaml --world cluster/', 'a manifest, without a cluster'],
  ],
  declare: (command) => {
    worldOption(
      command
        .argument('[pod]', 'a pod, or KIND/NAME of a workload')
        .option(FILENAME_FLAGS, 'manifests to explain; - for stdin; may be repeated', collected)
        .option('--config <file>', 'settings file of the webhook'),
    );
  },
  run: async (options, { terminal }) => (await import('./explain.ts')).run(options, terminal),
};
