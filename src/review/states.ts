/** From the state of a Secret to what each group of references gets to hear about it. */
import type { Severity, State } from '../contract/reasons.ts';
import type { Bench } from './bench.ts';
import { remedyOf, titlesOf } from './claim-words.ts';
import type { Claims } from './claims.ts';
import { isOwnedBy, pluginOf } from './claims.ts';
import type { Draft } from './findings.ts';
import { draft } from './findings.ts';
import { lookAlike, opaqueClause } from './hints.ts';
import { wantAllKeys } from './inquiry.ts';
import { unreadable } from './levels.ts';
import type { Group, Use } from './references.ts';
import type { Resolution } from './resolve.ts';

interface Stated {
  readonly state: State;
  readonly drafts: readonly Draft[];
}

export function stateFindings(bench: Bench, group: Group, resolution: Resolution): Stated {
  if (bench.isSelfProvided(group.secret)) return { state: 'Synced', drafts: [] };
  if (resolution.failure !== undefined) return unknown(group, resolution);
  if (resolution.record === undefined) return absent(bench, group, resolution);
  if (resolution.state === 'Empty') return empty(bench, group, resolution);
  const lacking = missingKeys(bench, group, resolution);
  const more = presentFindings(bench, group, resolution);
  if (lacking.length > 0) return { state: 'KeysMissing', drafts: [...lacking, ...more.drafts] };
  return more;
}

function unknown(group: Group, { failure }: Resolution): Stated {
  const read = unreadable(
    `Secret '${group.secret}'`,
    failure ?? { reason: 'unavailable', message: 'no answer' },
  );
  return { state: 'Unknown', drafts: [about(group, read, 'all')] };
}

function absent(bench: Bench, group: Group, resolution: Resolution): Stated {
  if (group.references.every((reference) => reference.optional)) return { state: 'Optional', drafts: [] };
  const made =
    resolution.state === 'Missing' ? missing(bench, group, resolution) : notSynced(bench, group, resolution);
  return {
    state: resolution.state,
    drafts: [about(group, { ...made, state: resolution.state }, 'required')],
  };
}

function empty(bench: Bench, group: Group, resolution: Resolution): Stated {
  if (group.references.every((reference) => reference.optional)) return { state: 'Optional', drafts: [] };
  return { state: 'Empty', drafts: [about(group, notSynced(bench, group, resolution), 'required')] };
}

function notSynced(bench: Bench, group: Group, resolution: Resolution): Draft {
  const { namespace } = bench.inquiry;
  const { culprit, claims, state } = resolution;
  const yet = bench.absentIsLater && state !== 'Empty' ? 'is not there yet' : 'is not synced';
  const stranger = culprit !== undefined && claims.foreign.includes(culprit);
  const distrust = stranger ? `; namespace '${culprit.namespace}' is not trusted to write here` : '';
  const what = `Secret '${group.secret}' in namespace '${namespace}' ${yet}: ${resolution.why ?? 'no status'}${distrust}`;
  if (culprit === undefined) return draft('FLOE-E803', what);
  const suggestion = state === 'Gone' ? culprit.kind.revive : remedyOf(culprit);
  return draft('FLOE-E803', what, { suggestion });
}

function missing(bench: Bench, group: Group, { claims }: Resolution): Draft {
  const { namespace } = bench.inquiry;
  const yet = bench.absentIsLater ? 'is not there yet' : 'not found';
  const found = `Secret '${group.secret}' ${yet} in namespace '${namespace}'`;
  const doubt =
    claims.unreadable === undefined
      ? ''
      : `; whether a sync resource targets it is not known: ${claims.unreadable.message}`;
  const near = lookAlike(bench, group.secret);
  const opaque = opaqueClause(bench);
  const suggestion =
    near === undefined ? 'create it, or a sync resource that targets it' : `did you mean '${near}'?`;
  if (!group.injected || hasNative(bench))
    return draft('FLOE-E801', `${found}${opaque}${doubt}`, { suggestion });
  return draft('FLOE-E804', `${found}, and ${noClaimant(bench)}${opaque}${doubt}`, { suggestion });
}

