/** What `migrate eso` looks at: ExternalSecrets with their stores and Secrets, who else is there, and the records. */
import { createLimiter } from '../cluster/limiter.ts';
import { resourceName } from '../cluster/paths.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import { readNamespaces, readSyncResources } from '../cluster/snapshot.ts';
import { readTargetSecret } from '../cluster/target-secret.ts';
import { KEYS } from '../contract/keys.ts';
import type { KubeObject } from '../kube/object.ts';
import { NAMESPACE, isSameKind, nameOf, namespaceOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import { ABSENT, present } from '../kube/world.ts';
import type { Conversion, Obstacle } from '../migrate/conversion.ts';
import { convertExternalSecret, targetNameOf } from '../migrate/eso-conversion.ts';
import type { StoreReference } from '../migrate/eso-entries.ts';
import { externalSecret } from '../plugins/external-secrets.ts';
import { infisicalStaticSecret } from '../plugins/infisical-static-secret.ts';
import { infisical, infisicalSecret } from '../plugins/infisical.ts';
import { CLUSTER_SECRET_STORE, SECRET_STORE } from '../plugins/secret-stores.ts';
import type { Policy } from '../review/policy.ts';
import { isOptedIn, policyOf } from '../review/policy.ts';
import type { Gathered, Looking } from './migrate-source.ts';
import { wishFor, wishedKind } from './migrate-wish.ts';

/** Secrets that are read at the same time. */
const AT_ONCE = 8;

const KINDS = [externalSecret, infisicalSecret, infisicalStaticSecret];

/** Every ExternalSecret of the namespace, in the order of their names. */
export async function readExternalSecrets(looking: Looking): Promise<Gathered> {
  const { client, namespace, options } = looking;
  const kind = await wishedKind(client, options);
  const view = { kinds: KINDS, ...(namespace === undefined ? {} : { namespace }) };
  const [seen, namespaces] = await Promise.all([
    readSyncResources(client, view),
    readNamespaces(client, view),
  ]);
  const here = seen.syncResources.filter(
    ({ kind: own, raw }) =>
      isSameKind(own, externalSecret.resource) && (namespace === undefined || namespaceOf(raw) === namespace),
  );
  const limit = createLimiter(AT_ONCE);
  const conversions = await Promise.all(
    here.map((object) =>
      limit(async () => {
        const place = namespaceOf(object.raw);
        const found = namespaces.find(({ raw }) => nameOf(raw) === place) ?? { kind: NAMESPACE, raw: {} };
        const policy = policyOf(looking.settings, found);
        const target = await readTargetSecret(client, { namespace: place, name: targetNameOf(object.raw) });
        const wish = wishFor({
          kind,
          options,
          settings: looking.settings.config.upstream,
          env: looking.terminal.env,
          policy: { ...policy, namespace: place },
        });
        const findStore = (reference: StoreReference): Read<KubeObject> => storeIn(seen, reference, place);
        const conversion = convertExternalSecret({ object, findStore, target, wish });
        const more = [...rivalsOf(conversion, seen, object), ...chainOf(policy, found)];
        return { ...conversion, obstacles: [...conversion.obstacles, ...more] };
      }),
    ),
  );
  return { conversions: conversions.toSorted(byName), failures: seen.failures };
}

function byName(one: Conversion, other: Conversion): number {
  const [a, b] = [one, other].map(({ namespace, name }) => `${namespace}/${name}`) as [string, string];
  return a < b ? -1 : a > b ? 1 : 0;
}

type Seen = Pick<Snapshot, 'syncResources' | 'companions' | 'kindStates'>;

function storeIn(
  { companions, kindStates }: Seen,
  { kind, name }: StoreReference,
  home: string,
): Read<KubeObject> {
  const resource = kind === 'SecretStore' ? SECRET_STORE : CLUSTER_SECRET_STORE;
  const place = resource.namespaced ? home : '';
  const found = companions.find(
    (one) => isSameKind(one.kind, resource) && nameOf(one.raw) === name && namespaceOf(one.raw) === place,
  );
  if (found !== undefined) return present(found);
  const state = kindStates.get(resourceName(resource));
  return state?.state === 'failed' ? state : ABSENT;
}

/** Whoever else writes the Secret, or has the name of the resource that is to be made. */
function rivalsOf(conversion: Conversion, { syncResources }: Seen, self: KubeObject): readonly Obstacle[] {
  const { namespace, secret, to } = conversion;
  const titles = (objects: readonly KubeObject[]): string =>
    objects.map(({ kind, raw }) => `${kind.kind} '${nameOf(raw)}'`).join(', ');
  const rivals = syncResources.filter((object) => {
    const sync = KINDS.find(({ resource }) => isSameKind(resource, object.kind));
    const targets = sync?.targets(object) ?? [];
    return object !== self && targets.some((one) => one.namespace === namespace && one.name === secret);
  });
  if (rivals.length > 0) return [{ where: '', why: `${titles(rivals)} writes the same Secret` }];
  const taken = syncResources.filter(
    ({ kind, raw }) =>
      kind.kind === to?.['kind'] && nameOf(raw) === nameOf(to) && namespaceOf(raw) === namespace,
  );
  return taken.length === 0 ? [] : [{ where: '', why: `${titles(taken)} is there already` }];
}

/** Pods that inject the Secret are refused where the chain of their namespace does not have its new operator. */
function chainOf({ chain }: Policy, namespace: KubeObject): readonly Obstacle[] {
  if (!isOptedIn(namespace) || chain.some(({ id }) => id.startsWith(infisical.id))) return [];
  const ids = chain.map(({ id }) => id).join(',');
  const name = nameOf(namespace.raw);
  return [
    {
      where: `Namespace '${name}'`,
      why: `its pods would not get the Secret any more (E804): the chain '${ids}' is without infisical`,
      fix: `kubectl annotate namespace ${name} ${KEYS.plugin}=${ids},infisical --overwrite`,
    },
  ];
}
