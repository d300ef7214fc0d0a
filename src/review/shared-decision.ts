/**
 * Decisions that are shared: the pods of one workload ask for the same and are told the same, so that they get one
 * object for as long as nothing differs, and what is made of it (the answer's text, say) is made once.
 */
import type { Decision, PatchOperation, Verdict } from './decision.ts';
import type { Plan } from './plan.ts';
import type { Door } from './request.ts';

/** Besides its plan, all in which decisions without findings differ. */
export type Particulars = Pick<Decision, 'patch' | 'verdicts'>;

const LAST: Readonly<Record<Door, WeakMap<Plan, Decision>>> = {
  mutate: new WeakMap(),
  validate: new WeakMap(),
};

/** The last decision on pods of this plan where `make` would make the same; else what it makes, without findings. */
export function sharedDecision(
  door: Door,
  plan: Plan,
  { patch, verdicts }: Particulars,
  make: () => Decision,
): Decision {
  const last = LAST[door].get(plan);
  if (last !== undefined && isSamePatch(last.patch, patch) && areSameVerdicts(last.verdicts, verdicts)) {
    return last;
  }
  const decision: Decision = { ...make(), shared: true };
  LAST[door].set(plan, decision);
  return decision;
}

/** Values that are made once for each plan are the same objects. */
function isSamePatch(some: readonly PatchOperation[], others: readonly PatchOperation[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ op, path, value }, index) => {
      const other = others[index];
      return other?.value === value && other.path === path && other.op === op;
    })
  );
}

/** Without findings there are no codes, and nothing is denied. */
function areSameVerdicts(some: readonly Verdict[], others: readonly Verdict[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ secret, state, injected, plugin, claimants, lastSync }, index) => {
      const other = others[index];
      return (
        other?.secret === secret &&
        other.state === state &&
        other.injected === injected &&
        other.plugin === plugin &&
        other.lastSync === lastSync &&
        areSameTexts(other.claimants, claimants)
      );
    })
  );
}

function areSameTexts(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}
