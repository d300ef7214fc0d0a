/** Where pods and workloads are, for calls and for Events. */
import type { JsonObject } from '../kube/json.ts';
import { POD, apiVersionOf, nameOf, namespaceOf } from '../kube/object.ts';
import type { PodRecord, WorkloadRecord } from '../kube/running.ts';
import type { Client } from './client.ts';
import type { Regarding } from './events.ts';
import { objectPath } from './paths.ts';
import { readObject } from './read-object.ts';

/** Throws where no pod can have this name: an API server's pod always can. */
export function podPath(pod: JsonObject): string {
  const path = objectPath(POD, namespaceOf(pod), nameOf(pod));
  if (path === undefined) throw new Error('a pod without a name');
  return path;
}

export function regardingPod({ namespace, name, uid }: PodRecord): Regarding {
  return { apiVersion: apiVersionOf(POD), kind: POD.kind, namespace, name, uid };
}

export function regardingWorkload({ kind, namespace, name, uid }: WorkloadRecord): Regarding {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, namespace, name, uid };
}

/** The whole pod as it is now; undefined where it is gone. Throws ApiError. */
export async function readPod(
  client: Pick<Client, 'get'>,
  record: PodRecord,
): Promise<JsonObject | undefined> {
  return readObject(client, podPath({ metadata: { namespace: record.namespace, name: record.name } }));
}
