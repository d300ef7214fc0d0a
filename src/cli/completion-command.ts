/** The declaration of `completion`. */
import { Argument } from 'commander';
import type { CommandDeclaration } from './command.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const COMPLETION_COMMAND: CommandDeclaration = {
  name: 'completion',
  about: 'print the completion of a shell',
  examples: [
    ['completion bash', 'for ~/.bashrc: source <(floe-secrets completion bash)'],
    ['completion zsh', 'for ~/.zshrc: source <(floe-secrets completion zsh)'],
    ['completion fish', 'for ~/.config/fish/completions/floe-secrets.fish'],
  ],
  declare: (command) => {
    command.addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS));
  },
  run: async (options, { terminal }, shape) =>
    (await import('./completion.ts')).run(options, terminal, shape),
};
