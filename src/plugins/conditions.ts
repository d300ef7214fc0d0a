/** Kubernetes conditions, as operators write them into `status.conditions`. */
import { asArray, asNumber, dig, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { generationOf, timeOf } from '../kube/object.ts';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** Milliseconds since the epoch; moves only when `status` flips. */
  readonly since?: number;
  readonly observedGeneration?: number;
}

/** The condition of this type, or undefined while the operator has not written it. */
export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  const found = asArray(dig(object.raw, 'status', 'conditions')).find((one) => text(one, 'type') === type);
  if (found === undefined) return undefined;
  const since = timeOf(text(found, 'lastTransitionTime'));
  const observedGeneration = asNumber(dig(found, 'observedGeneration'));
  return {
    type,
    status: text(found, 'status') ?? '',
    reason: text(found, 'reason') ?? '',
    message: text(found, 'message') ?? '',
    ...(since === undefined ? {} : { since }),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
  };
}

/** 'secrets.infisical.com/ReadyToSyncSecrets=False (Error: …)': the operator's own words. */
export function wordsOf(condition: Condition): string {
  const words = condition.message === '' ? condition.reason : condition.message;
  return words === ''
    ? `${condition.type}=${condition.status}`
    : `${condition.type}=${condition.status} (${words})`;
}

/** Whether a verdict with this observed generation is about the spec as it stands. */
export function generationOfVerdict(
  object: KubeObject,
  observed: number | undefined,
): 'current' | 'behind' | 'unreported' {
  if (observed === undefined) return 'unreported';
  return observed < generationOf(object.raw) ? 'behind' : 'current';
}
