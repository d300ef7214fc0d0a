import { createServer } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeApiClient } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { findControlPlane } from './assets.ts';
import { hasControllers } from './binaries.ts';
import type { Binaries } from './binaries.ts';
import type { ControlPlane } from './control-plane.ts';
import { writeCredentials } from './credentials.ts';
import type { Credentials, TokenUser } from './credentials.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { startKubelet } from './kubelet.ts';
import { makeServers } from './servers.ts';
import type { Servers } from './servers.ts';
import { createWorkspace, removeWorkspace, sweep } from './workspace.ts';

const READY_WITHIN = 60_000;
const PORT_ATTEMPTS = 5;

export interface ControlPlaneOptions {
  /** Default: whatever findControlPlane finds, which may take minutes the first time. */
  readonly binaries?: Binaries;
  /** Run kube-controller-manager; default: if the binaries have it. */
  readonly controllers?: boolean;
  /** Run the kubelet stand-in; default: with controllers. */
  readonly node?: 'fake' | 'none';
  /** People and programs with a token of their own, e.g. to try what RBAC allows them. */
  readonly tokens?: readonly TokenUser[];
  readonly apiServerFlags?: readonly string[];
}

/** etcd and kube-apiserver on loopback, gone when this process is. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = options.binaries ?? (await findControlPlane({ controllers: options.controllers }));
  const controllers = options.controllers ?? hasControllers(binaries);
  sweep();
  const directory = createWorkspace();
  try {
    const credentials = await writeCredentials(directory, options.tokens ?? []);
    const running = await startOnFreePort(binaries, credentials, {
      directory,
      controllers,
      extra: options.apiServerFlags ?? [],
    });
    const withKubelet = options.node === undefined ? controllers : options.node === 'fake';
    return await assemble(running, { directory, credentials, controllers, withKubelet });
  } catch (error) {
    removeWorkspace(directory);
    throw error;
  }
}

interface Running {
  readonly servers: Servers;
  readonly api: ApiClient;
  readonly server: string;
}

async function startOnFreePort(
  binaries: Binaries,
  credentials: Credentials,
  settings: { directory: string; controllers: boolean; extra: readonly string[] },
): Promise<Running> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = `https://127.0.0.1:${port}`;
    writeFileSync(join(settings.directory, 'kubeconfig'), kubeconfigText({ server, ...credentials }), {
      mode: 0o600,
    });
    const servers = makeServers(binaries, { ...settings, port });
    const api = makeApiClient({ server, ...credentials });
    try {
      await servers.startApiServer();
      await waitUntilReady(api, servers, settings.controllers);
      return { servers, api, server };
    } catch (error) {
      await Promise.all([servers.stop(), api.close()]);
      // Between our asking the kernel for a port and the API server's bind, somebody else may take it.
      if (attempt < PORT_ATTEMPTS && servers.logs().includes('address already in use')) continue;
      throw error;
    }
  }
}

async function assemble(
  { servers, api, server }: Running,
  parts: { directory: string; credentials: Credentials; controllers: boolean; withKubelet: boolean },
): Promise<ControlPlane> {
  const { directory, credentials, controllers, withKubelet } = parts;
  const kubelet = withKubelet ? await startKubelet(api) : undefined;
  let written = 0;
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await kubelet?.stop();
    await api.close();
    await servers.stop();
    removeWorkspace(directory);
  };
  return {
    ...api,
    ...credentials,
    kind: 'local',
    server,
    kubeconfig: join(directory, 'kubeconfig'),
    capabilities: { controllers, node: withKubelet ? 'fake' : 'none' },
    kubelet,
    kubeconfigFor: (token) => {
      const file = join(directory, `kubeconfig-${(written += 1)}`);
      writeFileSync(file, kubeconfigText({ server, ca: credentials.ca, token }), { mode: 0o600 });
      return file;
    },
    // The API server runs on this machine, so its localhost is ours.
    exposeWebhook: async (port) => ({ externalName: 'localhost', port }),
    restartApiServer: async (whileDown) => {
      await servers.stopApiServer();
      await whileDown?.();
      await servers.startApiServer();
      await waitUntilReady(api, servers, controllers);
    },
    logs: () => servers.logs(),
    stop: () => (stopping ??= stop()),
  };
}

/**
 * The client trusts only this run's authority and sends only this run's token,
 * so an answer is the proof that the server is ours.
 */
async function waitUntilReady(api: ApiClient, servers: Servers, controllers: boolean): Promise<void> {
  const deadline = Date.now() + READY_WITHIN;
  await waitFor('/readyz');
  servers.startControllers();
  if (controllers) await waitFor('/api/v1/namespaces/default/serviceaccounts/default');

  async function waitFor(path: string): Promise<void> {
    for (let last = 'no answer'; ; await sleep(20)) {
      const failure = await servers.failure();
      if (failure !== undefined) throw new Error(`${failure}\n${tail(servers.logs())}`);
      try {
        const { status, body } = await api.send('GET', path);
        if (status === 200) return;
        last = `${status} ${JSON.stringify(body)}`;
      } catch (error) {
        last = String(error);
      }
      if (Date.now() > deadline) throw new Error(`not ready: GET ${path}: ${last}\n${tail(servers.logs())}`);
    }
  }
}

function tail(text: string): string {
  return text.split('\n').slice(-20).join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
