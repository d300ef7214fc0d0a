/** Manifests with another spec, and those of rehearsals. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, get, text } from '../kube/json.ts';
import { labelsOf } from '../kube/object.ts';
import { MIGRATION } from './names.ts';

export function withSpec(raw: JsonObject, change: JsonObject): JsonObject {
  return { ...raw, spec: { ...asObject(get(raw, 'spec')), ...change } };
}

/** No annotation of the original comes with it: what they ask for is asked once. */
export function rehearsed(raw: JsonObject, name: string): JsonObject {
  const namespace = text(get(raw, 'metadata'), 'namespace') ?? '';
  const labels = { ...labelsOf(raw), [MIGRATION]: 'rehearsal' };
  return { ...raw, metadata: { name, namespace, labels } };
}
