/** Which workload stands behind a pod: its controller, that one's controller, and so on to the top. */
import type { JsonObject } from './json.ts';
import { controllerOf, groupOf, nameOf, namespaceOf, uidOf } from './object.ts';
import type { WorkloadObject } from './workload.ts';

export interface Controllers {
  /** The workload at the top of the chain; undefined where nothing that is known controls the object. */
  topOf(raw: JsonObject): WorkloadObject | undefined;
}

/** A Deployment owns a ReplicaSet owns a pod, a CronJob a Job a pod; nothing goes deeper without an add-on. */
const MAX_DEPTH = 5;

export function controllersOf(workloads: readonly WorkloadObject[]): Controllers {
  const known = new Map(workloads.map((workload) => [keyOf(workload), workload]));
  return {
    topOf(raw) {
      let top: WorkloadObject | undefined;
      let current = raw;
      for (let depth = 0; depth < MAX_DEPTH; depth++) {
        const owner = controllerOf(current);
        if (owner === undefined) return top;
        const place = [groupOf(owner.apiVersion), owner.kind, namespaceOf(raw), owner.name];
        const above = known.get(place.join('/'));
        // Anybody can write an ownerReference: only the object of that uid is meant.
        if (above === undefined || uidOf(above.raw) !== owner.uid) return top;
        top = above;
        current = above.raw;
      }
      return top;
    },
  };
}

function keyOf({ kind, raw }: WorkloadObject): string {
  return [kind.group, kind.kind, namespaceOf(raw), nameOf(raw)].join('/');
}
