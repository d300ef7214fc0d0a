/** Secrets as tables: the type and the number of keys of each, its metadata, and no values. */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asNumber, asObject, get, text } from '../kube/json.ts';
import { SECRET } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Read } from '../kube/world.ts';
import { ABSENT, present } from '../kube/world.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { failureOf } from './failure.ts';
import { createLimiter } from './limiter.ts';
import { collectionPath, objectPath } from './paths.ts';
import { reduceSecret } from './reduce.ts';

/** Of Secrets that have to be read one by one: more would wait in the API server's own queues. */
export const READS_AT_ONCE = 32;

const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1';

/** The Secrets of a namespace, or of all. Throws ApiError. */
export async function listSecrets(
  client: Client,
  namespace: string | undefined,
): Promise<readonly SecretRecord[]> {
  const records: SecretRecord[] = [];
  const turn = createLimiter(READS_AT_ONCE);
  let token = '';
  do {
    const path = `${collectionPath(SECRET, namespace)}?limit=500&continue=${encodeURIComponent(token)}`;
    const table = await client.get(path, { accept: TABLE });
    const rows = rowsOf(table).map(async (row) => turn(async () => recordOfRow(client, row)));
    records.push(...(await Promise.all(rows)));
    token = text(get(table, 'metadata'), 'continue') ?? '';
  } while (token !== '');
  return records;
}

/** One Secret with all its key names: from metadata where that tells them all, else from a full read. */
export async function readSecret(
  client: Client,
  namespace: string,
  name: string,
): Promise<Read<SecretRecord>> {
  const path = objectPath(SECRET, namespace, name);
  if (path === undefined) return ABSENT;
  try {
    const [row] = rowsOf(await client.get(path, { accept: TABLE }));
    return row === undefined ? ABSENT : present(await recordOfRow(client, row));
  } catch (error) {
    if (errorOfFault(error).status === 404) return ABSENT;
    return { state: 'failed', failure: failureOf(error, { verb: 'get', kind: SECRET, namespace }) };
  }
}

interface Row {
  readonly object: JsonObject;
  readonly type?: string;
  readonly keyCount?: number;
}

function rowsOf(table: JsonObject): readonly Row[] {
  const columns = asArray(get(table, 'columnDefinitions')).map((column) => text(column, 'name'));
  return asArray(get(table, 'rows')).map((row) => {
    const cell = (name: string): Json | undefined => asArray(get(row, 'cells'))[columns.indexOf(name)];
    const [type, keyCount] = [cell('Type'), asNumber(cell('Data'))];
    return {
      object: asObject(get(row, 'object')),
      ...(typeof type === 'string' ? { type } : {}),
      ...(keyCount === undefined ? {} : { keyCount }),
    };
  });
}

/** managedFields name the keys that were written through the API: all of them, where the number is right. */
async function recordOfRow(client: Client, { object, type, keyCount }: Row): Promise<SecretRecord> {
  const record = reduceSecret({ ...object, kind: 'PartialObjectMetadata' });
  const known = { ...record, ...(type === undefined ? {} : { type }) };
  if (record.keys.length === keyCount) return { ...known, keysComplete: true };
  const path = objectPath(SECRET, record.namespace, record.name);
  if (path === undefined) return known;
  try {
    // The values end in reduceSecret.
    return reduceSecret(await client.get(path));
  } catch (error) {
    const { status } = errorOfFault(error);
    // Gone since, or listed by somebody who may not get it: then the hint is all there is.
    if (status === 404 || status === 403) return known;
    throw error;
  }
}
