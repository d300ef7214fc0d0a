/**
 * The explicit patch: operations that only add, on the JSON as it came, so that fields that this program does
 * not know survive. The two annotations of ours are the one exception: a value that differs is replaced.
 */
import { KEYS } from '../contract/keys.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { get, isObject, text } from '../kube/json.ts';
import type { ContainerGap, Gaps } from './carry.ts';
import { envFromsOf, envsOf, mountsOf, volumesFor } from './carry.ts';
import type { PatchOperation } from './decision.ts';

/** What is written on the pod for people and controllers. */
export interface Marks {
  /** Names of the injected Secrets, comma-separated. */
  readonly injected: string;
  /** `name=resourceVersion`, comma-separated. */
  readonly versions: string;
}

export function patchOf(pod: JsonObject, gaps: Gaps, marks: Marks): readonly PatchOperation[] {
  const operations: PatchOperation[] = [];
  for (const gap of gaps.containers) fillGap(operations, gap);
  if (gaps.volumes.length > 0) {
    append(operations, '/spec/volumes', get(get(pod, 'spec'), 'volumes'), volumesFor(gaps.volumes));
  }
  mark(operations, pod, marks);
  return operations;
}

function fillGap(operations: PatchOperation[], { container, envFrom, env, mounts }: ContainerGap): void {
  const { pointer, raw } = container;
  if (envFrom.length > 0) {
    append(operations, `${pointer}/envFrom`, get(raw, 'envFrom'), envFromsOf(envFrom));
  }
  if (env.length > 0) append(operations, `${pointer}/env`, get(raw, 'env'), envsOf(env));
  if (mounts.length > 0) {
    append(operations, `${pointer}/volumeMounts`, get(raw, 'volumeMounts'), mountsOf(mounts));
  }
}

/** Adds the items to the end of the list, or the list where there is none. */
function append(
  operations: PatchOperation[],
  path: string,
  list: Json | undefined,
  items: readonly JsonObject[],
): void {
  if (Array.isArray(list)) {
    for (const value of items) operations.push({ op: 'add', path: `${path}/-`, value });
  } else {
    operations.push({ op: 'add', path, value: items });
  }
}

/** A mark that nobody wrote and that would be empty stays away; one that somebody forged is overwritten. */
function mark(operations: PatchOperation[], pod: JsonObject, { injected, versions }: Marks): void {
  const metadata = get(pod, 'metadata');
  const there = get(metadata, 'annotations');
  const injectedNews = (text(there, KEYS.injected) ?? '') !== injected;
  const versionsNews = (text(there, KEYS.versions) ?? '') !== versions;
  if (isObject(there)) {
    if (injectedNews) operations.push({ op: 'add', path: INJECTED, value: injected });
    if (versionsNews) operations.push({ op: 'add', path: VERSIONS, value: versions });
    return;
  }
  if (!injectedNews && !versionsNews) return;
  const annotations = {
    ...(injectedNews ? { [KEYS.injected]: injected } : {}),
    ...(versionsNews ? { [KEYS.versions]: versions } : {}),
  };
  if (isObject(metadata)) operations.push({ op: 'add', path: '/metadata/annotations', value: annotations });
  else operations.push({ op: 'add', path: '/metadata', value: { annotations } });
}

const INJECTED = pointerTo(KEYS.injected);
const VERSIONS = pointerTo(KEYS.versions);

/** The JSON Pointer to an annotation; in one of those a '/' is '~1' (RFC 6901). */
function pointerTo(annotation: string): string {
  return `/metadata/annotations/${annotation.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
