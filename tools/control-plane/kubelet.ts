import type { ApiClient } from './api-client.ts';
import { follow } from './follow.ts';
import type { MountedFile } from './mounted-files.ts';
import { NODE_NAME, registerNode } from './node.ts';
import type { Pod } from './pod-shape.ts';
import { PodWorker } from './pod-worker.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * A stand-in for scheduler and kubelet: it binds pods, reads the Secrets they name, reports what is
 * missing in the kubelet's words, and remembers what each container would have seen. Nothing runs.
 */
export interface Kubelet {
  readonly nodeName: string;
  /** The environment a container started with; undefined while it has not started. */
  effectiveEnv(
    namespace: string,
    pod: string,
    container: string,
  ): Readonly<Record<string, string>> | undefined;
  /** The files from Secrets and ConfigMaps that a container started with, by absolute path. */
  mountedFiles(
    namespace: string,
    pod: string,
    container: string,
  ): Readonly<Record<string, MountedFile>> | undefined;
  stop(): Promise<void>;
}

interface Source {
  readonly metadata: { readonly namespace: string };
}

export async function startKubelet(api: ApiClient): Promise<Kubelet> {
  await registerNode(api);
  const ending = new AbortController();
  const workers = new Map<string, PodWorker>();
  const queue = new WorkQueue();
  let made = 0;

  const onPod = (type: string, pod: Pod): void => {
    const { uid } = pod.metadata;
    if (type === 'DELETED') {
      workers.delete(uid);
      return;
    }
    const worker = workers.get(uid) ?? new PodWorker(api, pod, addressOf((made += 1)));
    workers.set(uid, worker);
    worker.pod = pod;
    queue.add(worker);
  };
  // A pod that waits is looked at again at once, where the real kubelet takes seconds to come back.
  const onSource = (_type: string, { metadata }: Source): void => {
    for (const worker of workers.values()) {
      if (worker.isWaiting() && worker.pod.metadata.namespace === metadata.namespace) queue.add(worker);
    }
  };
  const { signal } = ending;
  // Without a resourceVersion a watch starts with an ADDED for each object there is.
  const loops = [
    follow(() => api.watch<Pod>('/api/v1/pods?watch=1', signal), onPod, signal),
    follow(() => api.watch<Source>('/api/v1/secrets?watch=1', signal), onSource, signal),
    follow(() => api.watch<Source>('/api/v1/configmaps?watch=1', signal), onSource, signal),
  ];
  return {
    nodeName: NODE_NAME,
    effectiveEnv: (namespace, pod, container) => find(workers, namespace, pod)?.env.get(container),
    mountedFiles: (namespace, pod, container) => find(workers, namespace, pod)?.files.get(container),
    stop: async () => {
      ending.abort();
      await Promise.all([...loops, queue.close()]);
    },
  };
}

function find(
  workers: ReadonlyMap<string, PodWorker>,
  namespace: string,
  name: string,
): PodWorker | undefined {
  return [...workers.values()].find(
    ({ pod: { metadata } }) => metadata.name === name && metadata.namespace === namespace,
  );
}

function addressOf(count: number): string {
  return `10.244.${Math.floor(count / 250) % 250}.${(count % 250) + 1}`;
}
