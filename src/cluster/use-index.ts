/** Which pods name which Secret. */
import type { PodRecord } from '../kube/running.ts';

export interface UseIndex {
  replace(before: PodRecord | undefined, after: PodRecord | undefined): void;
  podsUsing(namespace: string, secret: string): readonly PodRecord[];
  secretsIn(namespace: string): Iterable<string>;
  namespaces(): Iterable<string>;
}

export function createUseIndex(): UseIndex {
  const namespaces = new Map<string, Map<string, Map<string, PodRecord>>>();
  function drop(pod: PodRecord): void {
    const secrets = namespaces.get(pod.namespace);
    for (const { secret } of pod.uses) {
      const pods = secrets?.get(secret);
      pods?.delete(pod.name);
      if (pods?.size === 0) secrets?.delete(secret);
    }
    if (secrets?.size === 0) namespaces.delete(pod.namespace);
  }
  function put(pod: PodRecord): void {
    const secrets = namespaces.get(pod.namespace) ?? new Map<string, Map<string, PodRecord>>();
    if (pod.uses.length > 0) namespaces.set(pod.namespace, secrets);
    for (const { secret } of pod.uses) {
      const pods = secrets.get(secret) ?? new Map<string, PodRecord>();
      secrets.set(secret, pods.set(pod.name, pod));
    }
  }
  return {
    replace(before, after) {
      if (before !== undefined) drop(before);
      if (after !== undefined) put(after);
    },
    podsUsing: (namespace, secret) => [...(namespaces.get(namespace)?.get(secret)?.values() ?? [])],
    secretsIn: (namespace) => namespaces.get(namespace)?.keys() ?? [],
    namespaces: () => namespaces.keys(),
  };
}
