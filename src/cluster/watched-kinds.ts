/** What is watched of the plugins' kinds, and what their objects say to whoever indexes them. */
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import type { SyncKind, Target } from '../plugins/plugin.ts';
import { resourceName } from './paths.ts';

const NO_TARGETS: readonly Target[] = Object.freeze([]);

/** The Secrets that a watched object targets. */
export function targetsOf(kinds: readonly SyncKind[], object: KubeObject): readonly Target[] {
  return said(() => syncKindOf(kinds, object)?.targets(object)) ?? NO_TARGETS;
}

/** Whether the names of its targets cannot be read. */
export function isOpaque(kinds: readonly SyncKind[], object: KubeObject): boolean {
  return said(() => syncKindOf(kinds, object)?.isOpaque?.(object)) ?? false;
}

/** The kinds that are watched only for what they tell of the others, each once. */
export function companionsOf(
  kinds: readonly Pick<SyncKind, 'resource' | 'companions'>[],
): readonly ResourceKind[] {
  const own = new Set(kinds.map(({ resource }) => resourceName(resource)));
  const companions = kinds.flatMap((kind) => kind.companions ?? []);
  const distinct = new Map(companions.map((resource) => [resourceName(resource), resource]));
  return [...distinct].filter(([name]) => !own.has(name)).map(([, resource]) => resource);
}

export function syncKindOf(kinds: readonly SyncKind[], object: KubeObject): SyncKind | undefined {
  const name = resourceName(object.kind);
  return kinds.find(({ resource }) => resourceName(resource) === name);
}

/** A plugin that fails on a hostile object says nothing about it. */
function said<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
