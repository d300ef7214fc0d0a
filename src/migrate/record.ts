/**
 * What a migration remembers, as a ConfigMap beside the Secret: the manifests of both resources, and no value. With it
 * another run goes on, or back.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { asObject, dig, get, isObject, text } from '../kube/json.ts';
import { label, namespaceOf } from '../kube/object.ts';
import type { HandOver } from './hand-over.ts';
import { MIGRATION, recordName } from './names.ts';

export interface MigrationRecord {
  readonly namespace: string;
  readonly secret: string;
  readonly from?: JsonObject;
  readonly to: JsonObject;
  readonly state: 'open' | 'closed';
  /** RFC 3339. */
  readonly began: string;
}

/** Labels that find the records. */
export const RECORDS = `${MIGRATION} in (record, done)`;

const STATES = { record: 'open', done: 'closed' } as const;

export function recordManifest({ namespace, secret, from, to }: HandOver, began: Date): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: recordName(secret), namespace, labels: { [MIGRATION]: 'record' } },
    data: {
      secret,
      began: began.toISOString(),
      to: JSON.stringify(to),
      ...(from === undefined ? {} : { from: JSON.stringify(from) }),
    },
  };
}

/** The record in a ConfigMap; undefined where it holds none that can be read. */
export function recordOf(raw: unknown): MigrationRecord | undefined {
  const data = get(raw, 'data');
  const [secret, to] = [text(data, 'secret'), manifestIn(data, 'to')];
  const written = label(raw, MIGRATION);
  if (secret === undefined || to === undefined || (written !== 'record' && written !== 'done')) {
    return undefined;
  }
  const from = manifestIn(data, 'from');
  return {
    namespace: namespaceOf(raw),
    secret,
    to,
    state: STATES[written],
    began: text(data, 'began') ?? '',
    ...(from === undefined ? {} : { from }),
  };
}

/** The same the other way round: undefined where there was nothing before. */
export function wayBack(record: MigrationRecord): HandOver | undefined {
  const { namespace, secret, from, to } = record;
  if (from === undefined) return undefined;
  return { namespace, secret, from: to, to: from, record: 'removed' };
}

function manifestIn(data: Json | undefined, key: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text(data, key) ?? '');
    return isObject(value) && isObject(dig(value, 'metadata')) ? asObject(value) : undefined;
  } catch {
    return undefined;
  }
}
