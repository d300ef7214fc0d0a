import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeApiClient } from './api-client.ts';
import type { ControlPlane } from './control-plane.ts';
import { kubeconfigText, readKubeconfig } from './kubeconfig.ts';

/** What a cluster that this program did not start as its own child has to say for itself. */
export interface RemoteParts {
  readonly kind: 'kind' | 'existing';
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** Where kubeconfigs for others are written. */
  readonly directory: string;
  readonly hostName: () => Promise<string>;
  readonly loadImage: ControlPlane['loadImage'];
  readonly restartApiServer: ControlPlane['restartApiServer'];
  readonly logs: () => string;
  readonly stop: () => Promise<void>;
}

/** The common interface over a cluster known by its kubeconfig; its controllers and nodes are real. */
export function remoteCluster(parts: RemoteParts): ControlPlane {
  const { kind, kubeconfig, directory, hostName, loadImage, restartApiServer, logs } = parts;
  const { endpoint } = readKubeconfig(kubeconfig);
  const { server, ca, token } = endpoint;
  const api = makeApiClient(endpoint);
  let written = 0;
  let stopping: Promise<void> | undefined;
  return {
    ...api,
    kind,
    server,
    ca,
    token,
    kubeconfig,
    capabilities: { controllers: true, node: 'real' },
    kubelet: undefined,
    kubeconfigFor: (other) => {
      const file = join(directory, `kubeconfig-${(written += 1)}`);
      writeFileSync(file, kubeconfigText({ server, ca, token: other }), { mode: 0o600 });
      return file;
    },
    exposeWebhook: async (port) => ({ externalName: await hostName(), port }),
    loadImage,
    restartApiServer,
    logs,
    stop: () => (stopping ??= api.close().then(parts.stop)),
  };
}
