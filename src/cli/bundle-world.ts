/**
 * The cluster as it will be once a bundle of manifests is applied: what the bundle declares counts as present,
 * everything else is the world's below.
 */
import type { WorldContents } from '../cluster/world-files.ts';
import { syncKindOf, targetsOf } from '../cluster/watched-kinds.ts';
import { worldOfContents } from '../cluster/world-files.ts';
import { KEYS } from '../contract/keys.ts';
import type { KubeObject } from '../kube/object.ts';
import { NAMESPACE, isSameKind, nameOf, namespaceOf } from '../kube/object.ts';
import { identityOf } from '../kube/target-index.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Read, World } from '../kube/world.ts';
import { present } from '../kube/world.ts';
import type { SyncKind, Target, View } from '../plugins/plugin.ts';

/** How a namespace counts that neither the bundle nor the world below holds. */
export const ASSUMPTIONS = ['audit', 'warn', 'strict', 'out'] as const;
export type Assumption = (typeof ASSUMPTIONS)[number];

export interface Bundle {
  readonly contents: WorldContents;
  readonly kinds: readonly SyncKind[];
  readonly assume: Assumption;
}

export interface BundleWorld {
  readonly world: World;
  /** Takes it that a Secret which a sync resource of the bundle will write has this key. False: nothing is new. */
  presume(namespace: string, secret: string, key: string): boolean;
}

/** Lays a bundle over a world. A sync resource of the bundle replaces the one of its name below. */
export function bundleWorldOf(bundle: Bundle, below: World): BundleWorld {
  const { contents, kinds, assume } = bundle;
  const top = worldOfContents(contents, kinds);
  const watched: World['watched'] = (kind, namespace, name) =>
    orElse(top.watched(kind, namespace, name), () => below.watched(kind, namespace, name));
  const promised = promisedSecrets(contents.syncResources, { kinds, find: watched });
  const replaced = new Set(contents.syncResources.map(nameFor));
  const overlaid = (above: readonly KubeObject[], under: readonly KubeObject[]): readonly KubeObject[] => [
    ...above,
    ...under.filter((object) => !replaced.has(nameFor(object))),
  ];
  return {
    presume: (namespace, secret, key) => {
      const keys = promised.get(keyOf({ namespace, name: secret }));
      if (keys === undefined || keys.has(key)) return false;
      keys.add(key);
      return true;
    },
    world: {
      namespace: (name) =>
        orElse(
          orElse(top.namespace(name), () => below.namespace(name)),
          () => assumed(name, assume),
        ),
      secret: (namespace, name) => {
        const declared = top.secret(namespace, name);
        const keys = promised.get(keyOf({ namespace, name }));
        if (declared.state === 'present' || keys === undefined)
          return orElse(declared, () => below.secret(namespace, name));
        return promisedSecret(below.secret(namespace, name), { namespace, name }, keys);
      },
      object: (kind, namespace, name) =>
        orElse(top.object(kind, namespace, name), () => below.object(kind, namespace, name)),
      access: (user, verb, resource, namespace) => below.access(user, verb, resource, namespace),
      targeting: (namespace, secret) =>
        overlaid(top.targeting(namespace, secret), below.targeting(namespace, secret)),
      targetsIn: (namespace) => [...new Set([...top.targetsIn(namespace), ...below.targetsIn(namespace)])],
      opaqueIn: (namespace) => overlaid(top.opaqueIn(namespace), below.opaqueIn(namespace)),
      watched,
      kind: (kind) =>
        contents.syncResources.some((one) => isSameKind(one.kind, kind)) ? top.kind(kind) : below.kind(kind),
      serves: (controller) => top.serves(controller) || below.serves(controller),
    },
  };
}

/** The keys that are presumed of each Secret that the bundle's sync resources will write. */
function promisedSecrets(
  syncResources: readonly KubeObject[],
  { kinds, find }: { readonly kinds: readonly SyncKind[]; readonly find: View['find'] },
): ReadonlyMap<string, Set<string>> {
  const healthy = syncResources.flatMap((object) => {
    const health = syncKindOf(kinds, object)?.health(object, { namespace: namespaceOf(object.raw), find });
    const hopeless = health?.refused !== undefined || health?.restraint !== undefined;
    return hopeless || health?.verdict === 'failing' ? [] : targetsOf(kinds, object);
  });
  return new Map(healthy.map((target) => [keyOf(target), new Set<string>()]));
}

/** A Secret that is there already keeps what is known of it; one that is to come is known by name alone. */
function promisedSecret(
  read: Read<SecretRecord>,
  target: Target,
  presumed: ReadonlySet<string>,
): Read<SecretRecord> {
  if (read.state === 'unread') return read;
  const record = read.state === 'present' ? read.value : { ...UNBORN, ...target };
  // A Secret without keys would count as empty: whatever is written, there will be something in it.
  const keys = new Set([...record.keys, ...presumed]);
  if (keys.size === 0) keys.add(placeholderOf(target));
  return present({ ...record, keys: [...keys].sort(), keysComplete: true });
}

const UNBORN: Omit<SecretRecord, 'namespace' | 'name'> = {
  uid: '',
  resourceVersion: '',
  ownerReferences: [],
  labels: {},
  annotations: {},
  type: 'Opaque',
  keys: [],
  keysComplete: true,
  writes: [],
};

/** A key that no two Secrets share and that any shell can use, so that it gives no finding of its own. */
function placeholderOf({ name }: Target): string {
  return `KEYS_OF_${name.replaceAll(/[^a-z0-9]/g, '_').toUpperCase()}`;
}

function assumed(name: string, assume: Assumption): Read<KubeObject> {
  const labels = assume === 'out' ? {} : { [KEYS.injection]: 'enabled', [KEYS.enforcement]: assume };
  return present({
    kind: NAMESPACE,
    raw: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
  });
}

function orElse<T>(read: Read<T>, otherwise: () => Read<T>): Read<T> {
  return read.state === 'absent' ? otherwise() : read;
}

function keyOf({ namespace, name }: Target): string {
  return `${namespace}/${name}`;
}

function nameFor({ kind, raw }: KubeObject): string {
  return identityOf(kind, namespaceOf(raw), nameOf(raw));
}
