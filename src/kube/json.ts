/**
 * Reading JSON that a stranger wrote. Objects come straight from `JSON.parse`, so a key such as `__proto__` is
 * plain data; every read goes through own properties and every shape is checked before it is believed.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

const NOTHING: JsonObject = Object.freeze(Object.create(null) as JsonObject);
const NO_ITEMS: readonly Json[] = Object.freeze([]);

/** The own property `key` of an object, or undefined: also where `value` is no object. */
export function get(value: unknown, key: string): Json | undefined {
  if (!isObject(value)) return undefined;
  const found: unknown = value[key];
  // JSON has no functions and nobody's prototype: what looks so was inherited. Cheaper than asking who owns it.
  return typeof found === 'function' || found === Object.prototype ? undefined : (found as Json | undefined);
}

/** Follows a path of own properties; undefined as soon as one is not there. */
export function dig(value: unknown, ...path: readonly string[]): Json | undefined {
  let current: Json | undefined = value as Json;
  for (const key of path) current = get(current, key);
  return current;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : NOTHING;
}

export function asArray(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : NO_ITEMS;
}

/** The string, or undefined: an empty string is a string. */
export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** The own string property `key`, or undefined. */
export function text(value: unknown, key: string): string | undefined {
  return asString(get(value, key));
}

export function flag(value: unknown, key: string): boolean {
  return get(value, key) === true;
}
