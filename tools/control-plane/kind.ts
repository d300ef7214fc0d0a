import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeApiClient } from './api-client.ts';
import type { Environment } from './binaries.ts';
import type { ControlPlane } from './control-plane.ts';
import { abandonedClusters, clusterNameOf } from './kind-config.ts';
import type { KindNode } from './kind-container.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { identify } from './process-identity.ts';
import { remoteCluster } from './remote-cluster.ts';
import { createWorkspace, removeWorkspace, sweep } from './workspace.ts';

const IMAGE = 'kindest/node:v1.36.2';
const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const UP_WITHIN = 120_000;

const run = promisify(execFile);

/** A cluster in Docker: by the kind program where there is one, else by testcontainers. */
export async function startKind(env: Environment = process.env): Promise<ControlPlane> {
  sweep();
  const directory = createWorkspace();
  try {
    const node = (await hasKind()) ? await createWithKind(directory) : await createContainer(env);
    const kubeconfig = join(directory, 'kubeconfig');
    writeFileSync(kubeconfig, node.kubeconfig, { mode: 0o600 });
    return remoteCluster({
      kind: 'kind',
      kubeconfig,
      directory,
      // Docker Desktop's machine has no address on this host, but a name for it. Elsewhere the server that
      // is exposed has to listen on the bridge's address or on all.
      hostName: async () => (process.platform === 'linux' ? node.gateway : 'host.docker.internal'),
      loadImage: (archive) => node.loadImage(archive),
      restartApiServer: (whileDown) => restart(node, kubeconfig, whileDown),
      logs: () => '',
      stop: async () => {
        await node.stop();
        removeWorkspace(directory);
      },
    });
  } catch (error) {
    removeWorkspace(directory);
    throw error;
  }
}

async function hasKind(): Promise<boolean> {
  return run('kind', ['version']).then(
    () => true,
    () => false,
  );
}

async function createContainer(env: Environment): Promise<KindNode> {
  // Loaded only here: it takes a moment, and most runs need no Docker.
  const { startKindContainer } = await import('./kind-container.ts');
  return startKindContainer(env['FLOE_TEST_KIND_IMAGE'] ?? IMAGE);
}

async function createWithKind(directory: string): Promise<KindNode> {
  const { stdout } = await run('kind', ['get', 'clusters']);
  for (const name of abandonedClusters(stdout.split('\n'), identify)) {
    await run('kind', ['delete', 'cluster', '--name', name]);
  }
  const self = identify(process.pid);
  if (self === undefined) throw new Error('this process cannot be told from others');
  const name = clusterNameOf(self);
  const file = join(directory, 'kind-kubeconfig');
  await run('kind', ['create', 'cluster', '--name', name, '--kubeconfig', file, '--wait', '120s']);
  const format = '{{range .IPAM.Config}}{{.Gateway}} {{end}}';
  const gateways = (await run('docker', ['network', 'inspect', 'kind', '--format', format])).stdout.split(
    ' ',
  );
  return {
    kubeconfig: readFileSync(file, 'utf8'),
    gateway: gateways.find((address) => /^[\d.]+$/.test(address)) ?? 'host.docker.internal',
    exec: async (command) => (await run('docker', ['exec', `${name}-control-plane`, ...command])).stdout,
    loadImage: async (archive) =>
      void (await run('kind', ['load', 'image-archive', archive, '--name', name])),
    stop: async () => void (await run('kind', ['delete', 'cluster', '--name', name])),
  };
}

/** The kubelet stops a static pod whose manifest is gone, and starts it when the manifest is back. */
async function restart(node: KindNode, kubeconfig: string, whileDown?: () => Promise<void>): Promise<void> {
  const api = makeApiClient(readKubeconfig(kubeconfig).endpoint);
  const answers = (): Promise<boolean> =>
    api.send('GET', '/readyz').then(
      ({ status }) => status === 200,
      () => false,
    );
  try {
    await node.exec(['mv', MANIFEST, '/kind/kube-apiserver.yaml']);
    await until(async () => !(await answers()), 'the API server does not stop');
    await whileDown?.();
    await node.exec(['mv', '/kind/kube-apiserver.yaml', MANIFEST]);
    await until(answers, 'the API server does not come back');
  } finally {
    await api.close();
  }
}

async function until(holds: () => Promise<boolean>, complaint: string): Promise<void> {
  const deadline = Date.now() + UP_WITHIN;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${complaint} within ${UP_WITHIN / 1000} s`);
    await sleep(250);
  }
}
