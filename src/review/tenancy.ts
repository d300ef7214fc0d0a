/** Who may use what: projects, environments, service accounts, products. Findings, never look-ups of their own. */
import { matchesAny, parseGlobs } from '../contract/globs.ts';
import { FLOE, KEYS } from '../contract/keys.ts';
import { derived } from '../kube/derived.ts';
import type { JsonObject } from '../kube/json.ts';
import { text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { annotation, annotationsOf } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Plugin, Scope, SyncKind } from '../plugins/plugin.ts';
import type { Claim } from './claims.ts';
import { titleOf } from './claim-words.ts';
import type { Draft } from './findings.ts';
import { cleanWords, draft, invalid, tooLong } from './findings.ts';
import { remedyForFailure, unreadable } from './levels.ts';
import type { Policy } from './policy.ts';
import type { Settings } from './settings.ts';

/** The identity that a pod runs as. */
export interface Identity {
  readonly serviceAccountName: string;
  /** Absent where it does not exist or could not be read. */
  readonly serviceAccount?: KubeObject;
}

/** What is read of a claim: also one that is to be. */
export type Reader = Pick<Claim, 'object' | 'view' | 'namespace' | 'name'> & {
  readonly kind: Pick<SyncKind, 'scope'>;
};

/** E810 and E811 of one claim: the namespace's projects and its environment. */
export function claimFindings(
  settings: Settings,
  policy: Policy,
  claim: Reader,
  here: string,
): readonly Draft[] {
  // To read a scope may mean to follow it through several objects.
  if (!asksForScope(policy)) return [];
  return scopeFindings(settings, policy, claim.kind.scope(claim.object, claim.view), titleOf(claim, here));
}

/** The same of a Secret that an operator's mark claims, without any sync resource. */
export function markFindings(
  settings: Settings,
  policy: Policy,
  marked: Plugin,
  record: SecretRecord,
): readonly Draft[] {
  const scope = asksForScope(policy) ? marked.scopeByMark?.(record) : undefined;
  return scope === undefined ? [] : scopeFindings(settings, policy, scope, `Secret '${record.name}'`);
}

function asksForScope({ allowedProjects, environment }: Policy): boolean {
  return allowedProjects !== undefined || environment !== undefined;
}

function scopeFindings(settings: Settings, policy: Policy, scope: Scope, title: string): readonly Draft[] {
  return [
    ...(scope.selfContained === true ? [] : projectFindings(policy, scope, title)),
    ...environmentFindings(settings, policy, scope, title),
  ];
}

function projectFindings(policy: Policy, scope: Scope, title: string): readonly Draft[] {
  const { projects, projectsHiddenBy: hidden } = scope;
  const allowed = policy.allowedProjects;
  if (allowed === undefined) return [];
  const suggestion = `ask who owns the namespace to add it to its annotation ${KEYS.allowedProjects}`;
  if (projects.length === 0) {
    const what = `the project of ${title} cannot be read, and this namespace allows only some`;
    if (hidden === undefined) return [draft('FLOE-E810', what, { suggestion })];
    const remedy = { suggestion: remedyForFailure(hidden) };
    return [draft('FLOE-E810', `${what}: ${hidden.message}`, remedy)];
  }
  return projects
    .filter((project) => !matchesAny(allowed, project))
    .map((project) =>
      draft(
        'FLOE-E810',
        `${title} reads project '${cleanWords(project)}', which this namespace may not use`,
        { suggestion },
      ),
    );
}

function environmentFindings(
  settings: Settings,
  policy: Policy,
  { environments, environmentsHiddenBy: hidden }: Scope,
  title: string,
): readonly Draft[] {
  const wanted = policy.environment;
  if (wanted === undefined) return [];
  // As where claimants cannot be read: no state that passes by itself, so it is refused and not retried.
  if (hidden !== undefined)
    return [{ ...unreadable(`the environment of ${title}`, hidden), state: 'Synced' }];
  return environments
    .filter((environment) => settings.environmentOf(environment) !== settings.environmentOf(wanted))
    .map((environment) =>
      draft(
        'FLOE-E811',
        `${title} reads environment '${cleanWords(environment)}', and the namespace's ${FLOE.environment} is '${wanted}'`,
        { suggestion: 'use a sync resource of the same environment' },
      ),
    );
}

/** E815: credentials that another namespace keeps. Operators' and other trusted namespaces may lend theirs. */
export function credentialFindings(settings: Settings, claim: Claim, here: string): readonly Draft[] {
  return claim.kind
    .credentialNamespaces(claim.object)
    .filter((namespace) => namespace !== claim.namespace && !settings.trustedNamespaces.has(namespace))
    .map((namespace) =>
      draft('FLOE-E815', `${titleOf(claim, here)} uses credentials of namespace '${cleanWords(namespace)}'`, {
        suggestion: 'keep its credentials in its own namespace',
      }),
    );
}

/**
 * E810 of `allowed-service-accounts` and `allowed-products`, on the Secret and on its claimants: all lists that
 * are there must allow.
 */
export function identityFindings(
  settings: Settings,
  record: SecretRecord | undefined,
  claims: readonly Claim[],
  identity: Identity,
): readonly Draft[] {
  const limiting = claims.filter(({ object }) => limitsIdentity(object));
  const sources = limiting.map((claim) => ({
    title: titleOf(claim, claim.namespace),
    annotations: annotationsOf(claim.object.raw),
  }));
  if (record !== undefined && hasLists(record.annotations)) {
    sources.unshift({ title: `Secret '${record.name}'`, annotations: record.annotations });
  }
  if (sources.length === 0) return [];
  const limit = settings.config.limits.annotationBytes;
  const subjects = subjectsOf(identity);
  return sources.flatMap((source) => subjects.flatMap((subject) => listFindings(source, subject, limit)));
}

/** Who asks, to one of the lists. */
interface Subject {
  readonly key: string;
  readonly name: string | undefined;
  readonly words: string;
}

function subjectsOf({ serviceAccountName, serviceAccount }: Identity): readonly Subject[] {
  const product = annotation(serviceAccount?.raw, FLOE.productIdentity);
  return [
    {
      key: KEYS.allowedServiceAccounts,
      name: serviceAccountName,
      words: `ServiceAccount '${cleanWords(serviceAccountName)}'`,
    },
    {
      key: KEYS.allowedProducts,
      name: product,
      words:
        product === undefined ? 'a ServiceAccount without a product' : `product '${cleanWords(product)}'`,
    },
  ];
}

const limitsIdentity = derived(({ raw }: KubeObject) => hasLists(annotationsOf(raw)));

function hasLists(annotations: JsonObject): boolean {
  return (
    text(annotations, KEYS.allowedServiceAccounts) !== undefined ||
    text(annotations, KEYS.allowedProducts) !== undefined
  );
}

function listFindings(
  { title, annotations }: { readonly title: string; readonly annotations: JsonObject },
  { key, name, words }: Subject,
  limit: number,
): readonly Draft[] {
  const written = text(annotations, key);
  if (written === undefined) return [];
  if (Buffer.byteLength(written) > limit) return [tooLong(key, title, limit)];
  const { globs, bad } = parseGlobs(written);
  if (bad !== undefined) {
    return [
      {
        ...invalid(`annotation ${key} of ${title} has an entry that cannot be read: '${cleanWords(bad)}'`),
        suggestion: 'write names, with * for any run of characters, between commas',
      },
    ];
  }
  if (name !== undefined && matchesAny(globs, name)) return [];
  return [
    draft('FLOE-E810', `${title} may not be used by ${words}`, {
      suggestion: `run the pod as one that its annotation ${key} allows`,
    }),
  ];
}
