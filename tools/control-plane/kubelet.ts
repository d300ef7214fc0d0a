import { ApiError } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { follow } from './follow.ts';
import type { MountedFile } from './mounted-files.ts';
import { NODE_NAME, registerNode } from './node.ts';
import type { Pod } from './pod-shape.ts';
import { PodWorker } from './pod-worker.ts';

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
    enqueue(worker);
  };
  // A pod that waits is looked at again at once, where the real kubelet takes seconds to come back.
  const onSource = (_type: string, { metadata }: Source): void => {
    for (const worker of workers.values()) {
      if (worker.isWaiting() && worker.pod.metadata.namespace === metadata.namespace) enqueue(worker);
    }
  };
  const queue = new Set<PodWorker>();
  let working = Promise.resolve();
  const enqueue = (worker: PodWorker): void => {
    queue.add(worker);
    working = working.then(() => workOff(queue));
  };
  const { signal } = ending;
  // Without a resourceVersion a watch starts with an ADDED for each object there is.
  const loops = [
    follow(() => api.watch<Pod>('/api/v1/pods?watch=1', signal), onPod, signal),
    follow(() => api.watch<Source>('/api/v1/secrets?watch=1', signal), onSource, signal),
    follow(() => api.watch<Source>('/api/v1/configmaps?watch=1', signal), onSource, signal),
  ];
  const find = (namespace: string, name: string): PodWorker | undefined =>
    [...workers.values()].find(
      ({ pod: { metadata } }) => metadata.name === name && metadata.namespace === namespace,
    );
  return {
    nodeName: NODE_NAME,
    effectiveEnv: (namespace, pod, container) => find(namespace, pod)?.env.get(container),
    mountedFiles: (namespace, pod, container) => find(namespace, pod)?.files.get(container),
    stop: async () => {
      ending.abort();
      queue.clear();
      await Promise.all([...loops, working]);
    },
  };
}

async function workOff(queue: Set<PodWorker>): Promise<void> {
  for (const worker of queue) {
    queue.delete(worker);
    try {
      await worker.reconcile();
    } catch (error) {
      // Gone or changed in between: the next event brings the pod back. Without an API server there is no
      // event, but the watch begins anew when it returns, and names every pod again.
      const expected = !(error instanceof ApiError) || error.status === 404 || error.status === 409;
      if (!expected) process.stderr.write(`kubelet stand-in: ${error.message}\n`);
    }
  }
}

function addressOf(count: number): string {
  return `10.244.${Math.floor(count / 250) % 250}.${(count % 250) + 1}`;
}
