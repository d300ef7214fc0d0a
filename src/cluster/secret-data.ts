/**
 * Whether a Secret's data has changed, without keeping it: two looks are compared by a MAC under a key that this
 * process drew and never shows. Values end here; the MAC stays here too, and nothing derived from it leaves.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { JsonObject } from '../kube/json.ts';
import { asObject, get } from '../kube/json.ts';
import { SECRET } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Look } from '../reload/knowledge.ts';
import type { Client } from './client.ts';
import { METADATA } from './media-types.ts';
import { objectPath } from './paths.ts';
import { readObject } from './read-object.ts';
import { reduceSecret } from './reduce.ts';

export interface SecretData {
  /**
   * Looks at a Secret: whole, or where `sparing` at its metadata first, which tells whether it was written at all.
   * Throws ApiError.
   */
  look(namespace: string, name: string, sparing: boolean): Promise<Look>;
  /** The metadata alone; undefined where there is none. Throws ApiError. */
  glance(namespace: string, name: string): Promise<SecretRecord | undefined>;
  forget(namespace: string, name: string): void;
}

interface Seen {
  readonly resourceVersion: string;
  readonly mac: Buffer;
}

const TIMEOUT = 5_000;

export function createSecretData(client: Pick<Client, 'get'>): SecretData {
  const key = randomBytes(32);
  const seen = new Map<string, Seen>();
  const glance = async (namespace: string, name: string): Promise<SecretRecord | undefined> => {
    const raw = await read(client, { namespace, name, accept: METADATA });
    return raw === undefined ? undefined : reduceSecret(raw);
  };
  return {
    glance,
    async look(namespace, name, sparing) {
      const place = `${namespace}/${name}`;
      const before = seen.get(place);
      if (sparing && before !== undefined) {
        const record = await glance(namespace, name);
        if (record === undefined) return { state: 'absent' };
        if (record.resourceVersion === before.resourceVersion)
          return { state: 'present', record, data: 'same' };
      }
      const raw = await read(client, { namespace, name });
      if (raw === undefined) return { state: 'absent' };
      const record = reduceSecret(raw);
      const mac = macOf(key, raw);
      seen.set(place, { resourceVersion: record.resourceVersion, mac });
      if (before === undefined) return { state: 'present', record, data: 'first' };
      return { state: 'present', record, data: before.mac.equals(mac) ? 'same' : 'different' };
    },
    forget: (namespace, name) => void seen.delete(`${namespace}/${name}`),
  };
}

interface Place {
  readonly namespace: string;
  readonly name: string;
  readonly accept?: string;
}

async function read(
  client: Pick<Client, 'get'>,
  { namespace, name, accept }: Place,
): Promise<JsonObject | undefined> {
  const path = objectPath(SECRET, namespace, name);
  if (path === undefined) return undefined;
  return readObject(client, path, { timeoutMs: TIMEOUT, ...(accept === undefined ? {} : { accept }) });
}

/** Keys in their order, each part with its length, so that no two different data are one text. */
function macOf(key: Buffer, raw: JsonObject): Buffer {
  const mac = createHmac('sha256', key);
  const entries = Object.entries(asObject(get(raw, 'data'))).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of entries) {
    const text = typeof value === 'string' ? value : '';
    mac.update(`${name.length}:${name}=${text.length}:`).update(text);
  }
  return mac.digest();
}
