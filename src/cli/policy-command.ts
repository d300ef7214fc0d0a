/** The declaration of `policy`. */
import type { CommandDeclaration } from './command.ts';
import { worldOption } from './command.ts';

export const POLICY_COMMAND: CommandDeclaration = {
  name: 'policy',
  about: 'print admission policies that do without the webhook',
  examples: [
    ['policy', 'the net, and the injection where the cluster serves it; for kubectl apply -f -'],
    ['policy --mutating', 'both, without asking a cluster'],
    ['policy --index -n floe-jobs', 'also a policy over an index of synced Secrets, and that index'],
  ],
  declare: (command) => {
    worldOption(
      command
        .option('--mutating', 'with the MutatingAdmissionPolicy, whatever the cluster serves (1.36)')
        .option('--no-mutating', 'without it')
        .option('--index', 'refuse Secrets that are not in an index, and print that of the namespace')
        .option('--config <file>', 'settings file of the webhook'),
    );
  },
  run: async (options, { terminal }) => (await import('./policy.ts')).run(options, terminal),
};
