/** The keys and values of one Secret in a file of SOPS, whether they are encrypted still or not. */
import type { Json } from '../kube/json.ts';
import { isObject } from '../kube/json.ts';
import { isSecretKey } from '../kube/names.ts';
import type { Obstacle } from './conversion.ts';
import type { Tree } from './sops-file.ts';

export interface SopsEntry {
  readonly key: string;
  readonly value: string;
  /** Whether the value is base64 of what is meant. */
  readonly isBase64: boolean;
}

export interface EntriesPlace {
  readonly flatten: boolean;
  readonly where: string;
  readonly isBase64: boolean;
}

/** What a Secret takes at most; it bounds how deep a mapping may be, too. */
const MAX_KEY = 253;

interface Entries {
  readonly entries: readonly SopsEntry[];
  readonly obstacles: readonly Obstacle[];
}

export function entriesOf(tree: Tree, place: EntriesPlace): Entries {
  if (!isObject(tree)) {
    return { entries: [], obstacles: [{ where: place.where, why: 'it is no mapping of keys to values' }] };
  }
  const parts = Object.entries(tree).map(([key, value]) => entryOf(key, value, place));
  return {
    entries: parts.flatMap(({ entries }) => entries),
    obstacles: parts.flatMap(({ obstacles }) => obstacles),
  };
}

function entryOf(key: string, value: Json | undefined, place: EntriesPlace): Entries {
  if (typeof value === 'string') {
    return { entries: [{ key, value, isBase64: place.isBase64 }], obstacles: [] };
  }
  const where = place.where === '' ? key : `${place.where}.${key}`;
  if (key.length > MAX_KEY)
    return { entries: [], obstacles: [{ where: key.slice(0, 60), why: 'the key is too long' }] };
  if (value === null || value === undefined) {
    return { entries: [], obstacles: [{ where, why: 'it has no value' }] };
  }
  if (!place.flatten) {
    const fix = place.where === '' ? { fix: '--flatten joins the names of the keys by _' } : {};
    return { entries: [], obstacles: [{ where, why: 'it holds more than one value', ...fix }] };
  }
  const inner = Object.entries(value);
  const parts = inner.map(([below, one]) => entryOf(`${key}_${below}`, one as Json, place));
  return {
    entries: parts.flatMap(({ entries }) => entries),
    obstacles: parts.flatMap(({ obstacles }) => obstacles),
  };
}

/** What is meant by a value: its bytes. Undefined where it is no base64. */
export function bytesOf({ value, isBase64 }: SopsEntry): Uint8Array | undefined {
  if (!isBase64) return new TextEncoder().encode(value);
  const written = value.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(written) || written.length % 4 !== 0) return undefined;
  return Buffer.from(written, 'base64');
}

export function keyObstacles(entries: readonly SopsEntry[]): readonly Obstacle[] {
  const keys = entries.map(({ key }) => key);
  const twice = new Set(keys.filter((key, index) => keys.indexOf(key) !== index));
  const invalid = keys.filter((key) => !isSecretKey(key));
  return [
    ...[...twice].map((key) => ({ where: key, why: 'two keys become this one' })),
    ...invalid.map((key) => ({
      where: key.slice(0, 60),
      why: "no key of a Secret: letters, digits, '-', '_' and '.'",
    })),
  ];
}
