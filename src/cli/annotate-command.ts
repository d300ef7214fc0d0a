/** The declaration of `annotate`. */
import type { CommandDeclaration } from './command.ts';

export const ANNOTATE_COMMAND: CommandDeclaration = {
  name: 'annotate',
  about: 'print the pod annotations that compiled floe artifacts ask for',
  examples: [
    ['annotate target/compiled_artifacts.json', 'annotations for a pod template'],
    ['annotate target/compiled_artifacts.json -o json', 'each entry with its place in the file'],
  ],
  declare: (command) => {
    command.argument('<artifacts>', 'compiled artifacts, JSON or YAML');
  },
  run: async (options, { terminal }) => (await import('./annotate.ts')).run(options, terminal),
};
