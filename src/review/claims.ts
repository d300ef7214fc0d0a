/** Who claims a Secret, and whether the claim counts (contract, section 4). */
import type { KubeObject, OwnerReference } from '../kube/object.ts';
import { controllerOf, createdAt, groupOf, isSameKind, nameOf, namespaceOf, uidOf } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { Health, Plugin, SyncKind, View } from '../plugins/plugin.ts';
import type { Inquiry } from './inquiry.ts';
import type { KnownKind } from './settings.ts';
import { kindKey } from './settings.ts';

/** One sync resource that targets the Secret. */
export interface Claim {
  readonly object: KubeObject;
  readonly kind: SyncKind;
  /** The running plugins that have its kind; `isOwnedBy` says which of them it belongs to. */
  readonly plugins: readonly Plugin[];
  readonly health: Health;
  readonly view: View;
  readonly namespace: string;
  readonly name: string;
}

export interface Claims {
  /** Those that count: of this namespace, of a trusted one, or of the whole cluster. */
  readonly trusted: readonly Claim[];
  /** Those of other namespaces: never evidence for, never grounds against a Secret that is there. */
  readonly foreign: readonly Claim[];
  /** The plugin that claims it by its operator's mark, where no sync resource does. */
  readonly marked: Plugin | undefined;
  /** Set where a kind of sync resource cannot be read and nothing else claims the Secret. */
  readonly unreadable: ReadFailure | undefined;
}

export function claimsOf(inquiry: Inquiry, secret: string, record?: SecretRecord): Claims {
  const { settings, world, namespace } = inquiry;
  const targeting = world.targeting(namespace, secret);
  const owner = record === undefined ? undefined : opaqueOwner(inquiry, record);
  const objects = owner === undefined || targeting.includes(owner) ? targeting : [owner, ...targeting];
  if (objects.length === 0) return unclaimed(inquiry, record);
  const view = viewOf(inquiry);
  const trusted: Claim[] = [];
  const foreign: Claim[] = [];
  for (const object of objects) {
    const known = settings.kindOf.get(kindKey(object.kind));
    if (known === undefined) continue;
    const claim = claimBy(object, known, view);
    if (!claim.plugins.some((plugin) => isOwnedBy(claim, plugin))) continue;
    const counts =
      claim.namespace === namespace ||
      claim.namespace === '' ||
      settings.trustedNamespaces.has(claim.namespace);
    (counts ? trusted : foreign).push(claim);
  }
  if (trusted.length === 0) return { ...unclaimed(inquiry, record), foreign };
  const counting = ownersChoice(withoutMakers(trusted), record);
  return { trusted: counting, foreign, marked: undefined, unreadable: undefined };
}

/** No sync resource that counts: then its operator's mark may claim it, or what would is not readable. */
function unclaimed(inquiry: Inquiry, record: SecretRecord | undefined): Claims {
  const marked = record === undefined ? undefined : inquiry.settings.markingOf(record);
  const unreadable = marked === undefined ? unreadableKind(inquiry) : undefined;
  return marked === undefined && unreadable === undefined ? NOBODY : { ...NOBODY, marked, unreadable };
}

const NONE: readonly Claim[] = Object.freeze([]);
const NOBODY: Claims = Object.freeze({
  trusted: NONE,
  foreign: NONE,
  marked: undefined,
  unreadable: undefined,
});

/** A claim as it stands in one namespace. */
export function claimBy(object: KubeObject, { kind, plugins }: KnownKind, view: View): Claim {
  return {
    object,
    kind,
    plugins,
    view,
    health: kind.health(object, view),
    namespace: namespaceOf(object.raw),
    name: nameOf(object.raw),
  };
}

export function viewOf({ world, namespace }: Inquiry): View {
  return { namespace, find: world.watched };
}

