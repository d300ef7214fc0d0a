/** One object as it is now, for whoever takes its absence for an answer. */
import type { JsonObject } from '../kube/json.ts';
import { errorOfFault } from './api-error.ts';
import type { Call, Client } from './client.ts';

/** Undefined where it is not there. Throws ApiError. */
export async function readObject(
  client: Pick<Client, 'get'>,
  path: string,
  call?: Call,
): Promise<JsonObject | undefined> {
  try {
    return await client.get(path, call);
  } catch (fault) {
    const error = errorOfFault(fault);
    if (error.status === 404) return undefined;
    throw error;
  }
}
