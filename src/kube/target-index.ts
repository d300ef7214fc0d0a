/** Which watched objects target which Secret: kept up to date object by object, asked without a scan. */
import type { KubeObject, ResourceKind } from './object.ts';
import { nameOf, namespaceOf } from './object.ts';

/** A Secret that an object writes or will write. */
export interface TargetName {
  readonly namespace: string;
  readonly name: string;
}

export interface TargetIndex {
  /** Puts an object in, or in the place of its older self. */
  put(object: KubeObject): void;
  remove(kind: ResourceKind, namespace: string, name: string): void;
  /** Sorted by kind, namespace and name. */
  targeting(namespace: string, secret: string): readonly KubeObject[];
  /** Sorted names of the Secrets of a namespace that objects target. */
  targetsIn(namespace: string): readonly string[];
  /** The objects of a namespace whose targets' names cannot be read, sorted. */
  opaqueIn(namespace: string): readonly KubeObject[];
  all(): Iterable<KubeObject>;
}

interface Entry {
  readonly object: KubeObject;
  readonly targets: readonly TargetName[];
}

/** The objects of one target; the sorted answer is made when it is first asked for. */
interface Bucket {
  readonly objects: Map<string, KubeObject>;
  sorted: readonly KubeObject[] | undefined;
}

interface Names {
  readonly buckets: Map<string, Bucket>;
  sorted: readonly string[] | undefined;
}

const NO_OBJECTS: readonly KubeObject[] = Object.freeze([]);
const NO_NAMES: readonly string[] = Object.freeze([]);

/** Where opaque objects stand in the index: no Secret has this name. */
const UNREADABLE = '';

/** An empty index. Both questions are asked once for every object that is put in. */
export function createTargetIndex(
  targets: (object: KubeObject) => readonly TargetName[],
  isOpaque: (object: KubeObject) => boolean = () => false,
): TargetIndex {
  const entries = new Map<string, Entry>();
  const namespaces = new Map<string, Names>();

  function removeKey(key: string): void {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    for (const target of entry.targets) dropTarget(namespaces, target, key);
  }

  return {
    put(object) {
      const key = identityOf(object.kind, namespaceOf(object.raw), nameOf(object.raw));
      removeKey(key);
      const named = targets(object).filter(({ name }) => name !== UNREADABLE);
      const opaque = isOpaque(object) ? [{ namespace: namespaceOf(object.raw), name: UNREADABLE }] : [];
      const entry = { object, targets: [...named, ...opaque] };
      entries.set(key, entry);
      for (const target of entry.targets) addTarget(namespaces, target, { key, object });
    },
    remove: (kind, namespace, name) => removeKey(identityOf(kind, namespace, name)),
    targeting: (namespace, secret) => objectsAt(namespaces, namespace, secret),
    targetsIn(namespace) {
      const names = namespaces.get(namespace);
      if (names === undefined) return NO_NAMES;
      names.sorted ??= [...names.buckets.keys()].filter((name) => name !== UNREADABLE).toSorted();
      return names.sorted;
    },
    opaqueIn: (namespace) => objectsAt(namespaces, namespace, UNREADABLE),
    *all() {
      for (const { object } of entries.values()) yield object;
    },
  };
}

function objectsAt(
  namespaces: ReadonlyMap<string, Names>,
  namespace: string,
  name: string,
): readonly KubeObject[] {
  const bucket = namespaces.get(namespace)?.buckets.get(name);
  if (bucket === undefined) return NO_OBJECTS;
  bucket.sorted ??= [...bucket.objects.values()].toSorted(inOrder);
  return bucket.sorted;
}

/** One text for one object, whatever version of its kind it was read in. */
export function identityOf(kind: ResourceKind, namespace: string, name: string): string {
  return `${kind.group}/${kind.kind}/${kind.namespaced ? namespace : ''}/${name}`;
}

/** Orders objects by kind, namespace and name. */
export function inOrder(one: KubeObject, other: KubeObject): number {
  return (
    compare(one.kind.kind, other.kind.kind) ||
    compare(namespaceOf(one.raw), namespaceOf(other.raw)) ||
    compare(nameOf(one.raw), nameOf(other.raw)) ||
    compare(one.kind.group, other.kind.group)
  );
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function addTarget(
  namespaces: Map<string, Names>,
  target: TargetName,
  { key, object }: { readonly key: string; readonly object: KubeObject },
): void {
  const names = namespaces.get(target.namespace) ?? { buckets: new Map<string, Bucket>(), sorted: undefined };
  namespaces.set(target.namespace, names);
  const bucket = names.buckets.get(target.name);
  if (bucket === undefined) {
    names.buckets.set(target.name, { objects: new Map([[key, object]]), sorted: undefined });
    names.sorted = undefined;
    return;
  }
  bucket.objects.set(key, object);
  bucket.sorted = undefined;
}

function dropTarget(namespaces: Map<string, Names>, target: TargetName, key: string): void {
  const names = namespaces.get(target.namespace);
  const bucket = names?.buckets.get(target.name);
  // An object may name one target twice; the second time there is nothing left to drop.
  if (names === undefined || bucket === undefined) return;
  bucket.objects.delete(key);
  bucket.sorted = undefined;
  if (bucket.objects.size > 0) return;
  names.buckets.delete(target.name);
  names.sorted = undefined;
  if (names.buckets.size === 0) namespaces.delete(target.namespace);
}
