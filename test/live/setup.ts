/** One control plane for all live tests that need no other: started before them, stopped after. */
import type { TestProject } from 'vitest/node';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { wantOf } from '../needs.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';

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
  const plane = await startControlPlane({ controllers: false, tokens: [WEBHOOK] });
  const { server, ca, token = '', kubeconfig } = plane;
  await prepareCluster(plane);
  const webhookKubeconfig = plane.kubeconfigFor(WEBHOOK.token);
  project.provide('cluster', { server, ca, token, kubeconfig, webhookKubeconfig });
  return () => plane.stop();
}
