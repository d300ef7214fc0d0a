/** A pod's containers and volumes, read from raw JSON. */
import type { Json } from './json.ts';
import { asArray, dig, get, isObject, text } from './json.ts';

export type ContainerType = 'container' | 'init' | 'ephemeral';

/** Which container of a pod is meant, whatever the pod. */
export interface ContainerPlace {
  readonly type: ContainerType;
  readonly name: string;
  /** In its list. */
  readonly index: number;
  /** JSON Pointer: '/spec/initContainers/0'. */
  readonly pointer: string;
}

export interface Container extends ContainerPlace {
  readonly raw: Json;
}

const LISTS = { container: 'containers', init: 'initContainers', ephemeral: 'ephemeralContainers' } as const;

/** The containers of one list, in their order; what is no object is none. */
export function containersOfType(pod: unknown, type: ContainerType): readonly Container[] {
  const found: Container[] = [];
  addContainers(found, pod, type);
  return found;
}

function addContainers(found: Container[], pod: unknown, type: ContainerType): void {
  let index = 0;
  for (const raw of rawContainers(pod, type)) {
    const pointer = `/spec/${LISTS[type]}/${index}`;
    if (isObject(raw)) found.push({ type, name: text(raw, 'name') ?? '', index, pointer, raw });
    index += 1;
  }
}

/** The container that stands there in this pod. */
export function containerAt(pod: unknown, { type, name, index, pointer }: ContainerPlace): Container {
  return { type, name, index, pointer, raw: rawContainers(pod, type)[index] ?? null };
}

/** One list of containers as it stands in the pod. */
export function rawContainers(pod: unknown, type: ContainerType): readonly Json[] {
  return asArray(get(get(pod, 'spec'), LISTS[type]));
}

/** Init containers, regular ones and ephemeral ones. */
export function containersOf(pod: unknown): readonly Container[] {
  const found: Container[] = [];
  addContainers(found, pod, 'init');
  addContainers(found, pod, 'container');
  addContainers(found, pod, 'ephemeral');
  return found;
}

export function volumesOf(pod: unknown): readonly Json[] {
  return asArray(get(get(pod, 'spec'), 'volumes'));
}

/** An empty or absent `serviceAccountName` is `default`; manifests may have its older name, as the API server takes it. */
export function serviceAccountNameOf(pod: unknown): string {
  const spec = get(pod, 'spec');
  return text(spec, 'serviceAccountName') || text(spec, 'serviceAccount') || 'default';
}

export function isWindows(pod: unknown): boolean {
  return text(dig(pod, 'spec', 'os'), 'name') === 'windows';
}

/** Whether all its containers have ended for good. */
export function isOver(pod: unknown): boolean {
  const phase = text(get(pod, 'status'), 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}
