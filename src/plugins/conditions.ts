/** Kubernetes conditions, as operators write them into `status.conditions`. */
import { asArray, asNumber, dig, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { generationOf, timeOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import type { Health } from './plugin.ts';

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

/** What one condition says for its resource: True is good, False is not, none is no status yet. */
export function verdictOf(
  condition: Condition | undefined,
): Pick<Health, 'verdict' | 'words' | 'healthySince' | 'failingSince'> {
  if (condition === undefined) return { verdict: 'none', words: 'no status yet' };
  const ok = condition.status === 'True';
  const since =
    condition.since === undefined ? {} : { [ok ? 'healthySince' : 'failingSince']: condition.since };
  return { verdict: ok ? 'ok' : 'failing', words: wordsOf(condition), ...since };
}

/**
 * What a companion tells of a failure, as "its SecretStore 'vault' reports Ready=False (…)". Undefined where it is
 * well, and where it cannot be read: then nobody knows.
 */
export function causeOf(companion: Read<KubeObject>, title: string, type: string): string | undefined {
  if (companion.state === 'absent') return `its ${title} does not exist`;
  if (companion.state !== 'present') return undefined;
  const condition = conditionOf(companion.value, type);
  if (condition === undefined || condition.status === 'True') return undefined;
  return `its ${title} reports ${wordsOf(condition)}`;
}

/** Whether a verdict with this observed generation is about the spec as it stands. */
export function generationOfVerdict(
  object: KubeObject,
  observed: number | undefined,
): 'current' | 'behind' | 'unreported' {
  if (observed === undefined) return 'unreported';
  return observed < generationOf(object.raw) ? 'behind' : 'current';
}