/** "no plugin of the chain (infisical) claims it: no InfisicalSecret … targets it". */
function noClaimant({ inquiry, plan }: Bench): string {
  const ids = plan.chain.map((plugin) => plugin.id).join(', ');
  const kinds = plan.chain.flatMap((plugin) => plugin.kinds.map((kind) => kind.resource));
  const served = kinds.filter((kind) => inquiry.world.kind(kind).state !== 'notServed');
  const names = (served.length > 0 ? served : kinds).map((kind) => kind.kind).join(' or ');
  const why = served.length > 0 ? `no ${names} targets it` : `the CRD of ${names} is not installed`;
  return `no plugin of the chain (${ids}) claims it${kinds.length === 0 ? '' : `: ${why}`}`;
}

function missingKeys(bench: Bench, group: Group, { record }: Resolution): readonly Draft[] {
  if (record === undefined || group.references.every(({ keys }) => keys.length === 0)) return [];
  const lacking = lackingKeys(group, new Set(record.keys));
  if (lacking.size === 0) return [];
  // Metadata names the keys that were written through the API, which need not be all of them.
  if (!record.keysComplete) wantAllKeys(bench.inquiry, record.name);
  const { secret } = group;
  const title = `Secret '${secret}' in namespace '${bench.inquiry.namespace}'`;
  const shown = [...lacking].slice(0, SHOWN_KEYS);
  const drafts = shown.map(([key, uses]) => noKey(`${title} has no key '${key}'`, { secret, key, uses }));
  const more = lacking.size - shown.length;
  return more === 0 ? drafts : [...drafts, noKey(`${title} lacks ${more} more keys`, { secret })];
}

/** Keys of one Secret that get a finding each. */
const SHOWN_KEYS = 50;

function noKey(what: string, where: Partial<Draft>): Draft {
  const suggestion = 'add the key where the Secret comes from, or correct the reference';
  return draft('FLOE-E802', what, { state: 'KeysMissing', ...where, suggestion });
}

/** The keys that are asked for and not there, with who asks. */
function lackingKeys({ references }: Group, there: ReadonlySet<string>): ReadonlyMap<string, readonly Use[]> {
  const lacking = new Map<string, Use[]>();
  for (const { keys, use } of references) {
    for (const key of keys) {
      if (there.has(key)) continue;
      const uses = lacking.get(key);
      if (uses === undefined) lacking.set(key, [use]);
      else uses.push(use);
    }
  }
  return lacking;
}

/** Rows 10 to 15 of a Secret that is there and has its keys. */
function presentFindings(bench: Bench, group: Group, resolution: Resolution): Stated {
  const drafts: Draft[] = [];
  const { unreadable: failure } = resolution.claims;
  if (failure !== undefined && !resolution.claimed) drafts.push(unreadableClaimants(bench, group, failure));
  const stale = staleFinding(bench, group, resolution);
  if (stale !== undefined) drafts.push(about(group, stale, 'all'));
  const unmanaged = failure === undefined ? unmanagedFinding(bench, group, resolution) : undefined;
  if (unmanaged !== undefined) drafts.push(unmanaged);
  const state = unmanaged?.severity === 'error' ? 'Unmanaged' : resolution.state;
  return { state, drafts };
}

/** Rows 11 and 12: what targets the Secret has never written it, or what it wrote is old. */
function staleFinding({ inquiry }: Bench, { secret }: Group, resolution: Resolution): Draft | undefined {
  const { state, why, tooOld } = resolution;
  if (state !== 'Stale' && why === undefined) return undefined;
  const title = `Secret '${secret}' in namespace '${inquiry.namespace}'`;
  const remedy = describe(resolution);
  if (state !== 'Stale')
    return draft('FLOE-E806', `${title} was never written by what targets it: ${why}`, remedy);
  const severity: Severity = tooOld ? 'error' : 'warning';
  return draft('FLOE-E806', `${title} is stale: ${why ?? ''}`, { severity, ...remedy });
}

