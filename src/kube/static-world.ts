/** A world that stands still: of files, of a test's literal, of one listing of a cluster. */
import type { KubeObject, ResourceKind } from './object.ts';
import { NAMESPACE, nameOf, namespaceOf } from './object.ts';
import type { SecretRecord } from './secret.ts';
import type { TargetName } from './target-index.ts';
import { createTargetIndex, identityOf } from './target-index.ts';
import type { Read, User, World } from './world.ts';
import { ABSENT, KNOWN, NOT_SERVED, present } from './world.ts';

export interface StaticParts {
  /** Namespaces, ServiceAccounts, Jobs, sync resources: whatever there is but Secrets. */
  readonly objects?: readonly KubeObject[];
  readonly secrets?: readonly SecretRecord[];
  /** Which Secrets an object targets; without it nothing targets any. */
  readonly targets?: (object: KubeObject) => readonly TargetName[];
  /** Whether the names of an object's targets cannot be read; without it all can. */
  readonly isOpaque?: (object: KubeObject) => boolean;
  /** The kinds that are served; without it all are. */
  readonly kinds?: readonly ResourceKind[];
  /** What the leader runs; without it nothing. */
  readonly controllers?: readonly string[];
  /** What users may do; without it nothing. */
  readonly access?: (user: User, verb: string, resource: string, namespace: string) => boolean;
}

/** A World of these parts; what they lack is absent. Of two objects with one name the later counts. */
export function worldOf(parts: StaticParts): World {
  const objects = new Map<string, Read<KubeObject>>();
  const secrets = new Map<string, Read<SecretRecord>>();
  const index = createTargetIndex(parts.targets ?? (() => []), parts.isOpaque);
  const kinds = parts.kinds === undefined ? undefined : new Set(parts.kinds.map(kindName));
  for (const object of parts.objects ?? []) {
    objects.set(identityOf(object.kind, namespaceOf(object.raw), nameOf(object.raw)), present(object));
    index.put(object);
  }
  for (const secret of parts.secrets ?? [])
    secrets.set(`${secret.namespace}/${secret.name}`, present(secret));
  const object: World['object'] = (kind, namespace, name) =>
    objects.get(identityOf(kind, namespace, name)) ?? ABSENT;
  return {
    namespace: (name) => object(NAMESPACE, '', name),
    secret: (namespace, name) => secrets.get(`${namespace}/${name}`) ?? ABSENT,
    object,
    access: (...question) => present(parts.access?.(...question) ?? false),
    targeting: index.targeting,
    targetsIn: index.targetsIn,
    opaqueIn: index.opaqueIn,
    watched: object,
    kind: (kind) => (kinds === undefined || kinds.has(kindName(kind)) ? KNOWN : NOT_SERVED),
    serves: (controller) => parts.controllers?.includes(controller) ?? false,
  };
}

function kindName(kind: ResourceKind): string {
  return `${kind.group}/${kind.kind}`;
}
