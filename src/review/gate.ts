/**
 * The scheduling gate: a pod that would be refused only for Secrets that are still to come is admitted instead, and
 * waits without a node until the controller opens its gate (contract, section 4).
 */
import type { PendingChoice } from '../contract/keys.ts';
import { GATE, GATES_CONTROLLER } from '../contract/keys.ts';
import { asArray, dig, get, text } from '../kube/json.ts';
import type { Case } from './case.ts';
import type { PatchOperation } from './decision.ts';
import type { Draft } from './findings.ts';
import type { Plan } from './plan.ts';

/** What a gate may wait for in this pod; `deny` where it can have none. */
export function gateChoice({ inquiry, request, policy }: Case, plan: Plan): PendingChoice {
  if (plan.pending === 'deny' || policy.mode !== 'strict') return 'deny';
  // A pod that has its node already may have no gate, says the API server.
  const placed = (text(get(request.object, 'spec'), 'nodeName') ?? '') !== '';
  return placed || !inquiry.world.serves(GATES_CONTROLLER) ? 'deny' : plan.pending;
}

/** Whether something refuses the pod, and everything that does will pass by itself. */
export function isWaiting(choice: PendingChoice, drafts: readonly Draft[]): boolean {
  if (choice === 'deny') return false;
  const errors = drafts.filter(({ severity }) => severity === 'error');
  const passes = ({ state }: Draft): boolean =>
    state === 'Pending' || (state === 'Missing' && choice === 'gate-missing');
  return errors.length > 0 && errors.every(passes);
}

/** The same findings of a pod that waits: they say so, and refuse nothing. */
export function waitingDrafts(drafts: readonly Draft[]): readonly Draft[] {
  return drafts.map((one) =>
    one.severity === 'error'
      ? { ...one, severity: 'warning', what: `${one.what}; the pod waits for it` }
      : one,
  );
}

export function hasGate(pod: unknown): boolean {
  return asArray(dig(pod, 'spec', 'schedulingGates')).some((gate) => text(gate, 'name') === GATE);
}

export function gatePatch(pod: unknown): readonly PatchOperation[] {
  if (hasGate(pod)) return [];
  const gate = { name: GATE };
  const path = '/spec/schedulingGates';
  return Array.isArray(dig(pod, 'spec', 'schedulingGates'))
    ? [{ op: 'add', path: `${path}/-`, value: gate }]
    : [{ op: 'add', path, value: [gate] }];
}
