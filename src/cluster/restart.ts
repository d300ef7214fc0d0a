/** Rolling a workload as the reloader does: a new value of the template's annotation, by server-side apply. */
import { KEYS, PROGRAM } from '../contract/keys.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { apiVersionOf, nameOf, namespaceOf } from '../kube/object.ts';
import type { WorkloadKind, WorkloadObject } from '../kube/workload.ts';
import { ApiError } from './api-error.ts';
import type { Client } from './client.ts';
import { APPLY } from './media-types.ts';
import { objectPath } from './paths.ts';

interface RestartOptions {
  /** RFC 3339; the value that makes the template another one. */
  readonly at: string;
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
  const body = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { namespace, name },
    ...templateOf(kind, { metadata: { annotations: { [KEYS.restartedAt]: at } } }),
  };
  await client.send('PATCH', `${path}?${query}`, body, { contentType: APPLY });
}

/** A part of the pod template in its place: `{spec: {template: …}}`. */
function templateOf(kind: WorkloadKind, template: JsonObject): JsonObject {
  return kind.template.reduceRight<Json>((inner, key) => ({ [key]: inner }), template) as JsonObject;
}
