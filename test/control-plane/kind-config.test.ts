import { describe, expect, it } from 'vitest';
import {
  abandonedClusters,
  clusterNameOf,
  fillCniTemplate,
  kubeadmConfig,
  POD_SUBNET,
  withServer,
} from '../../tools/control-plane/kind-config.ts';
import { parseAllDocuments } from 'yaml';

describe('kind without kind', () => {
  it('tells kubeadm under which names the API server is reached', () => {
    const documents = parseAllDocuments(kubeadmConfig('node', ['localhost', '172.17.0.1']));
    expect(documents.map((document) => document.toJS())).toMatchObject([
      { kind: 'ClusterConfiguration', apiServer: { certSANs: ['localhost', '172.17.0.1'] } },
      { kind: 'InitConfiguration', nodeRegistration: { name: 'node' } },
      { kind: 'KubeletConfiguration', failSwapOn: false },
    ]);
  });

  it('fills the subnet into the network plug-in', () => {
    expect(fillCniTemplate('a: {{ .PodSubnet }}\nb: {{.PodSubnet}}')).toBe(
      `a: ${POD_SUBNET}\nb: ${POD_SUBNET}`,
    );
  });

  it('puts the mapped address into the kubeconfig', () => {
    const text = 'clusters:\n- cluster:\n    server: https://floe-control-plane:6443\n  name: kubernetes\n';
    expect(withServer(text, 'https://localhost:32768')).toBe(
      'clusters:\n- cluster:\n    server: https://localhost:32768\n  name: kubernetes\n',
    );
  });
});

describe("a cluster's name", () => {
  it('is one that kind accepts, and names its owner', () => {
    expect(clusterNameOf({ pid: 7, started: 'Sun Nov 22 23:00:01 2026' })).toBe(
      'floe-7-sun-nov-22-23-00-01-2026',
    );
  });

  it('tells whose owner is gone, and leaves those of other people', () => {
    const alive = { pid: 7, started: '100' };
    const names = [clusterNameOf(alive), 'floe-7-99', 'floe-8-100', 'kind', 'floe-mine', ''];
    const identify = (pid: number) => (pid === 7 ? alive : undefined);
    expect(abandonedClusters(names, identify)).toEqual(['floe-7-99', 'floe-8-100']);
  });
});
