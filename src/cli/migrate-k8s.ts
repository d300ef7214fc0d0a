/** `floe-secrets migrate k8s`: what plain Secrets hold goes to Infisical, which keeps them from then on. */
import type { Client } from '../cluster/client.ts';
import { createLimiter } from '../cluster/limiter.ts';
import { objectPath } from '../cluster/paths.ts';
import { readObject } from '../cluster/read-object.ts';
import { listSecrets } from '../cluster/secret-table.ts';
import { SECRET } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import { convertSecret } from '../migrate/k8s-conversion.ts';
import { MIGRATION } from '../migrate/names.ts';
import type { StandingSecret } from '../migrate/standing-secret.ts';
import { isInternal, standingSecret } from '../migrate/standing-secret.ts';
import { readNeighbours } from './migrate-neighbours.ts';
import { readRecords } from './migrate-records.ts';
import type { Gathered, Looking, MigrationSource } from './migrate-source.ts';
import { runMigration } from './migrate.ts';
import type { Options } from './options.ts';
import { listOption } from './options.ts';
import type { Terminal } from './terminal.ts';

const PLAIN_SECRETS: MigrationSource = {
  noun: 'Secret',
  gather: readPlainSecrets,
  owns: ({ from }) => from === undefined,
};

export async function run(options: Options, terminal: Terminal): Promise<number> {
  return runMigration(options, terminal, PLAIN_SECRETS);
}

/** Secrets that are read at the same time. */
const AT_ONCE = 8;

/** Those of the names, or every Secret that people have made; in the order of their names. */
async function readPlainSecrets(looking: Looking): Promise<Gathered> {
  const { client, namespace, options } = looking;
  const names = listOption(options, 'names');
  const [neighbours, listed, records] = await Promise.all([
    readNeighbours(looking),
    listSecrets(client, namespace),
    readRecords(client, namespace),
  ]);
  const isDone = (secret: SecretRecord): boolean =>
    records.some(
      ({ namespace: place, secret: name, problem }) =>
        place === secret.namespace && name === secret.name && problem === undefined,
    );
  const wanted = listed.filter((secret) =>
    names.length > 0 ? names.includes(secret.name) : !isInternal(secret.type),
  );
  // What a migration rehearses on is none of its business.
  const here = wanted.filter((secret) => secret.labels[MIGRATION] === undefined && !isDone(secret));
  const limit = createLimiter(AT_ONCE);
  const read = await Promise.all(here.map((secret) => limit(async () => standing(client, secret))));
  const conversions = read
    .filter((secret) => secret !== undefined)
    .map((secret) => convertSecret({ secret, ...neighbours.of(secret.namespace, secret.name) }));
  return { conversions, failures: neighbours.failures };
}

async function standing(
  client: Client,
  { namespace, name }: SecretRecord,
): Promise<StandingSecret | undefined> {
  const raw = await readObject(client, objectPath(SECRET, namespace, name) ?? '');
  return raw === undefined ? undefined : standingSecret(raw);
}
