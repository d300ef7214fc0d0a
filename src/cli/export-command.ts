/** The declaration of `export`. */
import type { CommandDeclaration } from './command.ts';
import { worldOption } from './command.ts';

export const EXPORT_COMMAND: CommandDeclaration = {
  name: 'export',
  about: 'write the wiring of secrets as manifests, never values',
  examples: [
    ['export -A > wiring.yaml', 'sync resources, opted-in namespaces, service accounts with annotations'],
    ['export -n floe-jobs -o json', 'one namespace'],
  ],
  declare: (command) => {
    worldOption(command);
  },
  run: async (options, { terminal }) => (await import('./export.ts')).run(options, terminal),
};
