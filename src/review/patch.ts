/**
 * The explicit patch: operations that only add, on the JSON as it came, so that fields that this program does
 * not know survive. The two annotations of ours are the one exception: a value that differs is replaced.
 */
import { KEYS } from '../contract/keys.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { get, isObject, text } from '../kube/json.ts';
import { annotationsOf } from '../kube/object.ts';
import type { ContainerGap, Gaps } from './carry.ts';
import { envFromOf, envOf, mountOf, volumeOf } from './carry.ts';
import type { PatchOperation } from './decision.ts';

/** What is written on the pod for people and controllers. */
export interface Marks {
  /** Names of the injected Secrets, comma-separated. */
  readonly injected: string;
  /** `name=resourceVersion`, comma-separated. */
  readonly versions: string;
}

export function patchOf(pod: JsonObject, gaps: Gaps, marks: Marks): readonly PatchOperation[] {
  return [
    ...gaps.containers.flatMap(containerOperations),
    ...appended('/spec/volumes', get(get(pod, 'spec'), 'volumes'), gaps.volumes.map(volumeOf)),
    ...annotationOperations(pod, marks),
  ];
}

function containerOperations({ container, envFrom, env, mounts }: ContainerGap): readonly PatchOperation[] {
  const { pointer, raw } = container;
  return [
    ...appended(`${pointer}/envFrom`, get(raw, 'envFrom'), envFrom.map(envFromOf)),
    ...appended(`${pointer}/env`, get(raw, 'env'), env.map(envOf)),
    ...appended(`${pointer}/volumeMounts`, get(raw, 'volumeMounts'), mounts.map(mountOf)),
  ];
}

function appended(
  path: string,
  list: Json | undefined,
  items: readonly JsonObject[],
): readonly PatchOperation[] {
  if (items.length === 0) return [];
  if (!Array.isArray(list)) return [{ op: 'add', path, value: items }];
  return items.map((value) => ({ op: 'add', path: `${path}/-`, value }));
}

function annotationOperations(pod: JsonObject, marks: Marks): readonly PatchOperation[] {
  const there = annotationsOf(pod);
  const wanted = [
    [KEYS.injected, marks.injected],
    [KEYS.versions, marks.versions],
  ] as const;
  // A key that nobody wrote and that would be empty stays away; one that somebody forged is overwritten.
  const changed = wanted.filter(([key, value]) => (text(there, key) ?? '') !== value);
  if (changed.length === 0) return [];
  const metadata = get(pod, 'metadata');
  if (!isObject(metadata))
    return [{ op: 'add', path: '/metadata', value: { annotations: Object.fromEntries(changed) } }];
  if (!isObject(get(metadata, 'annotations'))) {
    return [{ op: 'add', path: '/metadata/annotations', value: Object.fromEntries(changed) }];
  }
  return changed.map(([key, value]) => ({ op: 'add', path: POINTERS[key], value }));
}

/** JSON Pointers to our annotations; in one of those a '/' is '~1' (RFC 6901). */
const POINTERS = {
  [KEYS.injected]: pointerTo(KEYS.injected),
  [KEYS.versions]: pointerTo(KEYS.versions),
};

function pointerTo(annotation: string): string {
  return `/metadata/annotations/${annotation.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
