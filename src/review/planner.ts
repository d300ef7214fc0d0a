/**
 * Plans, remembered: the pods of one workload ask for the same and have the same containers, so their plan is made
 * once. What a plan is made of is its key, so that a remembered plan is the one that would be made.
 */
import { KEYS } from '../contract/keys.ts';
import type { Json } from '../kube/json.ts';
import { isObject, text } from '../kube/json.ts';
import { label } from '../kube/object.ts';
import { rawContainers } from '../kube/pod.ts';
import type { Level } from './levels.ts';
import type { Plan } from './plan.ts';
import { planOf } from './plan.ts';
import type { Policy } from './policy.ts';
import type { Settings } from './settings.ts';

/** The plan of a pod with these levels, in a namespace of this policy. */
export type Planner = (policy: Policy, pod: unknown, levels: readonly Level[]) => Plan;

interface Remembered {
  readonly policy: Policy;
  readonly plan: Plan;
}

const MOST = 1000;
/** Characters of a key; what asks for more is planned anew each time. */
const LONGEST = 2000;
/** References of a plan that is kept. */
const MOST_REFERENCES = 200;

export function createPlanner(settings: Settings): Planner {
  const known = new Map<string, Remembered>();
  return (policy, pod, levels) => {
    const key = keyOf(policy, pod, levels);
    const remembered = known.get(key);
    if (remembered?.policy === policy) return remembered.plan;
    const plan = planOf(settings, policy, pod, levels);
    if (isWorthKeeping(key, plan)) remember(known, key, { policy, plan });
    return plan;
  };
}

/** Files have modes, and those come from more of the pod than its key tells; and a short key may ask for much. */
function isWorthKeeping(key: string, { volumes, inject, env, containers }: Plan): boolean {
  const references = (inject.length + env.length) * containers.length;
  return key.length <= LONGEST && volumes.length === 0 && references <= MOST_REFERENCES;
}

function remember(known: Map<string, Remembered>, key: string, plan: Remembered): void {
  known.delete(key);
  const [oldest] = known.keys();
  if (known.size >= MOST && oldest !== undefined) known.delete(oldest);
  known.set(key, plan);
}

/** The annotations that a plan reads. */
const READ = [
  KEYS.inject,
  KEYS.env,
  KEYS.files,
  KEYS.containers,
  KEYS.requireKeys,
  KEYS.plugin,
  KEYS.pending,
] as const;

/** Everything that `planOf` reads, but the policy. */
function keyOf(policy: Policy, pod: unknown, levels: readonly Level[]): string {
  let key = part(policy.namespace) + part(label(pod, KEYS.injection));
  for (const { name, annotations } of levels) {
    key += name;
    for (const annotation of READ) key += part(text(annotations, annotation));
  }
  return `${key}|${namesIn(rawContainers(pod, 'container'))}|${namesIn(rawContainers(pod, 'init'))}`;
}

function namesIn(containers: readonly Json[]): string {
  let names = '';
  for (const raw of containers) names += part(isObject(raw) ? (text(raw, 'name') ?? '') : undefined);
  return names;
}

/** Behind its length a text may hold anything: nothing that a person writes can be taken for another part. */
function part(written: string | undefined): string {
  return written === undefined ? '-' : `${written.length}:${written}`;
}
