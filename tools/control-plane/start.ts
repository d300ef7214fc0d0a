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
import type { Kubelet } from './kubelet.ts';
import { findNodePrograms } from './node-programs.ts';
import type { NodePrograms } from './node-programs.ts';
import { inSandbox, onLoopback } from './place.ts';
import type { Place } from './place.ts';
import { startRealNode } from './real-node.ts';
import type { RealNode } from './real-node.ts';
import type { ServerSettings } from './server-flags.ts';
import { makeServers } from './servers.ts';
import type { Servers } from './servers.ts';
import { createWorkspace, removeWorkspace, sweep } from './workspace.ts';

const READY_WITHIN = 180_000;
const PORT_ATTEMPTS = 5;

export interface ControlPlaneOptions {
  /** Default: whatever findControlPlane finds, which may take minutes the first time. */
  readonly binaries?: Binaries;
  /** Run kube-controller-manager; default: if the binaries have it. */
  readonly controllers?: boolean;
  /** What runs pods: the kubelet stand-in (default, with controllers), or a real node, on Linux as root. */
  readonly node?: 'fake' | 'none' | 'real';
  /** People and programs with a token of their own, e.g. to try what RBAC allows them. */
  readonly tokens?: readonly TokenUser[];
  readonly apiServerFlags?: readonly string[];
  readonly controllerManagerFlags?: readonly string[];
}

/** etcd and kube-apiserver on loopback, or in the sandbox of a real node; gone when this process is. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = options.binaries ?? (await findControlPlane({ controllers: options.controllers }));
  const controllers = options.controllers ?? hasControllers(binaries);
  const node = options.node ?? (controllers ? 'fake' : 'none');
  const programs = node === 'real' ? await findNodePrograms() : undefined;
  sweep();
  const directory = createWorkspace();
  let place = onLoopback();
  try {
    const credentials = await writeCredentials(directory, options.tokens ?? []);
    if (programs !== undefined) place = await inSandbox(directory);
    const run = { directory, credentials, controllers, place };
    const extra = {
      apiServer: options.apiServerFlags ?? [],
      controllerManager: options.controllerManagerFlags ?? [],
    };
    const running = await startOnFreePort(binaries, { ...run, extra });
    const workers = await startWorkers(running, { ...run, node, programs });
    return assemble({ ...running, ...workers }, { ...run, node });
  } catch (error) {
    await place.stop();
    removeWorkspace(directory);
    throw error;
  }
}

/** What all parts of one run share. */
interface Run {
  readonly directory: string;
  readonly credentials: Credentials;
  readonly controllers: boolean;
  readonly place: Place;
}

interface Running {
  readonly servers: Servers;
  readonly api: ApiClient;
  readonly server: string;
}

/** What runs pods. */
interface Workers {
  readonly kubelet: Kubelet | undefined;
  readonly realNode: RealNode | undefined;
}

async function startOnFreePort(
  binaries: Binaries,
  { directory, credentials, controllers, place, extra }: Run & { readonly extra: ServerSettings['extra'] },
): Promise<Running> {
  const { sandbox } = place;
  for (let attempt = 1; ; attempt += 1) {
    const port = await place.openPort();
    const server = `https://127.0.0.1:${port}`;
    writeFileSync(join(directory, 'kubeconfig'), kubeconfigText({ server, ...credentials }), { mode: 0o600 });
    const servers = makeServers(binaries, { directory, controllers, extra, sandbox, port });
    const api = makeApiClient({ server, ...credentials });
    try {
      await servers.startApiServer();
      await waitUntilReady(api, servers, controllers);
      return { servers, api, server };
    } catch (error) {
      await Promise.all([servers.stop(), api.close()]);
      // Between our asking the kernel for a port and the API server's bind, somebody else may take it.
      if (attempt < PORT_ATTEMPTS && servers.logs().includes('address already in use')) continue;
      throw error;
    }
  }
}

async function startWorkers(
  { api, servers }: Running,
  { directory, place, node, programs }: Run & NodeChoice & { readonly programs: NodePrograms | undefined },
): Promise<Workers> {
  try {
    const realNode =
      programs === undefined || place.sandbox === undefined
        ? undefined
        : await startRealNode(api, { directory, sandbox: place.sandbox, programs });
    return { realNode, kubelet: node === 'fake' ? await startKubelet(api) : undefined };
  } catch (error) {
    await Promise.all([servers.stop(), api.close()]);
    throw error;
  }
}

interface NodeChoice {
  readonly node: 'fake' | 'none' | 'real';
}

function assemble(
  { servers, api, server, kubelet, realNode }: Running & Workers,
  { directory, credentials, controllers, place, node }: Run & NodeChoice,
): ControlPlane {
  let written = 0;
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await kubelet?.stop();
    await api.close();
    await place.stop();
    await realNode?.stop();
    await servers.stop();
    removeWorkspace(directory);
  };
  return {
    ...api,
    ...credentials,
    kind: 'local',
    server,
    kubeconfig: join(directory, 'kubeconfig'),
    capabilities: { controllers, node },
    kubelet,
    kubeconfigFor: (token) => {
      const file = join(directory, `kubeconfig-${(written += 1)}`);
      writeFileSync(file, kubeconfigText({ server, ca: credentials.ca, token }), { mode: 0o600 });
      return file;
    },
    // The API server runs on this machine, so its localhost is ours, or a tunnel leads from there to ours.
    exposeWebhook: async (port) => {
      await place.expose(port);
      return { externalName: 'localhost', port };
    },
    loadImage: async (archive) => {
      if (realNode === undefined) throw new Error('only a real node runs images');
      await realNode.loadImage(archive);
    },
    restartApiServer: async (whileDown) => {
      await servers.stopApiServer();
      await whileDown?.();
      await servers.startApiServer();
      await waitUntilReady(api, servers, controllers);
    },
    logs: () => servers.logs() + (realNode?.logs() ?? ''),
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
