/** The files that the programs of a real node are started with. JSON is YAML, and each of them reads it. */
import { join } from 'node:path';
import { NODE_NAME } from './node.ts';
import { NODE_ADDRESS } from './sandbox.ts';

export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
export const PAUSE_IMAGE = 'floe.test/pause:1';
const POD_SUBNET = '10.244.0.0/24';

export interface NodeSettings {
  readonly directory: string;
  readonly cni: string;
  readonly controlGroup: string;
  /** How layers become one file system; 'native' copies, where overlays do not work. */
  readonly snapshotter: 'overlayfs' | 'native';
}

/** Every file by its name in the run's directory. */
export function nodeFiles(settings: NodeSettings): Readonly<Record<string, string>> {
  const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
  return {
    'containerd.toml': containerdConfig(settings),
    'cni.d/10-bridge.conflist': json(cniConfig(settings)),
    'kubelet.json': json(kubeletConfig(settings)),
    'kube-proxy.json': json(proxyConfig(settings)),
  };
}

function containerdConfig({ directory, cni, snapshotter }: NodeSettings): string {
  return `version = 2
root = "${join(directory, 'containerd')}"
state = "/run/containerd"
oom_score = 0

[grpc]
  address = "${CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # This process may not lower anybody's score; runc would fail without a word.
  restrict_oom_score_adj = true
  # Its profiles would be loaded into the machine's kernel.
  disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "${snapshotter}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${cni}"
  conf_dir = "${join(directory, 'cni.d')}"
`;
}

function cniConfig({ directory }: NodeSettings): object {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: POD_SUBNET }]],
    routes: [{ dst: '0.0.0.0/0' }],
    dataDir: join(directory, 'addresses'),
  };
  const bridge = { type: 'bridge', bridge: 'pods0', isGateway: true, hairpinMode: true, ipam };
  return { cniVersion: '0.4.0', name: 'pods', plugins: [bridge] };
}

function kubeletConfig({ directory, controlGroup }: NodeSettings): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE_ADDRESS,
    healthzPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: join(directory, 'ca.crt') },
    },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${controlGroup}`,
    failCgroupV1: false,
    enforceNodeAllocatable: [],
    // The node shares the machine's disk and swap, so neither says anything about the node.
    failSwapOn: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'nodefs.available': '0%', 'nodefs.inodesFree': '0%', 'imagefs.available': '0%' },
    resolvConf: '',
  };
}

function proxyConfig({ directory }: NodeSettings): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig: join(directory, 'kubeconfig') },
    hostnameOverride: NODE_NAME,
    clusterCIDR: POD_SUBNET,
    // Pods sit on one bridge: an answer that went straight back would come from an address nobody called.
    iptables: { masqueradeAll: true },
    // These are settings of the machine, not of the sandbox's network.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    healthzBindAddress: '127.0.0.1:10256',
  };
}
