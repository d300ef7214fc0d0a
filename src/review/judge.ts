/** The judgement of every Secret that a pod refers to: one group of references a Secret, one verdict a group. */
import { matchesAny } from '../contract/globs.ts';
import { KEYS } from '../contract/keys.ts';
import type { State } from '../contract/reasons.ts';
import { isDnsSubdomain } from '../kube/names.ts';
import type { SecretRecord } from '../kube/secret.ts';
import { asArray, get, text } from '../kube/json.ts';
import type { Bench } from './bench.ts';
import { referenceTo, titlesOf } from './claim-words.ts';
import type { Claims } from './claims.ts';
import { pluginOf } from './claims.ts';
import type { Verdict } from './decision.ts';
import type { Draft } from './findings.ts';
import { draft, excerpt, invalid } from './findings.ts';
import type { Group, Reference, Use } from './references.ts';
import type { Resolution } from './resolve.ts';
import { resolveSecret } from './resolve.ts';
import { stateFindings } from './states.ts';
import { claimFindings, credentialFindings, identityFindings, markFindings } from './tenancy.ts';

export interface Judgement {
  readonly drafts: readonly Draft[];
  readonly verdicts: readonly Verdict[];
  /** What is known of the Secrets that are there. */
  readonly records: readonly SecretRecord[];
}

export function judgeGroups(bench: Bench, groups: readonly Group[]): Judgement {
  const limit = bench.inquiry.settings.config.limits.secretsPerPod;
  if (groups.length > limit) return { drafts: [tooMany(groups.length, limit)], verdicts: [], records: [] };
  const drafts: Draft[] = [];
  const verdicts: Verdict[] = [];
  const records: SecretRecord[] = [];
  for (const group of groups) {
    const judged = judgeGroup(bench, group);
    if (judged.drafts.length > 0) drafts.push(...judged.drafts);
    verdicts.push(judged.verdict);
    if (judged.record !== undefined) records.push(judged.record);
  }
  return { drafts, verdicts, records };
}

interface Judged {
  readonly drafts: readonly Draft[];
  readonly verdict: Verdict;
  readonly record?: SecretRecord | undefined;
}

function withUses({ secret, references }: Group, drafts: readonly Draft[]): readonly Draft[] {
  const uses = usesOf(references);
  return drafts.map((one) => ({ secret, uses, ...one }));
}

function usesOf(references: readonly Reference[]): readonly Use[] {
  return references.map((reference) => reference.use);
}

function judgeGroup(bench: Bench, group: Group): Judged {
  const refused = refusedUnseen(bench, group);
  if (refused !== undefined) return { drafts: [refused], verdict: verdictOf(bench, group, [refused]) };
  const resolution = resolveSecret(bench.inquiry, group.secret, bench.policy.maxSyncAge);
  const stated = stateFindings(bench, group, resolution);
  const rights = rightsFindings(bench, group, resolution);
  const drafts = rights.length === 0 ? stated.drafts : [...stated.drafts, ...withUses(group, rights)];
  const verdict = verdictOf(bench, group, drafts, { resolution, state: stated.state });
  return { drafts, verdict, record: resolution.record };
}

/** What is refused without any look-up: a name that is none, a name that the namespace does not allow. */
function refusedUnseen(bench: Bench, { secret, references, injected }: Group): Draft | undefined {
  const { inquiry, policy } = bench;
  // The grammar has seen to the names of what is injected.
  if (!injected && !isDnsSubdomain(secret)) {
    const suggestion = "use lower case letters, digits, '-' and '.'";
    const uses = usesOf(references);
    return { ...invalid(`'${excerpt(secret)}' is not a valid Secret name`), uses, suggestion };
  }
  const allowed = policy.allowedSecrets;
  if (allowed === undefined || matchesAny(allowed, secret)) return undefined;
  if (isAddedPullSecret(bench, secret) && references.every(({ tolerated }) => tolerated)) return undefined;
  return draft('FLOE-E810', `Secret '${secret}' may not be used in namespace '${inquiry.namespace}'`, {
    secret,
    uses: usesOf(references),
    suggestion: `ask who owns the namespace to add it to its annotation ${KEYS.allowedSecrets}`,
  });
}

