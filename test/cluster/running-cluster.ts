// The watched pods and workloads of a cluster, as a test puts them.
import { createListeners } from '../../src/cluster/listeners.ts';
import type { RunningChange, RunningCluster } from '../../src/cluster/running.ts';
import { createUseIndex } from '../../src/cluster/use-index.ts';
import { groupOf } from '../../src/kube/object.ts';
import type { PodRecord, WorkloadRecord } from '../../src/kube/running.ts';

export function createRunning() {
  const pods = new Map<string, PodRecord>();
  const workloads = new Map<string, WorkloadRecord>();
  const index = createUseIndex();
  const changes = createListeners<RunningChange>();
  const find: RunningCluster['workload'] = ({ group, kind }, namespace, name) =>
    workloads.get(`${group}/${kind}/${namespace}/${name}`);
  const keyOf = ({ kind, namespace, name }: WorkloadRecord): string =>
    `${kind.group}/${kind.kind}/${namespace}/${name}`;
  const running: RunningCluster = {
    pod: (namespace, name) => pods.get(`${namespace}/${name}`),
    pods: () => pods.values(),
    podsUsing: index.podsUsing,
    secretsIn: index.secretsIn,
    namespaces: index.namespaces,
    workload: find,
    workloads: () => workloads.values(),
    ownersOf({ namespace, owner }) {
      const above =
        owner && find({ group: groupOf(owner.apiVersion), kind: owner.kind }, namespace, owner.name);
      return above === undefined || above.uid !== owner?.uid ? [] : [above, ...running.ownersOf(above)];
    },
    ready: () => true,
    observe: changes.add,
    stop: async () => undefined,
  };
  return {
    ...running,
    putPod(after: PodRecord) {
      const before = pods.get(`${after.namespace}/${after.name}`);
      pods.set(`${after.namespace}/${after.name}`, after);
      index.replace(before, after);
      changes.tell({ what: 'pod', after, ...(before === undefined ? {} : { before }) });
    },
    removePod(before: PodRecord) {
      pods.delete(`${before.namespace}/${before.name}`);
      index.replace(before, undefined);
      changes.tell({ what: 'pod', before });
    },
    putWorkload(after: WorkloadRecord) {
      const before = workloads.get(keyOf(after));
      workloads.set(keyOf(after), after);
      changes.tell({ what: 'workload', after, ...(before === undefined ? {} : { before }) });
    },
    removeWorkload(before: WorkloadRecord) {
      workloads.delete(keyOf(before));
      changes.tell({ what: 'workload', before });
    },
  };
}
