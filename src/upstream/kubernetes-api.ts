/** The Kubernetes API as a room that has no connection of its own is handed it. `cluster`'s client is one. */
import type { Json, JsonObject } from '../kube/json.ts';

export interface ApiCall {
  readonly accept?: string;
  /** Of a body; default `application/json`. */
  readonly contentType?: string;
}

export interface KubernetesApi {
  send(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body: Json | undefined,
    call?: ApiCall,
  ): Promise<JsonObject>;
  /** All of a collection, page by page. */
  list(path: string, call?: ApiCall): AsyncIterable<{ readonly items: readonly Json[] }>;
}

/** The HTTP status of a failed call, 0 where there was no answer; undefined of any other failure. */
export function apiStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}
