/** Who asked for restarts: `auto-reload` on a workload or above it, or on a Secret or what syncs it. */
import { INFISICAL_AUTO_RELOAD, KEYS } from '../contract/keys.ts';
import type { KubeObject } from '../kube/object.ts';
import { annotation } from '../kube/object.ts';
import type { WorkloadRecord } from '../kube/running.ts';

/** `never` wins over everything; `some` leaves it to each Secret. */
export type Wish = 'never' | 'every' | 'some';

/** Objects that pods have their defaults from; undefined where there is none. */
export interface Above {
  readonly serviceAccount: KubeObject | undefined;
  readonly namespace: KubeObject | undefined;
}

export function wishOf(workload: WorkloadRecord, { serviceAccount, namespace }: Above): Wish {
  const own = [workload.annotations, workload.templateAnnotations].map((written) => written[KEYS.autoReload]);
  if (own.includes('false')) return 'never';
  const above = [serviceAccount, namespace].map((object) => annotation(object?.raw, KEYS.autoReload));
  return [...own, ...above].includes('true') ? 'every' : 'some';
}

/** Whether a Secret, or a sync resource that writes it, asks for the restart of whoever uses it. */
export function isWished(
  secret: Readonly<Record<string, string>> | undefined,
  claimants: readonly KubeObject[],
): boolean {
  return secret?.[KEYS.autoReload] === 'true' || claimants.some(asks);
}

function asks(claimant: KubeObject): boolean {
  if (annotation(claimant.raw, KEYS.autoReload) === 'true') return true;
  // The operator reads it on workloads only; where floe's ADR writes it, nothing else would act on it.
  return (
    claimant.kind.kind === 'InfisicalSecret' && annotation(claimant.raw, INFISICAL_AUTO_RELOAD) === 'true'
  );
}
