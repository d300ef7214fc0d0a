/** Restarting a workload: one field of it, by server-side apply. */
import { PROGRAM } from '../contract/keys.ts';
import type { WorkloadKind } from '../kube/workload.ts';
import { restartPatch } from '../reload/restart.ts';
import type { Outcome } from '../reload/schedule.ts';
import { ApiError, errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { APPLY } from './media-types.ts';
import { objectPath } from './paths.ts';

export interface RestartTarget {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

interface RestartOptions {
  /** What makes the template another one. */
  readonly at: Date;
  /** Ask the API server for its answer, and change nothing. */
  readonly dryRun?: boolean;
}

/** Throws ApiError where the API server refuses. */
export async function restartWorkload(
  client: Client,
  target: RestartTarget,
  { at, dryRun = false }: RestartOptions,
): Promise<void> {
  const { kind, namespace, name } = target;
  const path = objectPath(kind, namespace, name);
  if (path === undefined) throw new ApiError(404, 'NotFound', `no ${kind.kind} can be named '${name}'`);
  // Nobody else has a use for the field: where somebody wrote it, it is taken over.
  const query = `fieldManager=${PROGRAM}&force=true${dryRun ? '&dryRun=All' : ''}`;
  await client.send('PATCH', `${path}?${query}`, restartPatch(target, at), { contentType: APPLY });
}

/** What a failed restart means for the next attempt. A conflict says that another object has the name now. */
export function outcomeOfFault(fault: unknown): Exclude<Outcome, 'done'> {
  const { status } = errorOfFault(fault);
  if (status === 404 || status === 409) return 'gone';
  return status === 403 ? 'refused' : 'failed';
}
