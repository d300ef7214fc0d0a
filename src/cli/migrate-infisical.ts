/** `floe-secrets migrate infisical`: the way out again, to External Secrets or to Vault Secrets Operator. */
import { createLimiter } from '../cluster/limiter.ts';
import { readNamespaces, readSyncResources } from '../cluster/snapshot.ts';
import { readTargetSecret } from '../cluster/target-secret.ts';
import type { KubeObject } from '../kube/object.ts';
import { isSameKind, namespaceOf } from '../kube/object.ts';
import type { Conversion } from '../migrate/conversion.ts';
import { isOfInfisical } from '../migrate/way-out.ts';
import { readingOf } from '../migrate/infisical-reading.ts';
import { infisicalStaticSecret } from '../plugins/infisical-static-secret.ts';
import { infisical, infisicalSecret } from '../plugins/infisical.ts';
import { SYNC_KINDS, chainOf, rivalsOf, tenancyOf } from './migrate-eso-rivals.ts';
import type { Gathered, Looking, MigrationSource } from './migrate-source.ts';
import { byName, countOfTwo, homeAt, isLookedAt } from './migrate-source.ts';
import type { Successor } from './migrate-successor.ts';
import { toExternalSecrets } from './migrate-to-external-secrets.ts';
import { toVault } from './migrate-to-vault.ts';
import { trustedLogin } from './migrate-wish.ts';
import { runMigration } from './migrate.ts';
import type { Options } from './options.ts';
import { textOption } from './options.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT } from './terminal.ts';

const { kind } = infisicalSecret.resource;

const INFISICAL_SECRETS: MigrationSource = {
  noun: kind,
  count: countOfTwo(kind, infisicalStaticSecret.resource.kind),
  gather: readInfisicalSecrets,
  owns: ({ from }) => isOfInfisical(from),
};

export async function run(options: Options, terminal: Terminal): Promise<number> {
  return runMigration(options, terminal, INFISICAL_SECRETS);
}

/** Secrets that are read at the same time. */
const AT_ONCE = 8;

/** Every sync resource of Infisical in the namespace, in the order of their names. */
async function readInfisicalSecrets(looking: Looking): Promise<Gathered> {
  const { client, namespace, options, settings } = looking;
  const successor = await successorFor(looking);
  const view = { kinds: SYNC_KINDS, ...(namespace === undefined ? {} : { namespace }) };
  const [seen, namespaces] = await Promise.all([
    readSyncResources(client, view),
    readNamespaces(client, view),
  ]);
  const here = seen.syncResources.filter(
    ({ kind: one, raw }) =>
      infisical.kinds.some(({ resource }) => isSameKind(resource, one)) && isLookedAt(raw, namespace),
  );
  const convert = async (object: KubeObject): Promise<Conversion> => {
    const place = namespaceOf(object.raw);
    const reading = readingOf(object);
    const { found, policy } = homeAt(place, namespaces, settings);
    const target = await readTargetSecret(client, { namespace: place, name: reading.secret });
    const trusted = trustedLogin({ options, settings: settings.config.upstream, namespace: place });
    const conversion = await successor.convert({ object, reading, target, trusted }, seen);
    const more = [
      ...rivalsOf(conversion, seen, object),
      ...chainOf(policy, found, successor.plugin),
      ...tenancyOf(conversion, { settings, policy, found, seen }),
    ];
    return { ...conversion, obstacles: [...conversion.obstacles, ...more] };
  };
  const limit = createLimiter(AT_ONCE);
  const conversions = await Promise.all(here.map((object) => limit(async () => convert(object))));
  return { conversions: conversions.toSorted(byName), failures: seen.failures };
}

/** Where they go is never guessed. */
async function successorFor(looking: Looking): Promise<Successor> {
  const to = textOption(looking.options, 'to');
  if (to === 'external-secrets') return toExternalSecrets(looking);
  if (to === 'vault') return toVault(looking);
  throw new CommandError('say where to: --to external-secrets or --to vault', EXIT.usage);
}
