/**
 * Why a pod gets what it gets: what was asked for and by whom, every reference with its Secret's state and source.
 * The judgement itself is `review`; this says in data what stood behind it.
 */
import { KEYS } from '../contract/keys.ts';
import type { Json } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { gapsOf } from './carry.ts';
import type { Inquiry } from './inquiry.ts';
import type { Level, LevelName, Wish } from './levels.ts';
import { levelsOf, nearestWish, requireKeysWishes } from './levels.ts';
import { plannedReferences, requiredKeyReferences } from './planned.ts';
import type { Plan } from './plan.ts';
import { planOf } from './plan.ts';
import { policyOf } from './policy.ts';
import type { Reference } from './references.ts';
import { referencesOf } from './references.ts';
import type { Resolution } from './resolve.ts';
import { resolveSecret } from './resolve.ts';

/** One entry of an annotation that a container gets. */
export interface InjectedEntry {
  readonly secret: string;
  /** Absent where all of the Secret's keys are meant. */
  readonly key?: string;
  readonly container: string;
  /** 'envFrom', 'env DB_PASSWORD', 'file /run/secrets/db'. */
  readonly field: string;
  /** The annotation, and on which object it stands. */
  readonly annotation: string;
  readonly level: LevelName;
  /** Whether the pod has it already. */
  readonly carried: boolean;
}

/** One Secret and all that is known of it. */
export interface ExplainedSecret {
  readonly secret: string;
  readonly injected: boolean;
  readonly references: readonly Reference[];
  readonly resolution: Resolution;
}

export interface Explanation {
  /** The nearest value of each annotation that decides. */
  readonly wishes: readonly (Wish & { readonly annotation: string })[];
  readonly entries: readonly InjectedEntry[];
  readonly secrets: readonly ExplainedSecret[];
}

const DECIDING = [KEYS.inject, KEYS.env, KEYS.files, KEYS.containers, KEYS.plugin, KEYS.pending] as const;

export function explanationOf(inquiry: Inquiry, pod: Json, namespace: KubeObject): Explanation {
  const policy = policyOf(inquiry.settings, namespace);
  const levels = levelsOf(inquiry, pod, namespace);
  const plan = planOf(inquiry.settings, policy, pod, levels.all);
  const own = referencesOf(pod);
  const wanted = [...plannedReferences(plan), ...requiredKeyReferences(plan)];
  const injected = new Set(plan.secrets);
  return {
    wishes: wishesOf(levels.all),
    entries: entriesOf(pod, plan, levels.all),
    secrets: [...Map.groupBy(distinct([...own, ...wanted]), ({ secret }) => secret)].map(
      ([secret, references]) => ({
        secret,
        injected: injected.has(secret),
        references,
        resolution: resolveSecret(inquiry, secret, policy.maxSyncAge),
      }),
    ),
  };
}

/** The Secrets that a pod uses, or will use once it is injected. */
export function referencesIn(inquiry: Inquiry, pod: Json, namespace: KubeObject): readonly Reference[] {
  const levels = levelsOf(inquiry, pod, namespace);
  const plan = planOf(inquiry.settings, policyOf(inquiry.settings, namespace), pod, levels.all);
  return distinct([...referencesOf(pod), ...plannedReferences(plan)]);
}

/** What is injected is planned and carried: it counts once. */
function distinct(references: readonly Reference[]): readonly Reference[] {
  const seen = new Map(references.map((one) => [`${one.secret} ${one.use.words}`, one]));
  return [...seen.values()];
}

function wishesOf(levels: readonly Level[]): Explanation['wishes'] {
  const nearest = DECIDING.flatMap((annotation) => {
    const wish = nearestWish(levels, annotation);
    return wish === undefined ? [] : [{ ...wish, annotation }];
  });
  const required = requireKeysWishes(levels).map((wish) => ({ ...wish, annotation: KEYS.requireKeys }));
  return [...nearest, ...required];
}

function entriesOf(pod: Json, plan: Plan, levels: readonly Level[]): readonly InjectedEntry[] {
  const missing = new Set(
    gapsOf(pod, plan).containers.flatMap(({ container, envFrom, env, mounts }) => [
      ...envFrom.map((entry) => nameOf(container.name, entry)),
      ...env.map((entry) => nameOf(container.name, entry)),
      ...mounts.flatMap(({ files }) => files.map((entry) => nameOf(container.name, entry))),
    ]),
  );
  const wanted = [
    ...plan.inject.map((entry) => ({ entry, field: 'envFrom', annotation: KEYS.inject })),
    ...plan.env.map((entry) => ({ entry, field: `env ${entry.name}`, annotation: KEYS.env })),
    ...plan.volumes.flatMap(({ files, directory }) =>
      files.map((entry) => ({ entry, field: `file ${directory}`, annotation: KEYS.files })),
    ),
  ];
  return plan.containers.flatMap((container) =>
    wanted.map(({ entry, field, annotation }) => ({
      secret: entry.secret,
      ...('key' in entry && entry.key !== undefined ? { key: entry.key } : {}),
      container: container.name,
      field,
      annotation,
      level: nearestWish(levels, annotation)?.level ?? 'Pod',
      carried: !missing.has(nameOf(container.name, entry)),
    })),
  );
}

/** One entry in one container, as gaps and plans both know it. */
function nameOf(container: string, entry: object): string {
  return `${container} ${JSON.stringify(entry)}`;
}
