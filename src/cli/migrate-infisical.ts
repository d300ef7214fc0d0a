/** `floe-secrets migrate infisical`: the way out again, to ExternalSecrets that read the same of Infisical. */
import { createLimiter } from '../cluster/limiter.ts';
import { readNamespaces, readSyncResources } from '../cluster/snapshot.ts';
import { readTargetSecret } from '../cluster/target-secret.ts';
import type { KubeObject } from '../kube/object.ts';
import { NAMESPACE, isSameKind, nameOf, namespaceOf } from '../kube/object.ts';
import type { Conversion } from '../migrate/conversion.ts';
import type { StoreReference } from '../migrate/eso-entries.ts';
import { convertToExternalSecret, isOfInfisical } from '../migrate/infisical-conversion.ts';
import { readingOf } from '../migrate/infisical-reading.ts';
import { externalSecrets } from '../plugins/external-secrets.ts';
import { infisicalStaticSecret } from '../plugins/infisical-static-secret.ts';
import { infisical, infisicalSecret } from '../plugins/infisical.ts';
import { policyOf } from '../review/policy.ts';
import { SYNC_KINDS, chainOf, rivalsOf, storeSeen } from './migrate-eso-rivals.ts';
import type { Gathered, Looking, MigrationSource } from './migrate-source.ts';
import { byName, countOfTwo, isLookedAt } from './migrate-source.ts';
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
  const store = wishedStore(options);
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
    const found = namespaces.find(({ raw }) => nameOf(raw) === place) ?? { kind: NAMESPACE, raw: {} };
    const conversion = convertToExternalSecret({
      object,
      reading,
      store,
      found: storeSeen(seen, store, place),
      target: await readTargetSecret(client, { namespace: place, name: reading.secret }),
      trusted: trustedLogin({ options, settings: settings.config.upstream, namespace: place }),
    });
    const policy = { ...policyOf(settings, found), namespace: place };
    const more = [...rivalsOf(conversion, seen, object), ...chainOf(policy, found, externalSecrets.id)];
    return { ...conversion, obstacles: [...conversion.obstacles, ...more] };
  };
  const limit = createLimiter(AT_ONCE);
  const conversions = await Promise.all(here.map((object) => limit(async () => convert(object))));
  return { conversions: conversions.toSorted(byName), failures: seen.failures };
}

/** Where it goes, and by which store; neither is guessed. */
function wishedStore(options: Options): StoreReference {
  if (textOption(options, 'to') !== 'external-secrets') {
    throw new CommandError('say where to: --to external-secrets', EXIT.usage);
  }
  const written = textOption(options, 'store') ?? '';
  const [, place, name] = /^(?:(SecretStore|ClusterSecretStore)\/)?([^/]+)$/.exec(written) ?? [];
  if (name === undefined) {
    const given = written === '' ? 'no store is named' : `--store ${written} is no store`;
    throw new CommandError(`${given}: give --store [ClusterSecretStore/]NAME`, EXIT.usage);
  }
  return { kind: place === 'ClusterSecretStore' ? place : 'SecretStore', name };
}
