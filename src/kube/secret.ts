/** What is kept of a Secret: everything but its values. */
import type { OwnerReference } from './object.ts';

/** One writer of a Secret, from managedFields: who wrote when, and whether the data was part of it. */
export interface SecretWrite {
  readonly manager: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly data: boolean;
}

/**
 * A Secret reduced to what may be stored, compared and logged (contract, section 6). Only the labels stay whole;
 * of the annotations those that operators and this project write, never `last-applied-configuration`.
 */
export interface SecretRecord {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Milliseconds since the epoch. */
  readonly createdAt?: number;
  readonly deletedAt?: number;
  readonly ownerReferences: readonly OwnerReference[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** `Opaque` and the like; a metadata-only read does not tell. */
  readonly type?: string;
  /** Names of data entries, sorted. From metadata alone they are a hint: a listed key is there, others may be too. */
  readonly keys: readonly string[];
  /** True after a full read: then a key that is not listed is not there. */
  readonly keysComplete: boolean;
  readonly writes: readonly SecretWrite[];
}
