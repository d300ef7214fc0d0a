/** `floe-secrets migrate eso`: ExternalSecrets become sync resources of Infisical, and their Secrets stay. */
import { text } from '../kube/json.ts';
import { PUSH_SECRET } from '../migrate/push-manners.ts';
import { externalSecret } from '../plugins/external-secrets.ts';
import { readExternalSecrets } from './migrate-eso-read.ts';
import type { MigrationSource } from './migrate-source.ts';
import { countOfTwo } from './migrate-source.ts';
import { runMigration } from './migrate.ts';
import type { Options } from './options.ts';
import type { Terminal } from './terminal.ts';

const { kind } = externalSecret.resource;

const EXTERNAL_SECRETS: MigrationSource = {
  noun: kind,
  count: countOfTwo(kind, PUSH_SECRET.kind),
  gather: readExternalSecrets,
  owns: ({ from }) => [kind, PUSH_SECRET.kind].includes(text(from, 'kind') ?? ''),
};

export async function run(options: Options, terminal: Terminal): Promise<number> {
  return runMigration(options, terminal, EXTERNAL_SECRETS);
}
