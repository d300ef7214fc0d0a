/** The declaration of `restore`. */
import type { CommandDeclaration } from './command.ts';

export const RESTORE_COMMAND: CommandDeclaration = {
  name: 'restore',
  about: 'bring exported wiring back, and say what it changes',
  examples: [
    ['restore wiring.yaml --dry-run', 'what would change'],
    ['restore wiring.yaml', 'by server-side apply; what others own is kept'],
  ],
  declare: (command) => {
    command
      .argument('<files...>', 'what export wrote')
      .option('--dry-run', 'ask the API server whether it would, and change nothing')
      .option('--force', 'take over fields that somebody else has written differently');
  },
  run: async (options, { terminal }) => (await import('./restore.ts')).run(options, terminal),
};
