/** The index that `policy --index` refuses by: which Secrets of a namespace a pod may use, where CEL can look. */
import { PROGRAM } from '../contract/keys.ts';
import type { State } from '../contract/reasons.ts';
import type { JsonObject } from '../kube/json.ts';

/** Of the ConfigMap, one in each namespace. */
export const INDEX_NAME = 'floe-secrets-index';
export const INDEX_LABELS = { 'app.kubernetes.io/name': PROGRAM };

/** The states that let a pod start: what is stale is there. */
const READY: readonly State[] = ['Synced', 'Stale'];

export interface Indexed {
  readonly name: string;
  readonly state: State;
}

/** Of names and states; each name stands in the object's managedFields once more, and all of it must fit into etcd. */
const MOST_BYTES = 600_000;

/** As many as one object can hold, those that `isUsed` before the others; and how many have no room in it. */
export function fitting(
  secrets: readonly Indexed[],
  isUsed: (name: string) => boolean,
): { readonly secrets: readonly Indexed[]; readonly left: number } {
  const ready = secrets.filter(({ state }) => READY.includes(state));
  const used = ready.filter(({ name }) => isUsed(name));
  const inOrder = [...used, ...ready.filter(({ name }) => !isUsed(name))];
  let bytes = 0;
  const beyond = inOrder.findIndex(({ name, state }) => (bytes += name.length + state.length) > MOST_BYTES);
  return beyond === -1
    ? { secrets: inOrder, left: 0 }
    : { secrets: inOrder.slice(0, beyond), left: inOrder.length - beyond };
}

/** The ConfigMap: the state of each Secret that a pod may use. */
export function indexOf(
  namespace: string,
  secrets: readonly Indexed[],
): JsonObject & { readonly data: Readonly<Record<string, string>> } {
  const ready = secrets.filter(({ state }) => READY.includes(state));
  const entries = ready.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: INDEX_NAME, namespace, labels: INDEX_LABELS },
    data: Object.fromEntries(entries.map(({ name, state }) => [name, state])),
  };
}
