/** The Eviction API: a pod goes only where its PodDisruptionBudgets let it. */
import type { JsonObject } from '../kube/json.ts';
import type { Client } from './client.ts';
import { podPath } from './regarding.ts';

/** Which pod, and no namesake that came since. */
export interface EvictedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Rejects with an ApiError: 429 where a budget forbids it now, 404 or 409 where the pod is gone. */
export async function evictPod(client: Client, { namespace, name, uid }: EvictedPod): Promise<JsonObject> {
  const metadata = { namespace, name };
  return client.post(`${podPath({ metadata })}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata,
    deleteOptions: { preconditions: { uid } },
  });
}
