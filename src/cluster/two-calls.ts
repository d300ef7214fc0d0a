/** Both calls of an admission, as the API server makes them: what becomes of a pod that does not exist yet. */
import jsonpatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';
import { PROGRAM } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import type { Decision } from '../review/decision.ts';
import type { Door, Request } from '../review/request.ts';
import type { Admission } from './admit.ts';
import type { Span } from './spans.ts';

/** As long as the API server would wait by default. */
const PATIENCE = 10_000;
/** Nobody who may list Secrets, so that no look-alikes are looked for. */
const USER = { username: `system:${PROGRAM}`, groups: [] } as const;

/** The verdict on a pod that somebody is about to create: of the first call that refuses, else of the second. */
export async function admitPod(admit: Admission, pod: JsonObject): Promise<Decision> {
  const mutated = await admit(creationOf(pod, 'mutate'), PATIENCE);
  if (!mutated.allowed) return mutated;
  return admit(creationOf(patched(pod, mutated), 'validate'), PATIENCE);
}

/** The verdict of one of the calls, whose live looks are parts of `span`. */
export async function judgePod(
  admit: Admission,
  pod: JsonObject,
  door: Door,
  span?: Span,
): Promise<Decision> {
  return admit(creationOf(pod, door), PATIENCE, span);
}

/** The object after the patch. */
export function patched(object: JsonObject, { patch }: Pick<Decision, 'patch'>): JsonObject {
  if (patch.length === 0) return object;
  // The library wants mutable operations of its own type, and applies them to a copy.
  const operations = structuredClone(patch) as unknown as Operation[];
  return jsonpatch.applyPatch(structuredClone(object), operations).newDocument;
}

function creationOf(pod: JsonObject, door: Door): Request {
  return {
    door,
    uid: 'controller',
    operation: 'CREATE',
    group: '',
    kind: 'Pod',
    subResource: '',
    name: nameOf(pod),
    namespace: namespaceOf(pod),
    object: pod,
    user: USER,
    dryRun: true,
  };
}
