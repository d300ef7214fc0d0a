/**
 * What is known of a Secret's data by whoever must not keep the data: since when it is as it is. Built up look by
 * look; whether two looks saw equal data is all that a look tells.
 */
import type { SecretRecord } from '../kube/secret.ts';

/** One look at a Secret. `data` compares with the look before: `first` where this process has seen none. */
export type Look =
  | { readonly state: 'absent' }
  | {
      readonly state: 'present';
      readonly record: SecretRecord;
      readonly data: 'first' | 'same' | 'different';
    };

export interface Knowledge {
  readonly present: boolean;
  /** The version in which the data as it is now was first seen: what a restart is for. */
  readonly dataVersion: string;
  /** When the object was made. */
  readonly createdAt: number;
  /** By the API server's clock: no write of this data is later. Milliseconds since the epoch. */
  readonly writtenAt: number;
  /** The newest write of anything in the object. */
  readonly touchedAt: number;
  /** When this process saw that the data had changed, by its own clock; absent where it never did. */
  readonly changedAt?: number;
}

export function knowledgeAfter(known: Knowledge | undefined, look: Look, now: number): Knowledge | undefined {
  if (look.state === 'absent') return known === undefined ? undefined : { ...known, present: false };
  const { record, data } = look;
  const touchedAt = newest(record, () => true);
  if (known !== undefined && data === 'same') return { ...known, present: true, touchedAt };
  const writtenAt = newest(record, (write) => write.data);
  const createdAt = record.createdAt ?? 0;
  const seen = { present: true, dataVersion: record.resourceVersion, createdAt, touchedAt };
  if (known === undefined || data !== 'different') return { ...seen, writtenAt };
  // The removal of a key leaves no time behind: then the moment at which it was seen is the bound.
  return { ...seen, writtenAt: writtenAt > known.writtenAt ? writtenAt : now, changedAt: now };
}

/** managedFields know whole seconds; a Secret without any is as old as its object. */
function newest(record: SecretRecord, counts: (write: SecretRecord['writes'][number]) => boolean): number {
  const times = record.writes.filter(counts).map((write) => write.time);
  return Math.max(record.createdAt ?? 0, ...times);
}
