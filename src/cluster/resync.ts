/**
 * Asks an operator to sync one resource now, and watches for its next pass. Where nothing changed upstream an operator
 * writes nothing, so its own condition is marked first: the pass that follows writes over the mark.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import type { Nudge, Resync } from '../plugins/resync.ts';
import { messageOf } from '../plugins/resync.ts';
import { ApiError } from './api-error.ts';
import type { Client } from './client.ts';
import { JSON_PATCH, MERGE_PATCH } from './media-types.ts';
import { objectPath } from './paths.ts';
import { createPause } from './pause.ts';
import { reduceObject } from './reduce.ts';

export interface ResyncOptions {
  readonly timeoutMs: number;
  /** For the annotation and the mark. */
  readonly now: Date;
  /** Ends the waiting: what was written is put back, and the signal's reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Whether a pass of the operator was seen after it was asked, and what keeps one from being seen. */
export interface Resynced {
  readonly seen: boolean;
  readonly hint?: string;
}

const BY_JSON_PATCH = { contentType: JSON_PATCH };
const BY_MERGE_PATCH = { contentType: MERGE_PATCH };
const EVERY = 500;

export async function resync(
  client: Client,
  object: KubeObject,
  {
    resync: how,
    nudge,
  }: { readonly resync: Resync; readonly nudge: Exclude<Nudge, { readonly how: 'none' }> },
  options: ResyncOptions,
): Promise<Resynced> {
  const path = objectPath(object.kind, namespaceOf(object.raw), nameOf(object.raw)) ?? '';
  const marked = await mark(client, path, how, options.now);
  const before = how.evidence(reduceObject(object.kind, marked.raw));
  const seen = async (): Promise<boolean> => {
    let passed = false;
    try {
      passed = await awaitPass(client, { path, object, how, before }, options);
    } finally {
      if (!passed) await patchUnlessChanged(client, `${path}/status`, marked.unmark);
    }
    return passed;
  };
  const hint = marked.hint === undefined ? {} : { hint: marked.hint };
  if (nudge.how === 'annotation') {
    const annotations = { [nudge.key]: options.now.toISOString() };
    await client.send('PATCH', path, { metadata: { annotations } }, BY_MERGE_PATCH);
    return { seen: await seen(), ...hint };
  }
  await client.send('PATCH', path, nudge.change, BY_JSON_PATCH);
  try {
    return { seen: await seen(), ...hint };
  } finally {
    await patchUnlessChanged(client, path, nudge.back);
  }
}

interface Marked {
  readonly raw: JsonObject;
  /** Takes the mark away again; empty where there is none. */
  readonly unmark: readonly Json[];
  /** Why a pass that changes nothing will not be seen. */
  readonly hint?: string;
}

/** The resource as it stands, with a mark in the message of the condition that the operator's next pass writes. */
async function mark(client: Client, path: string, { condition }: Resync, now: Date): Promise<Marked> {
  const raw = await client.get(path);
  const found = condition === undefined ? undefined : messageOf(raw, condition);
  if (condition === undefined || found === undefined) return { raw, unmark: [] };
  const at = `/status/conditions/${found.index}`;
  const marked = `${found.message} [floe-secrets asked at ${now.toISOString()}]`;
  const patch = [
    { op: 'test', path: `${at}/type`, value: condition },
    { op: 'add', path: `${at}/message`, value: marked },
  ];
  const unmark = [
    { op: 'test', path: `${at}/message`, value: marked },
    { op: 'replace', path: `${at}/message`, value: found.message },
  ];
  try {
    return { raw: await client.send('PATCH', `${path}/status`, patch, BY_JSON_PATCH), unmark };
  } catch (error) {
    if (!(error instanceof ApiError) || ![403, 404].includes(error.status)) throw error;
    return {
      raw,
      unmark: [],
      hint: 'without the right to patch its status, a sync that changes nothing cannot be seen',
    };
  }
}

interface Awaited {
  readonly path: string;
  readonly object: KubeObject;
  readonly how: Resync;
  readonly before: ReturnType<Resync['evidence']>;
}

async function awaitPass(
  client: Client,
  { path, object, how, before }: Awaited,
  { timeoutMs, signal }: ResyncOptions,
): Promise<boolean> {
  const pause = createPause();
  signal?.addEventListener('abort', pause.wake, { once: true });
  const end = performance.now() + timeoutMs;
  while (performance.now() < end) {
    signal?.throwIfAborted();
    const now = how.evidence(reduceObject(object.kind, await client.get(path)));
    if (now !== undefined && now !== before) return true;
    await pause.sleep(Math.min(EVERY, Math.max(0, end - performance.now())));
  }
  return false;
}

/** What somebody else wrote meanwhile is theirs, and stays. */
async function patchUnlessChanged(client: Client, path: string, patch: readonly Json[]): Promise<void> {
  if (patch.length === 0) return;
  try {
    await client.send('PATCH', path, patch, BY_JSON_PATCH);
  } catch (error) {
    const changed = error instanceof ApiError && [404, 409, 422].includes(error.status);
    if (!changed) throw error;
  }
}
