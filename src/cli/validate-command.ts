/** The declaration of `validate`. */
import type { CommandDeclaration } from './command.ts';
import { collected, worldOption } from './command.ts';

export const VALIDATE_COMMAND: CommandDeclaration = {
  name: 'validate',
  about: 'check that every secret of a floe manifest exists',
  examples: [
    ['validate -c manifest.yaml -n floe-jobs', 'against the cluster'],
    ['validate --artifacts target/compiled_artifacts.json', 'what a compiled product needs'],
    ['validate --world cluster/', 'manifest.yaml here, against manifests'],
    ['validate --upstream', 'ask Infisical and Vault too'],
  ],
  declare: (command) => {
    worldOption(
      command
        .option(
          '-c, --config <manifest>',
          'floe manifest (default: manifest.yaml or platform-manifest.yaml here)',
        )
        .option(
          '--artifacts <file>',
          'compiled artifacts or a floe.yaml, besides or instead of a manifest; may be repeated',
          collected,
        )
        .option('--upstream', 'ask the secret stores too whether they have the keys'),
    );
  },
  run: async (options, { terminal }) => (await import('./validate.ts')).run(options, terminal),
};