/** Whether the resource belongs to this plugin: several may share its kind. */
export function isOwnedBy({ object, plugins, view }: Claim, plugin: Plugin): boolean {
  return plugins.includes(plugin) && (plugin.owns?.(object, view) ?? true);
}

/** The plugin under which it is recorded: one of the chain, else the first that it belongs to. */
export function pluginOf(claim: Claim, chain: readonly Plugin[] = []): Plugin | undefined {
  const owns = (plugin: Plugin): boolean => isOwnedBy(claim, plugin);
  return chain.find(owns) ?? claim.plugins.find(owns);
}

/** The Secret's owner, where that does not tell which Secrets it targets. */
function opaqueOwner({ settings, world, namespace }: Inquiry, record: SecretRecord): KubeObject | undefined {
  const owner = record.ownerReferences.find((one) => one.controller);
  if (owner === undefined) return undefined;
  const known = settings.kindOf.get(kindKey({ group: groupOf(owner.apiVersion), kind: owner.kind }));
  if (known?.kind.isOpaque === undefined) return undefined;
  const read = world.watched(known.kind.resource, namespace, owner.name);
  if (read.state !== 'present' || uidOf(read.value.raw) !== owner.uid) return undefined;
  return known.kind.isOpaque(read.value) ? read.value : undefined;
}

/**
 * A resource that only makes other resources (a ClusterExternalSecret) speaks through those that are there. One of a
 * namespace makes none: anybody can write an ownerReference that would silence it.
 */
function withoutMakers(claims: readonly Claim[]): readonly Claim[] {
  if (claims.length < 2) return claims;
  const makers = new Set(claims.map((claim) => controllerOf(claim.object.raw)?.uid));
  return claims.filter(({ object, kind }) => kind.resource.namespaced || !makers.has(uidOf(object.raw)));
}

/** Of several claimants, the one in the Secret's controller ownerReference; else all of them. */
function ownersChoice(claims: readonly Claim[], record: SecretRecord | undefined): readonly Claim[] {
  if (record === undefined || claims.length < 2) return claims;
  const owner = claims.find((claim) => record.ownerReferences.some((one) => isOwner(claim, one)));
  return owner === undefined ? claims : [owner];
}

function isOwner({ object, kind }: Claim, owner: OwnerReference): boolean {
  const counts = owner.controller || kind.ownsWithoutController === true;
  const group = groupOf(owner.apiVersion);
  return counts && isSameKind(object.kind, { group, kind: owner.kind }) && uidOf(object.raw) === owner.uid;
}

/** The kinds are many and the same for each Secret of a review: they are gone through once. */
function unreadableKind(inquiry: Inquiry): ReadFailure | undefined {
  const unreadable = (inquiry.unreadable ??= firstUnreadable(inquiry) ?? 'none');
  return unreadable === 'none' ? undefined : unreadable;
}

function firstUnreadable({ settings, world }: Inquiry): ReadFailure | undefined {
  for (const { resource } of settings.kinds) {
    const known = world.kind(resource);
    if (known.state === 'failed') return known.failure;
  }
  return undefined;
}

/** Milliseconds since the resource was created or its spec last written; Infinity where neither is known. */
export function ageOf(claim: Claim, now: number): number {
  return now - Math.max(createdAt(claim.object.raw) ?? -Infinity, claim.object.specWrittenAt ?? -Infinity);
}

/** Whether it cannot be relied on: it fails, writes nothing, or has been silent for longer than the grace. */
export function isUnhealthy(claim: Claim, now: number, pendingGrace: number): boolean {
  const { health } = claim;
  if (health.refused !== undefined || health.restraint?.from === 'write') return true;
  if (health.verdict === 'failing') return health.generation !== 'behind';
  return health.verdict === 'none' && ageOf(claim, now) > pendingGrace;
}

/** Whether it will never create a Secret that is not there. */
export function isUnwilling({ health }: Claim): boolean {
  return health.refused !== undefined || health.restraint !== undefined;
}
