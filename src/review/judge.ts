/** The judgement of every Secret that a pod refers to: one group of references a Secret, one verdict a group. */
import { matchesAny } from '../contract/globs.ts';
import { KEYS } from '../contract/keys.ts';
import { isDnsSubdomain } from '../kube/names.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Bench, Group } from './bench.ts';
import { referenceTo, titleOf } from './claim-words.ts';
import { pluginOf } from './claims.ts';
import type { Verdict } from './decision.ts';
import type { Draft } from './findings.ts';
import { draft, excerpt, invalid } from './findings.ts';
import type { Reference } from './references.ts';
import type { Resolution } from './resolve.ts';
import { resolveSecret } from './resolve.ts';
import { stateFindings } from './states.ts';
import { claimFindings, credentialFindings, identityFindings } from './tenancy.ts';

export interface Judgement {
  readonly drafts: readonly Draft[];
  readonly verdicts: readonly Verdict[];
  /** `name=resourceVersion` of the Secrets that are there. */
  readonly versions: ReadonlyMap<string, string>;
  /** The key names that are known of them. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

export function judgeReferences(bench: Bench, references: readonly Reference[]): Judgement {
  const groups = Map.groupBy(references, (reference) => reference.secret);
  const limit = bench.inquiry.settings.config.limits.secretsPerPod;
  if (groups.size > limit)
    return { drafts: [tooMany(groups.size, limit)], verdicts: [], versions: new Map(), keys: new Map() };
  const injected = new Set(bench.plan.secrets);
  const judged = [...groups].map(([secret, uses]) =>
    judgeGroup(bench, { secret, references: uses, injected: injected.has(secret) }),
  );
  const records = judged.flatMap(({ record }) => (record === undefined ? [] : [record]));
  return {
    drafts: judged.flatMap((one) => one.drafts),
    verdicts: judged.map((one) => one.verdict),
    versions: new Map(records.map(({ name, resourceVersion }) => [name, resourceVersion])),
    keys: new Map(records.map(({ name, keys }) => [name, keys])),
  };
}

interface Judged {
  readonly drafts: readonly Draft[];
  readonly verdict: Verdict;
  readonly record?: SecretRecord;
}

function withUses({ secret, references }: Group, drafts: readonly Draft[]): readonly Draft[] {
  const uses = references.map((reference) => reference.use);
  return drafts.map((one) => ({ secret, uses, ...one }));
}

function judgeGroup(bench: Bench, group: Group): Judged {
  const refused = refusedUnseen(bench, group);
  if (refused !== undefined) return { drafts: [refused], verdict: verdictOf(bench, group, [refused]) };
  const resolution = resolveSecret(bench.inquiry, group.secret, bench.policy.maxSyncAge);
  const stated = stateFindings(bench, group, resolution);
  const rights = rightsFindings(bench, group, resolution);
  const drafts = rights.length === 0 ? stated.drafts : [...stated.drafts, ...withUses(group, rights)];
  const { record } = resolution;
  return {
    drafts,
    verdict: { ...verdictOf(bench, group, drafts, resolution), state: stated.state },
    ...(record === undefined ? {} : { record }),
  };
}

/** What is refused without any look-up: a name that is none, a name that the namespace does not allow. */
function refusedUnseen({ inquiry, policy, isAddedPullSecret }: Bench, group: Group): Draft | undefined {
  const { secret, references } = group;
  const uses = references.map((reference) => reference.use);
  if (!isDnsSubdomain(secret)) {
    const suggestion = "use lower case letters, digits, '-' and '.'";
    return { ...invalid(`'${excerpt(secret)}' is not a valid Secret name`), uses, suggestion };
  }
  const allowed = policy.allowedSecrets;
  if (allowed === undefined || matchesAny(allowed, secret)) return undefined;
  if (isAddedPullSecret(secret) && references.every((reference) => reference.tolerated)) return undefined;
  return draft('FLOE-E810', `Secret '${secret}' may not be used in namespace '${inquiry.namespace}'`, {
    secret,
    uses,
    suggestion: `ask who owns the namespace to add it to its annotation ${KEYS.allowedSecrets}`,
  });
}

function rightsFindings(bench: Bench, group: Group, resolution: Resolution): readonly Draft[] {
  const { inquiry, policy, identity } = bench;
  const { settings, namespace } = inquiry;
  const { trusted } = resolution.claims;
  return [
    ...trusted.flatMap((claim) => claimFindings(settings, policy, claim, namespace)),
    ...identityFindings(resolution.record, trusted, identity),
    ...trusted.flatMap((claim) => credentialFindings(settings, claim, namespace)),
    ...rivalFindings(group.secret, resolution, namespace),
  ];
}

/** E814: several resources write one Secret, or one of another namespace does. */
function rivalFindings(secret: string, { claims, record }: Resolution, here: string): readonly Draft[] {
  const found: Draft[] = [];
  if (claims.trusted.length > 1) {
    const titles = claims.trusted.map((claim) => titleOf(claim, here)).join(', ');
    const suggestion = 'keep one of them: the last writer wins';
    found.push(
      draft('FLOE-E814', `several sync resources target Secret '${secret}': ${titles}`, { suggestion }),
    );
  }
  if (record !== undefined && claims.foreign.length > 0) {
    const titles = claims.foreign.map((claim) => titleOf(claim, here)).join(', ');
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

function verdictOf(bench: Bench, group: Group, drafts: readonly Draft[], resolution?: Resolution): Verdict {
  const claims = resolution?.claims.trusted ?? [];
  const { chain } = bench.plan;
  const claiming = claims[0] === undefined ? resolution?.claims.marked : pluginOf(claims[0], chain);
  const plugin = claiming?.id ?? (group.injected ? (chain.at(-1)?.id ?? 'k8s') : 'k8s');
  const lastSync = resolution?.lastSync;
  return {
    secret: group.secret,
    injected: group.injected,
    codes: [...new Set(drafts.map((one) => one.code))],
    denied: drafts.some((one) => one.severity === 'error'),
    plugin,
    claimants: [
      ...claims,
      ...(resolution?.record === undefined ? (resolution?.claims.foreign ?? []) : []),
    ].map(referenceTo),
    ...(lastSync === undefined ? {} : { lastSync }),
  };
}

function tooMany(count: number, limit: number): Draft {
  return {
    ...invalid(`the pod refers to ${count} distinct Secrets; at most ${limit} are judged`),
    suggestion: 'split the pod, or raise limits.secretsPerPod',
  };
}
