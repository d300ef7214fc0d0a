/** The objects of one kind that a watch has seen, reduced as they come in. */
import type { JsonObject } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';

/** What is kept of a kind's objects, and who hears of changes. */
export interface Kept<T> {
  /** What is kept of an object, undefined nothing of it; `kind` has the version in which it was read. */
  reduce(kind: ResourceKind, raw: JsonObject): T | undefined;
  /** `after` is undefined where the object is gone, `before` where it is new. Must not throw. */
  changed?(change: {
    readonly namespace: string;
    readonly name: string;
    readonly before?: T;
    readonly after?: T;
  }): void;
}

export interface Store<T> {
  get(namespace: string, name: string): T | undefined;
  values(): Iterable<T>;
  /** The names in this namespace; '' is where what is the cluster's own lives. */
  names(namespace: string): Iterable<string>;
  readonly size: number;
  /** Puts an object in and returns its key. */
  put(kind: ResourceKind, raw: JsonObject): string;
  remove(raw: JsonObject): void;
  /** Drops every object whose key is not among these. */
  keepOnly(keys: ReadonlySet<string>): void;
}

interface Entry<T> {
  readonly namespace: string;
  readonly name: string;
  readonly value: T;
}

export function createStore<T>(kept: Kept<T>): Store<T> {
  const entries = new Map<string, Entry<T>>();
  function drop(key: string): void {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    kept.changed?.({ namespace: entry.namespace, name: entry.name, before: entry.value });
  }
  return {
    get: (namespace, name) => entries.get(keyOf(namespace, name))?.value,
    *values() {
      for (const { value } of entries.values()) yield value;
    },
    *names(namespace) {
      for (const entry of entries.values()) if (entry.namespace === namespace) yield entry.name;
    },
    get size() {
      return entries.size;
    },
    put(kind, raw) {
      const [namespace, name] = [namespaceOf(raw), nameOf(raw)];
      const key = keyOf(namespace, name);
      const before = entries.get(key);
      const value = kept.reduce(kind, raw);
      if (value === undefined) {
        drop(key);
        return key;
      }
      entries.set(key, { namespace, name, value });
      kept.changed?.({
        namespace,
        name,
        after: value,
        ...(before === undefined ? {} : { before: before.value }),
      });
      return key;
    },
    remove: (raw) => drop(keyOf(namespaceOf(raw), nameOf(raw))),
    keepOnly(keys) {
      for (const key of entries.keys()) if (!keys.has(key)) drop(key);
    },
  };
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
