/**
 * The checksum that Infisical's operator leaves on a Secret, computed again from the data: a hand edit is seen without
 * asking Infisical. A CRC32 finds a slip, not an attacker.
 */
import { crc32 } from 'node:zlib';
import { GROUP } from './infisical-operator.ts';

/** `unknown`: no checksum, or one that cannot be computed here: an older operator's ETag, a lease's version. */
export type Drift = 'in sync' | 'drifted' | 'unknown';

/** Key names to bytes. */
export type SecretData = Readonly<Record<string, Uint8Array>>;

export const VERSION_ANNOTATION = `${GROUP}/version`;

const CHECKSUM = /^W\/"secrets-\d+-[0-9A-F]{8}"$/;

export function driftOf(version: string | undefined, data: SecretData): Drift {
  if (version === undefined || !CHECKSUM.test(version)) return 'unknown';
  return [checksumOf(separated(data)), checksumOf(printed(data))].includes(version) ? 'in sync' : 'drifted';
}

function checksumOf(bytes: Uint8Array): string {
  const sum = crc32(bytes).toString(16).toUpperCase().padStart(8, '0');
  return `W/"secrets-${bytes.length}-${sum}"`;
}

/** v1alpha1, from operator 0.10.33 on: each key and value, both ended by a zero byte. */
function separated(data: SecretData): Uint8Array {
  return Buffer.concat(sorted(data).flatMap(([key, value]) => [Buffer.from(key), ZERO, value, ZERO]));
}

const ZERO = new Uint8Array(1);

/** v1beta1: the map as Go prints it, values as their bytes in decimal. */
function printed(data: SecretData): Uint8Array {
  const entries = sorted(data).map(([key, value]) => `${key}:[${[...value].join(' ')}]`);
  return Buffer.from(`map[${entries.join(' ')}]`);
}

function sorted(data: SecretData): readonly (readonly [string, Uint8Array])[] {
  return Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
}
