/** `floe-secrets migrate eso`: ExternalSecrets become sync resources of Infisical, and their Secrets stay. */
import { text } from '../kube/json.ts';
import type { Conversion } from '../migrate/conversion.ts';
import { PUSH_SECRET } from '../migrate/push-manners.ts';
import { externalSecret } from '../plugins/external-secrets.ts';
import { readExternalSecrets } from './migrate-eso-read.ts';
import type { MigrationSource } from './migrate-source.ts';
import { runMigration } from './migrate.ts';
import type { Options } from './options.ts';
import { counted } from './print.ts';
import type { Terminal } from './terminal.ts';

const { kind } = externalSecret.resource;

const EXTERNAL_SECRETS: MigrationSource = {
  noun: kind,
  count: countsOf,
  gather: readExternalSecrets,
  owns: ({ from }) => [kind, PUSH_SECRET.kind].includes(text(from, 'kind') ?? ''),
};

export async function run(options: Options, terminal: Terminal): Promise<number> {
  return runMigration(options, terminal, EXTERNAL_SECRETS);
}

/** PushSecrets are told where there are some. */
function countsOf(conversions: readonly Conversion[]): string {
  const pushes = conversions.filter((one) => one.kind === PUSH_SECRET.kind).length;
  const others = conversions.length - pushes;
  const counts = [
    ...(others > 0 || pushes === 0 ? [counted(others, kind)] : []),
    ...(pushes === 0 ? [] : [counted(pushes, PUSH_SECRET.kind)]),
  ];
  return counts.join(' and ');
}
