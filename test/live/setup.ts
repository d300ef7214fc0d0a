/** One cluster for all live tests that need no other, by FLOE_TEST_CLUSTER: opened before them, stopped after. */
import type { TestProject } from 'vitest/node';
import { clusterChoice, openTestCluster } from '../../tools/control-plane/cluster.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { wantOf } from '../needs.ts';
import { prepareCluster, WEBHOOK, webhookToken } from './cluster.ts';

/** What a test's process is told of it. */
export interface SharedCluster {
  readonly server: string;
  readonly ca: string;
  /** The administrator's. */
  readonly token: string;
  readonly kubeconfig: string;
  /** For the webhook's own identity. */
  readonly webhookKubeconfig: string;
}

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- only an interface can be added to
  interface ProvidedContext {
    readonly cluster: SharedCluster | undefined;
  }
}

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Where it is required and missing, each test file fails for itself.
  if (!wantOf('apiserver').available) {
    project.provide('cluster', undefined);
    return undefined;
  }
  const options = { controllers: false, tokens: [WEBHOOK] };
  // Into a real node's network this machine's ports lead one by one; that tier is for end-to-end tests.
  const plane = await (clusterChoice() === 'node' ? startControlPlane(options) : openTestCluster(options));
  const { server, ca, token = '', kubeconfig } = plane;
  const { externalName } = await plane.exposeWebhook(443);
  await prepareCluster(plane, { externalName });
  const webhookKubeconfig = plane.kubeconfigFor(await webhookToken(plane));
  project.provide('cluster', { server, ca, token, kubeconfig, webhookKubeconfig });
  return () => plane.stop();
}
