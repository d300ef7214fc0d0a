/** The declaration of `serve`: every setting is a flag. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Setting } from '../config/settings.ts';
import { ALL_SETTINGS, DEFAULT_CONFIG_FILE, SHORT_FLAGS } from '../config/settings.ts';
import type { CommandDeclaration } from './command.ts';

export const SERVE_COMMAND: CommandDeclaration = {
  name: 'serve',
  about: 'run the webhook',
  examples: [
    ['serve --cert-dir certs', 'with the cluster of the pod, or of the kubeconfig'],
    ['serve --cert-dir certs --world manifests', 'without an API server'],
  ],
  declare: declareServe,
  run: async (options, parts) => (await import('./serve.ts')).run(options, parts),
};

function declareServe(command: Command): void {
  command
    .option('--config <file>', `settings file (default: ${DEFAULT_CONFIG_FILE}, if it is there)`)
    .option('--world <dir>', 'folder of manifests to take for the cluster; no API server is asked');
  for (const { flag, env, setting } of ALL_SETTINGS) {
    const short = Object.keys(SHORT_FLAGS).find((name) => SHORT_FLAGS[name] === flag);
    if (short !== undefined) command.option(`--${short} <${setting.kind}>`, `short for --${flag}`);
    command.addOption(
      new Option(
        `--${flag} <${setting.kind}>`,
        `${setting.about} (default: ${written(setting)}; env: ${env})`,
      ).helpGroup('Settings, each also in the file and in the environment:'),
    );
  }
}

function written(setting: Setting): string {
  const value = setting.default;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',');
  return value === '' ? 'none' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}
