/** Whether a Secret's data is what its operator wrote: a whole read, of which the verdict alone is kept. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, get } from '../kube/json.ts';
import { SECRET, annotation } from '../kube/object.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { Drift, SecretData } from '../plugins/infisical-checksum.ts';
import { VERSION_ANNOTATION, driftOf } from '../plugins/infisical-checksum.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { failureOf } from './failure.ts';
import { objectPath } from './paths.ts';

export interface Looked {
  readonly drift: Drift;
  readonly failure?: ReadFailure;
}

/** Values are dropped as soon as the checksum is computed; of a Secret that is gone nothing is known. */
export async function readDrift(client: Client, namespace: string, name: string): Promise<Looked> {
  const path = objectPath(SECRET, namespace, name);
  if (path === undefined) return { drift: 'unknown' };
  try {
    return { drift: driftOfSecret(await client.get(path)) };
  } catch (error) {
    if (errorOfFault(error).status === 404) return { drift: 'unknown' };
    return { drift: 'unknown', failure: failureOf(error, { verb: 'get', kind: SECRET, namespace }) };
  }
}

/** Of a whole Secret, as the API server gives it or a manifest declares it. */
export function driftOfSecret(raw: JsonObject): Drift {
  return driftOf(annotation(raw, VERSION_ANNOTATION), dataOf(raw));
}

function dataOf(raw: JsonObject): SecretData {
  const entries = Object.entries(asObject(get(raw, 'data')));
  return Object.fromEntries(
    entries.map(([key, value]) => [key, Buffer.from(typeof value === 'string' ? value : '', 'base64')]),
  );
}
