import type { ProcessIdentity } from './process-identity.ts';

export const POD_SUBNET = '10.244.0.0/16';

/** The file `kubeadm init` reads in the node, much as kind itself writes it. */
export function kubeadmConfig(nodeName: string, certSANs: readonly string[]): string {
  const documents = [
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'ClusterConfiguration',
      clusterName: 'floe',
      apiServer: { certSANs },
      networking: { podSubnet: POD_SUBNET, serviceSubnet: '10.96.0.0/16' },
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'InitConfiguration',
      nodeRegistration: { name: nodeName, criSocket: 'unix:///run/containerd/containerd.sock' },
    },
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      cgroupRoot: '/kubelet',
      // The node shares the machine's disk and swap, so neither says anything about the node.
      failSwapOn: false,
      imageGCHighThresholdPercent: 100,
      evictionHard: { 'nodefs.available': '0%', 'nodefs.inodesFree': '0%', 'imagefs.available': '0%' },
    },
  ];
  return documents.map((document) => JSON.stringify(document)).join('\n---\n');
}

/** kind's own network plug-in comes as a Go template with one field. */
export function fillCniTemplate(template: string): string {
  return template.replaceAll(/\{\{\s*\.PodSubnet\s*\}\}/g, POD_SUBNET);
}

/** admin.conf names the server as the node sees it; from here it is another host and port. */
export function withServer(kubeconfig: string, server: string): string {
  return kubeconfig.replace(/^(\s*server:\s*).*$/m, `$1${server}`);
}

/** A cluster's name carries its owner, so that one whose owner was killed is recognised. */
export function clusterNameOf({ pid, started }: ProcessIdentity): string {
  return `floe-${pid}-${started.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
}

/** Those of the clusters that a process made which is gone. */
export function abandonedClusters(
  names: readonly string[],
  identify: (pid: number) => ProcessIdentity | undefined,
): string[] {
  return names.filter((name) => {
    const pid = Number(/^floe-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid)) return false;
    const owner = identify(pid);
    return owner === undefined || clusterNameOf(owner) !== name;
  });
}