/** Whether the API server itself adds it to the pod, from the ServiceAccount's imagePullSecrets. */
function isAddedPullSecret({ identity }: Bench, secret: string): boolean {
  const added = asArray(get(identity.serviceAccount?.raw, 'imagePullSecrets'));
  return added.some((one) => text(one, 'name') === secret);
}

function rightsFindings(bench: Bench, group: Group, resolution: Resolution): readonly Draft[] {
  const { inquiry, policy, identity } = bench;
  const { settings, namespace } = inquiry;
  const { claims, record } = resolution;
  const { trusted, foreign, marked } = claims;
  const isMarked = marked !== undefined && record !== undefined;
  if (trusted.length === 0 && foreign.length === 0 && !isMarked) {
    return identityFindings(settings, record, trusted, identity);
  }
  return trusted
    .flatMap((claim) => claimFindings(settings, policy, claim, namespace))
    .concat(
      isMarked ? markFindings(settings, policy, marked, record) : [],
      identityFindings(settings, record, trusted, identity),
      trusted.flatMap((claim) => credentialFindings(settings, claim, namespace)),
      rivalFindings(group.secret, resolution, namespace),
    );
}

/** E814: several resources write one Secret, or one of another namespace does. */
function rivalFindings(secret: string, { claims, record }: Resolution, here: string): readonly Draft[] {
  const found: Draft[] = [];
  if (claims.trusted.length > 1) {
    const titles = titlesOf(claims.trusted, here);
    const suggestion = 'keep one of them: the last writer wins';
    found.push(
      draft('FLOE-E814', `several sync resources target Secret '${secret}': ${titles}`, { suggestion }),
    );
  }
  if (record !== undefined && claims.foreign.length > 0) {
    const titles = titlesOf(claims.foreign, here);
    found.push(
      draft(
        'FLOE-E814',
        `Secret '${secret}' is targeted from another namespace that is not trusted: ${titles}`,
        {
          suggestion: 'move it into this namespace, or add its namespace to sync.trustedNamespaces',
        },
      ),
    );
  }
  return found;
}

/** What was found out of a Secret that was looked at. */
interface Found {
  readonly resolution: Resolution;
  readonly state: State;
}

function verdictOf(bench: Bench, group: Group, drafts: readonly Draft[], found?: Found): Verdict {
  return {
    secret: group.secret,
    state: found?.state,
    injected: group.injected,
    codes: drafts.length === 0 ? NO_CODES : [...new Set(drafts.map((one) => one.code))],
    denied: drafts.some((one) => one.severity === 'error'),
    plugin: pluginIdOf(bench, group, found?.resolution.claims),
    claimants: found === undefined ? NO_CLAIMANTS : claimantsOf(found.resolution),
    lastSync: found?.resolution.lastSync,
  };
}

const NO_CODES: Verdict['codes'] = Object.freeze([]);
const NO_CLAIMANTS: Verdict['claimants'] = Object.freeze([]);

function pluginIdOf({ plan: { chain } }: Bench, { injected }: Group, claims: Claims | undefined): string {
  const [first] = claims?.trusted ?? [];
  const claiming = first === undefined ? claims?.marked : pluginOf(first, chain);
  return claiming?.id ?? (injected ? (chain.at(-1)?.id ?? 'k8s') : 'k8s');
}

/** Where the Secret is absent, those explain it that would not count for one that is there. */
function claimantsOf({ claims, record }: Resolution): readonly string[] {
  if (claims.trusted.length === 0 && claims.foreign.length === 0) return NO_CLAIMANTS;
  const names = claims.trusted.map(referenceTo);
  if (record === undefined) names.push(...claims.foreign.map(referenceTo));
  return names;
}

function tooMany(count: number, limit: number): Draft {
  return {
    ...invalid(`the pod refers to ${count} distinct Secrets; at most ${limit} are judged`),
    suggestion: 'split the pod, or raise limits.secretsPerPod',
  };
}