function describe({ culprit }: Resolution): Partial<Draft> {
  return culprit === undefined ? {} : { suggestion: remedyOf(culprit) };
}

/** Row 10: an error only where the namespace asks what nobody can read. */
function unreadableClaimants(
  { policy }: Bench,
  group: Group,
  failure: NonNullable<Resolution['failure']>,
): Draft {
  const asked =
    policy.allowedProjects !== undefined ||
    policy.maxSyncAge !== undefined ||
    policy.environment !== undefined;
  const made = unreadable(`what syncs Secret '${group.secret}'`, failure);
  // The Secret is there, so this is no state that passes by itself: it is refused, not retried.
  return about(group, { ...made, state: 'Synced', severity: asked ? 'error' : 'warning' }, 'all');
}

/** Rows 14 and 15, and Secrets that are claimed, but by no operator of the chain. */
function unmanagedFinding(bench: Bench, group: Group, resolution: Resolution): Draft | undefined {
  if (hasNative(bench)) return undefined;
  const title = `Secret '${group.secret}' in namespace '${bench.inquiry.namespace}'`;
  if (resolution.claimed) {
    if (!group.injected || isAccepted(bench, resolution.claims)) return undefined;
    return about(group, foreignToChain(bench, title, resolution.claims), 'all');
  }
  const setting = bench.inquiry.settings.config.enforcement.nativeUnmanaged;
  if (!group.injected && setting === 'allow') return undefined;
  const severity: Severity = group.injected || setting === 'deny' ? 'error' : 'warning';
  const suggestion = "let a sync resource target it, or add 'k8s' to the plugin chain";
  const made = draft('FLOE-E804', `${title} is there, but ${noClaimant(bench)}`, { severity, suggestion });
  return about(group, { ...made, state: 'Unmanaged' }, 'all');
}

/** Whether one of the chain's operators stands behind it. */
function isAccepted({ plan: { chain } }: Bench, { trusted, marked }: Claims): boolean {
  if (marked !== undefined) return chain.includes(marked);
  return trusted.length === 0 || trusted.some((claim) => chain.some((plugin) => isOwnedBy(claim, plugin)));
}

/** E804 of a Secret that an operator syncs which the chain does not have. */
function foreignToChain({ inquiry, plan }: Bench, title: string, { trusted, marked }: Claims): Draft {
  const titles = titlesOf(trusted, inquiry.namespace);
  const claimants = marked === undefined ? titles : `the mark of the ${marked.id} operator`;
  const owners = marked === undefined ? trusted.map((claim) => pluginOf(claim)) : [marked];
  const ids = [...new Set(owners.flatMap((plugin) => (plugin === undefined ? [] : [`'${plugin.id}'`])))];
  const chain = plan.chain.map((plugin) => plugin.id).join(', ');
  return draft(
    'FLOE-E804',
    `${title} is claimed by ${claimants}, which no plugin of the chain (${chain}) knows`,
    {
      suggestion: `add ${ids.join(' or ')} to the plugin chain, or use a Secret that the chain's operators sync`,
    },
  );
}

function hasNative({ plan }: Bench): boolean {
  // A chain of nothing but unknown names is refused for that; nothing more is said of its Secrets.
  return plan.chain.length === 0 || plan.chain.some((plugin) => plugin.id === 'k8s');
}

/** Puts the references behind a finding; where the kubelet tolerates all of them, it is a warning. */
function about(group: Group, made: Draft, which: 'all' | 'required'): Draft {
  const concerned = which === 'all' ? group.references : group.references.filter((one) => !one.optional);
  const tolerated = concerned.every((reference) => reference.tolerated);
  return {
    ...made,
    secret: group.secret,
    uses: concerned.map((reference) => reference.use),
    ...(tolerated ? { severity: 'warning' } : {}),
  };
}
