/** The declaration of `gates`. */
import type { CommandDeclaration } from './command.ts';

export const GATES_COMMAND: CommandDeclaration = {
  name: 'gates',
  about: 'show and open the scheduling gates of pods that wait for secrets',
  examples: [
    ['gates list -A', 'which pods wait'],
    ['gates open --all', 'before the webhook is uninstalled'],
  ],
  commands: [
    {
      name: 'list',
      about: 'list the pods that wait for secrets behind a scheduling gate',
      examples: [['gates list -n floe-jobs', 'which pods of a namespace wait']],
      run: async (options, { terminal }) => (await import('./gates.ts')).list(options, terminal),
    },
    {
      name: 'open',
      about: 'open the gate of a pod, or with --all those of every pod',
      examples: [
        ['gates open dbt-run -n floe-jobs', 'let one pod start, with its Secrets or without'],
        ['gates open --all', 'all namespaces; with -n one of them'],
        ['gates open --all --dry-run', 'ask the API server whether it would, and change nothing'],
      ],
      declare: (command) => {
        command
          .argument('[pod]', 'name of the Pod')
          .option('--all', 'every pod, of all namespaces where -n names none')
          .option('--dry-run', 'ask the API server whether it would, and change nothing');
      },
      run: async (options, { terminal }) => (await import('./gates.ts')).open(options, terminal),
    },
  ],
};
