import { delimiter } from 'node:path';
import type { Environment } from './binaries.ts';
import type { ControlPlane } from './control-plane.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { startKind } from './kind.ts';
import { remoteCluster } from './remote-cluster.ts';
import { startControlPlane } from './start.ts';
import type { ControlPlaneOptions } from './start.ts';
import { createWorkspace, removeWorkspace } from './workspace.ts';

const CLUSTER_CHOICES = ['auto', 'apiserver', 'controllers', 'node', 'kind', 'existing'] as const;

export type ClusterChoice = (typeof CLUSTER_CHOICES)[number];

/** Which cluster FLOE_TEST_CLUSTER asks for; 'auto' where it says nothing. */
export function clusterChoice(env: Environment = process.env): ClusterChoice {
  const text = env['FLOE_TEST_CLUSTER'] ?? '';
  const choice = CLUSTER_CHOICES.find((known) => known === (text === '' ? 'auto' : text));
  if (choice === undefined) {
    throw new Error(`FLOE_TEST_CLUSTER is '${text}'; it can be ${CLUSTER_CHOICES.join(', ')}`);
  }
  return choice;
}

/** The cluster that FLOE_TEST_CLUSTER asks for; the options count only for one that is started here. */
export async function openTestCluster(
  options: ControlPlaneOptions = {},
  env: Environment = process.env,
): Promise<ControlPlane> {
  const choice = clusterChoice(env);
  if (choice === 'kind') return startKind(env);
  if (choice === 'existing') return openExisting(env);
  if (choice === 'auto') return startControlPlane(options);
  if (choice === 'node') return startControlPlane({ ...options, controllers: true, node: 'real' });
  return startControlPlane({ ...options, controllers: choice === 'controllers' });
}

/** Somebody's own cluster, which has to be named twice: tests create and delete things in it. */
export function openExisting(env: Environment): ControlPlane {
  const kubeconfig = (env['KUBECONFIG'] ?? '').split(delimiter)[0] ?? '';
  if (kubeconfig === '') throw new Error('FLOE_TEST_CLUSTER=existing needs KUBECONFIG');
  const { context } = readKubeconfig(kubeconfig);
  const allowed = env['FLOE_TEST_ALLOW_CONTEXT'];
  if (allowed !== context) {
    throw new Error(
      `the current context of ${kubeconfig} is '${context}'; tests change what is in it, ` +
        `so say FLOE_TEST_ALLOW_CONTEXT=${context} if that is meant`,
    );
  }
  const directory = createWorkspace();
  return remoteCluster({
    kind: 'existing',
    kubeconfig,
    directory,
    hostName: async () => {
      const name = env['FLOE_TEST_HOST'] ?? '';
      if (name !== '') return name;
      throw new Error('FLOE_TEST_HOST has to name this machine as the cluster reaches it');
    },
    loadImage: async () => {
      throw new Error('nothing is put onto the nodes of an existing cluster');
    },
    restartApiServer: async () => {
      throw new Error('the API server of an existing cluster is not restarted');
    },
    logs: () => '',
    stop: async () => removeWorkspace(directory),
  });
}
