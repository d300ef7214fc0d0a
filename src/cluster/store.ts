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

export function createStore<T>(kept: Kept<T>): Store<T> {
  /** By namespace, then by name: each review looks here, and two names that it has are found faster than one text of both. */
  const namespaces = new Map<string, Map<string, T>>();
  let size = 0;
  function set(namespace: string, name: string, value: T): T | undefined {
    let objects = namespaces.get(namespace);
    if (objects === undefined) namespaces.set(namespace, (objects = new Map()));
    const before = objects.get(name);
    if (before === undefined) size += 1;
    objects.set(name, value);
    return before;
  }
  function drop(namespace: string, name: string): void {
    const objects = namespaces.get(namespace);
    const before = objects?.get(name);
    if (objects === undefined || before === undefined) return;
    objects.delete(name);
    if (objects.size === 0) namespaces.delete(namespace);
    size -= 1;
    kept.changed?.({ namespace, name, before });
  }
  return {
    get: (namespace, name) => namespaces.get(namespace)?.get(name),
    *values() {
      for (const objects of namespaces.values()) yield* objects.values();
    },
    names: (namespace) => namespaces.get(namespace)?.keys() ?? [],
    get size() {
      return size;
    },
    put(kind, raw) {
      const [namespace, name] = [namespaceOf(raw), nameOf(raw)];
      const after = kept.reduce(kind, raw);
      if (after === undefined) drop(namespace, name);
      else {
        const before = set(namespace, name, after);
        kept.changed?.({ namespace, name, after, ...(before === undefined ? {} : { before }) });
      }
      return keyOf(namespace, name);
    },
    remove: (raw) => drop(namespaceOf(raw), nameOf(raw)),
    keepOnly(keys) {
      for (const [namespace, objects] of namespaces)
        for (const name of objects.keys()) if (!keys.has(keyOf(namespace, name))) drop(namespace, name);
    },
  };
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
