/** Who claims a Secret, and whether the claim counts (contract, section 4). */
import type { KubeObject } from '../kube/object.ts';
import { createdAt, nameOf, namespaceOf, uidOf } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { Health, Plugin, SyncKind } from '../plugins/plugin.ts';
import { cleanWords } from './findings.ts';
import type { Inquiry } from './inquiry.ts';
import { kindKey } from './settings.ts';

/** One sync resource that targets the Secret. */
export interface Claim {
  readonly object: KubeObject;
  readonly plugin: Plugin;
  readonly kind: SyncKind;
  readonly health: Health;
  readonly namespace: string;
  readonly name: string;
}

export interface Claims {
  /** Those that count: of this namespace, or of a trusted one. */
  readonly trusted: readonly Claim[];
  /** Those of other namespaces: never evidence for, never grounds against a Secret that is there. */
  readonly foreign: readonly Claim[];
  /** Set where a kind of sync resource cannot be read and nothing else claims the Secret. */
  readonly unreadable?: ReadFailure;
}

export function claimsOf(inquiry: Inquiry, secret: string, record?: SecretRecord): Claims {
  const { settings, world, namespace } = inquiry;
  const trusted: Claim[] = [];
  const foreign: Claim[] = [];
  for (const object of world.targeting(namespace, secret)) {
    const known = settings.kindOf.get(kindKey(object.kind));
    if (known === undefined) continue;
    const claim = claimBy(object, known.kind, known.plugin);
    const counts = claim.namespace === namespace || settings.trustedNamespaces.has(claim.namespace);
    (counts ? trusted : foreign).push(claim);
  }
  const unreadable = trusted.length === 0 ? unreadableKind(inquiry) : undefined;
  return {
    trusted: ownersChoice(trusted, record),
    foreign,
    ...(unreadable === undefined ? {} : { unreadable }),
  };
}

function claimBy(object: KubeObject, kind: SyncKind, plugin: Plugin): Claim {
  return {
    object,
    kind,
    plugin,
    health: kind.health(object),
    namespace: namespaceOf(object.raw),
    name: nameOf(object.raw),
  };
}

/** Of several claimants, the one in the Secret's controller ownerReference; else all of them. */
function ownersChoice(claims: readonly Claim[], record: SecretRecord | undefined): readonly Claim[] {
  const controller = record?.ownerReferences.find((owner) => owner.controller);
  if (controller === undefined || claims.length < 2) return claims;
  const owner = claims.find(
    (claim) => claim.object.kind.kind === controller.kind && uidOf(claim.object.raw) === controller.uid,
  );
  return owner === undefined ? claims : [owner];
}

function unreadableKind({ settings, world }: Inquiry): ReadFailure | undefined {
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

/** Whether it cannot be relied on: it fails, was refused, or has been silent for longer than the grace. */
export function isUnhealthy(claim: Claim, now: number, pendingGrace: number): boolean {
  const { health } = claim;
  if (health.refused !== undefined) return true;
  if (health.verdict === 'failing') return health.generation !== 'behind';
  return health.verdict === 'none' && ageOf(claim, now) > pendingGrace;
}

/** "InfisicalSecret 'snowflake'", with the namespace where it is another one. */
export function titleOf(claim: Claim, here: string): string {
  const elsewhere = claim.namespace === here ? '' : ` of namespace '${claim.namespace}'`;
  return `${claim.object.kind.kind} '${claim.name}'${elsewhere}`;
}

/** "InfisicalSecret 'snowflake' reports …=False (…)": the operator's own words, cleaned. */
export function reportOf(claim: Claim, here: string): string {
  const title = titleOf(claim, here);
  const { refused, verdict, words, generation } = claim.health;
  if (refused !== undefined) return `${title} will never write it: ${cleanWords(refused)}`;
  if (verdict === 'none') return `${title} has no status yet`;
  if (generation === 'behind') return `${title} was edited and its operator has not read that yet`;
  return `${title} reports ${cleanWords(steady(words))}`;
}

/** What is new at every retry: request ids, times, source ports. Messages must stay the same for Events to add up. */
const PASSING =
  /\breq-[0-9A-Za-z]+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)|(?<=:)\d+(?=->)/g;

function steady(words: string): string {
  return words.replaceAll(PASSING, '…');
}

/** 'InfisicalSecret/floe-jobs/snowflake', for audit lines. */
export function referenceTo(claim: Claim): string {
  return `${claim.object.kind.kind}/${claim.namespace}/${claim.name}`;
}
