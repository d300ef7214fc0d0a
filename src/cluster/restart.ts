/** Rolling a workload as the reloader does, once, because somebody asked for it. */
import { PROGRAM } from '../contract/keys.ts';
import { nameOf, namespaceOf, uidOf } from '../kube/object.ts';
import type { WorkloadObject } from '../kube/workload.ts';
import { restartPatch } from '../reload/restart.ts';
import { ApiError } from './api-error.ts';
import type { Client } from './client.ts';
import { APPLY } from './media-types.ts';
import { objectPath } from './paths.ts';

interface RestartOptions {
  readonly at: Date;
  /** Ask the API server for its answer, and change nothing. */
  readonly dryRun: boolean;
}

/** Throws ApiError where the API server refuses. */
export async function restartWorkload(
  client: Client,
  { kind, raw }: WorkloadObject,
  { at, dryRun }: RestartOptions,
): Promise<void> {
  const [namespace, name] = [namespaceOf(raw), nameOf(raw)];
  const path = objectPath(kind, namespace, name);
  if (path === undefined) throw new ApiError(404, 'NotFound', `no ${kind.kind} can be named '${name}'`);
  const query = `fieldManager=${PROGRAM}&force=true${dryRun ? '&dryRun=All' : ''}`;
  const patch = restartPatch({ kind, namespace, name, uid: uidOf(raw) }, at);
  await client.send('PATCH', `${path}?${query}`, patch, { contentType: APPLY });
}
