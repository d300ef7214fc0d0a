/** `floe-secrets migrate eso`: ExternalSecrets become sync resources of Infisical, and their Secrets stay. */
import { externalSecret } from '../plugins/external-secrets.ts';
import { readExternalSecrets } from './migrate-eso-read.ts';
import type { MigrationSource } from './migrate-source.ts';
import { runMigration } from './migrate.ts';
import type { Options } from './options.ts';
import type { Terminal } from './terminal.ts';

const { kind } = externalSecret.resource;

const EXTERNAL_SECRETS: MigrationSource = {
  noun: kind,
  gather: readExternalSecrets,
  owns: ({ from }) => from?.['kind'] === kind,
};

export async function run(options: Options, terminal: Terminal): Promise<number> {
  return runMigration(options, terminal, EXTERNAL_SECRETS);
}
