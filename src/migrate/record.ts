/**
 * What a migration remembers, as a ConfigMap beside the Secret: the manifests of both resources, and no value. With it
 * another run goes on, or back.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, dig, flag, get, isObject, text } from '../kube/json.ts';
import { label, nameOf, namespaceOf } from '../kube/object.ts';
import { COPY_STORES } from './conversion.ts';
import type { CopyMade, HandOver } from './hand-over.ts';
import { MIGRATION, recordName } from './names.ts';
import { mistakeIn } from './record-check.ts';

export interface MigrationRecord {
  readonly namespace: string;
  readonly secret: string;
  readonly from?: JsonObject;
  readonly to: JsonObject;
  /** What was to be written upstream: names of keys, never values. */
  readonly copy?: CopyMade;
  readonly state: 'open' | 'closed';
  /** RFC 3339. */
  readonly began: string;
  /** Why it cannot be believed, in a sentence; then nobody may act on it. */
  readonly problem?: string;
}

/** Far above what two manifests take. */
const MAX_TEXT = 128 * 1024;

/** Labels that find the records. */
export const RECORDS = `${MIGRATION} in (record, done)`;

const STATES = { record: 'open', done: 'closed' } as const;

export function recordManifest(plan: HandOver, began: Date): JsonObject {
  const { namespace, secret, from, to, copy } = plan;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: recordName(plan), namespace, labels: { [MIGRATION]: 'record' } },
    data: {
      secret,
      began: began.toISOString(),
      to: JSON.stringify(to),
      ...(from === undefined ? {} : { from: JSON.stringify(from) }),
      ...(copy === undefined ? {} : { copy: JSON.stringify(copy) }),
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
  const copy = copyIn(data);
  const namespace = namespaceOf(raw);
  const claimed = {
    namespace,
    secret,
    to,
    ...(from === undefined ? {} : { from }),
    ...(copy === undefined ? {} : { copy }),
  };
  const isLost = text(data, 'copy') !== undefined && copy === undefined;
  const mistake =
    nameOf(raw) !== recordName(claimed)
      ? 'it is of another Secret'
      : isLost
        ? "'copy' cannot be read"
        : mistakeIn(claimed);
  return {
    ...claimed,
    state: STATES[written],
    began: text(data, 'began') ?? '',
    ...(mistake === undefined ? {} : { problem: problemOf(nameOf(raw), namespace, mistake) }),
  };
}

function problemOf(name: string, namespace: string, mistake: string): string {
  return `ConfigMap '${name}' in namespace '${namespace}' is not as a migration wrote it: ${mistake}; nothing is done by it`;
}

function copyIn(data: Json | undefined): CopyMade | undefined {
  const copy = parsed(data, 'copy');
  if (!isObject(copy)) return undefined;
  // Records of 0.2.0 do not say where: they are all of Infisical.
  const written = text(copy, 'store') ?? 'infisical';
  const store = COPY_STORES.find((one) => one === written);
  if (store === undefined) return undefined;
  const place = get(copy, 'place');
  const names = (key: string): readonly string[] =>
    asArray(get(copy, key)).filter((name) => typeof name === 'string');
  const part = (key: string): string => text(place, key) ?? '';
  return {
    store,
    place: { project: part('project'), environment: part('environment'), path: part('path') },
    keys: names('keys'),
    encoded: names('encoded'),
    created: names('created'),
    ...(flag(copy, 'madePlace') ? { madePlace: true } : {}),
  };
}

/** The same the other way round: undefined where there was nothing before. */
export function wayBack(record: MigrationRecord): HandOver | undefined {
  const { namespace, secret, from, to } = record;
  if (from === undefined) return undefined;
  return { namespace, secret, from: to, to: from, record: 'removed' };
}

function manifestIn(data: Json | undefined, key: string): JsonObject | undefined {
  const value = parsed(data, key);
  return isObject(value) && isObject(dig(value, 'metadata')) ? value : undefined;
}

function parsed(data: Json | undefined, key: string): unknown {
  try {
    const written = text(data, key) ?? '';
    return written.length > MAX_TEXT ? undefined : JSON.parse(written);
  } catch {
    return undefined;
  }
}
