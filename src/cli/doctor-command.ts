/** The declaration of `doctor`. */
import type { CommandDeclaration } from './command.ts';

export const DOCTOR_COMMAND: CommandDeclaration = {
  name: 'doctor',
  about: 'check the installation, and say how to mend what is wrong',
  examples: [
    ['doctor', 'the installation that the webhooks lead to'],
    ['doctor -n floe-secrets-system --name floe-secrets-webhook -o json', 'for a script'],
  ],
  declare: (command) => {
    command.option('--name <name>', 'name of the installation', 'floe-secrets-webhook');
  },
  run: async (options, { terminal, version }) =>
    (await import('./doctor.ts')).run(options, terminal, version),
};
