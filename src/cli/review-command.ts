/** The declaration of `review`. */
import { Option } from 'commander';
import type { CommandDeclaration } from './command.ts';
import { FILENAME_FLAGS, collected, worldOption } from './command.ts';

export const REVIEW_COMMAND: CommandDeclaration = {
  name: 'review',
  about: 'judge manifests as the webhook would',
  examples: [
    ['review -f pod.yaml --world cluster/', 'without a cluster'],
    ['review -f - --live < rendered.yaml', 'a rendered chart against the cluster'],
    ['review -f deploy/ -o diff', 'what would be injected'],
    ['review -f deploy/ -o sarif --baseline known.json', 'for code scanning; only new findings fail'],
  ],
  declare: (command) => {
    worldOption(
      command
        .argument('[files...]', 'files and folders, as with -f')
        .option(FILENAME_FLAGS, 'file, folder or - for stdin; may be repeated', collected)
        .option('--live', 'judge against the cluster')
        .addOption(
          new Option('--assume-namespace <mode>', 'what a namespace is that nothing declares')
            .choices(['audit', 'warn', 'strict', 'out'])
            .default('strict'),
        )
        .option('--baseline <file>', 'earlier result (json or sarif): only new findings fail')
        .option('--config <file>', 'settings file of the webhook'),
    );
  },
  run: async (options, { terminal, version }) =>
    (await import('./review.ts')).run(options, terminal, version),
};
