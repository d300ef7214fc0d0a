/** What stands around an ExternalSecret: its stores, whoever writes the same Secret, and the chain of its namespace. */
import { resourceName } from '../cluster/paths.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import { KEYS } from '../contract/keys.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { isSameKind, nameOf, namespaceOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import { ABSENT, present } from '../kube/world.ts';
import type { Conversion, Obstacle } from '../migrate/conversion.ts';
import type { StoreReference } from '../migrate/eso-entries.ts';
import { externalSecret } from '../plugins/external-secrets.ts';
import { kindOfManifest, mannerOf } from '../migrate/manners.ts';
import { infisicalStaticSecret } from '../plugins/infisical-static-secret.ts';
import { infisical, infisicalSecret } from '../plugins/infisical.ts';
import { CLUSTER_SECRET_STORE, SECRET_STORE } from '../plugins/secret-stores.ts';
import { vault } from '../plugins/vault.ts';
import type { Policy } from '../review/policy.ts';
import { isOptedIn } from '../review/policy.ts';
import type { Settings } from '../review/settings.ts';
import { claimFindings } from '../review/tenancy.ts';

/** Those between which Secrets are handed over, and who writes them beside. */
export const SYNC_KINDS = [externalSecret, infisicalSecret, infisicalStaticSecret, ...vault.kinds];

export type Companions = Pick<Snapshot, 'companions' | 'kindStates'>;
type Seen = Companions & Pick<Snapshot, 'syncResources'>;

/** A store by its reference in the namespace. */
export function storeSeen(seen: Companions, { kind, name }: StoreReference, home: string): Read<KubeObject> {
  const resource = kind === 'SecretStore' ? SECRET_STORE : CLUSTER_SECRET_STORE;
  return companionSeen(seen, resource, resource.namespaced ? home : '', name);
}

function companionSeen(
  { companions, kindStates }: Companions,
  resource: ResourceKind,
  ...[namespace, name]: readonly [namespace: string, name: string]
): Read<KubeObject> {
  const found = companions.find(
    (one) => isSameKind(one.kind, resource) && nameOf(one.raw) === name && namespaceOf(one.raw) === namespace,
  );
  if (found !== undefined) return present(found);
  const state = kindStates.get(resourceName(resource));
  return state?.state === 'failed' ? state : ABSENT;
}

/** Whoever else writes the Secret, or has the name of the resource that is to be made. */
export function rivalsOf(conversion: Conversion, seen: Seen, self: KubeObject): readonly Obstacle[] {
  const { namespace, secret } = conversion;
  const rivals = seen.syncResources.filter((object) => {
    const sync = SYNC_KINDS.find(({ resource }) => isSameKind(resource, object.kind));
    const targets = sync?.targets(object) ?? [];
    return object !== self && targets.some((one) => one.namespace === namespace && one.name === secret);
  });
  if (rivals.length === 0) return takenBy(conversion, seen);
  return [{ where: '', why: `${titlesOf(rivals)} writes the same Secret` }];
}

/** Whatever has the name of the resource that is to be made. */
export function takenBy({ namespace, to }: Conversion, { syncResources }: Seen): readonly Obstacle[] {
  const taken = syncResources.filter(
    ({ kind, raw }) =>
      kind.kind === to?.['kind'] && nameOf(raw) === nameOf(to) && namespaceOf(raw) === namespace,
  );
  return taken.length === 0 ? [] : [{ where: '', why: `${titlesOf(taken)} is there already` }];
}

function titlesOf(objects: readonly KubeObject[]): string {
  return objects.map(({ kind, raw }) => `${kind.kind} '${nameOf(raw)}'`).join(', ');
}

/** Pods that inject the Secret are refused where the chain of their namespace does not have its new operator, `plugin`. */
export function chainOf(
  { chain }: Policy,
  namespace: KubeObject,
  plugin: string = infisical.id,
): readonly Obstacle[] {
  if (!isOptedIn(namespace) || chain.some(({ id }) => id.startsWith(plugin))) return [];
  const ids = chain.map(({ id }) => id).join(',');
  const name = nameOf(namespace.raw);
  return [
    {
      where: `Namespace '${name}'`,
      why: `its pods would not get the Secret any more (E804): the chain '${ids}' is without ${plugin}`,
      fix: `kubectl annotate namespace ${name} ${KEYS.plugin}=${ids},${plugin} --overwrite`,
    },
  ];
}

/** What the namespace's own lists would refuse of the new resource (E810, E811). */
export function tenancyOf({ namespace, to }: Conversion, { settings, policy, found, seen }: Home) {
  if (to === undefined || !isOptedIn(found)) return [];
  const reader = {
    object: { kind: kindOfManifest(to), raw: to },
    kind: mannerOf(to).sync,
    view: {
      namespace,
      find: (kind: ResourceKind, place: string, name: string) => companionSeen(seen, kind, place, name),
    },
    namespace,
    name: nameOf(to),
  };
  return claimFindings(settings, policy, reader, namespace).map(({ code, what, suggestion }): Obstacle => ({
    where: '',
    why: `${what} (${code.replace('FLOE-', '')})`,
    ...(suggestion === undefined ? {} : { fix: suggestion }),
  }));
}

/** A namespace, as it is read. */
interface Home {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly found: KubeObject;
  readonly seen: Seen;
}
