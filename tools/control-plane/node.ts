import type { ApiClient } from './api-client.ts';
import type { Pod } from './pod-shape.ts';

export const NODE_NAME = 'floe-node';

const PLENTY = { cpu: '64', memory: '256Gi', pods: '1000' };

/** Makes the Node object that pods are bound to, ready and without taints. */
export async function registerNode(api: ApiClient): Promise<void> {
  const path = `/api/v1/nodes/${NODE_NAME}`;
  const labels = { 'kubernetes.io/hostname': NODE_NAME, 'kubernetes.io/os': 'linux' };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE_NAME, labels } };
  const { status } = await api.send('POST', '/api/v1/nodes', node);
  if (status >= 400 && status !== 409) throw new Error(`the node could not be registered: ${status}`);
  // Admission taints a new node as not ready; nothing here would take the taint away.
  await api.request('PATCH', path, { spec: { taints: null } });
  const now = new Date().toISOString();
  await api.request('PATCH', `${path}/status`, {
    status: {
      capacity: PLENTY,
      allocatable: PLENTY,
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      nodeInfo: nodeInfo(),
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'StandIn',
          message: 'nothing runs here; pods are only reported',
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        },
      ],
    },
  });
}

function nodeInfo(): Readonly<Record<string, string>> {
  const none = {
    machineID: '',
    systemUUID: '',
    bootID: '',
    kernelVersion: '',
    osImage: '',
    kubeProxyVersion: '',
  };
  return {
    ...none,
    operatingSystem: 'linux',
    architecture: 'amd64',
    containerRuntimeVersion: 'none://0',
    kubeletVersion: 'stand-in',
  };
}

/** The event by which people learn why a pod stays in ContainerCreating. */
export async function reportFailedMount(api: ApiClient, pod: Pod, message: string): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  const now = new Date().toISOString();
  await api.request('POST', `/api/v1/namespaces/${namespace}/events`, {
    metadata: { generateName: `${name}.` },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
    type: 'Warning',
    reason: 'FailedMount',
    message,
    source: { component: 'kubelet', host: NODE_NAME },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  });
}
