/** The declaration of `validate`. */
import type { CommandDeclaration } from './command.ts';
import { worldOption } from './command.ts';

export const VALIDATE_COMMAND: CommandDeclaration = {
  name: 'validate',
  about: 'check that every secret of a floe manifest exists',
  examples: [
    ['validate -c manifest.yaml -n floe-jobs', 'against the cluster'],
    ['validate --world cluster/', 'manifest.yaml here, against manifests'],
  ],
  declare: (command) => {
    worldOption(
      command.option(
        '-c, --config <manifest>',
        'floe manifest (default: manifest.yaml or platform-manifest.yaml here)',
      ),
    );
  },
  run: async (options, { terminal }) => (await import('./validate.ts')).run(options, terminal),
};
