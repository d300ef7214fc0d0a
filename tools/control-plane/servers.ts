import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasControllers } from './binaries.ts';
import type { Binaries } from './binaries.ts';
import { startGuarded } from './guarded-process.ts';
import type { GuardedProcess } from './guarded-process.ts';
import type { Command } from './sandbox.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags } from './server-flags.ts';
import type { ServerSettings } from './server-flags.ts';

/** The running programs of one control plane. */
export interface Servers {
  startApiServer(): Promise<void>;
  stopApiServer(): Promise<void>;
  /** Called once the API server is ready. */
  startControllers(): void;
  /** Why a program is no longer there, if one has ended by itself. */
  failure(): Promise<string | undefined>;
  logs(): string;
  stop(): Promise<void>;
}

export function makeServers(binaries: Binaries, settings: ServerSettings): Servers {
  if (settings.controllers && !hasControllers(binaries)) {
    throw new Error('controllers were asked for, but there is no kube-controller-manager');
  }
  return binaries.layout === 'one'
    ? oneProgram(binaries.controlPlane, settings)
    : separatePrograms(binaries, settings);
}

function oneProgram(file: string, settings: ServerSettings): Servers {
  const { directory, controllers } = settings;
  const running = new Running();
  return {
    ...running.common(),
    // etcd and the controllers come and go with the API server; etcd's data stays.
    startApiServer: async () =>
      running.start({
        name: 'controlplane',
        directory,
        ...inPlace(settings, file, directory),
        settings: {
          kubeconfig: join(directory, 'kubeconfig'),
          apiServer: apiServerFlags(settings),
          controllerManager: controllers ? controllerManagerFlags(settings) : [],
        },
      }),
    stopApiServer: () => running.stop('controlplane'),
    startControllers: () => undefined,
  };
}

/** Where the node is in a sandbox, so are the servers: pods and they reach each other. */
function inPlace(
  { sandbox }: ServerSettings,
  ...command: Command
): { file: string; args: readonly string[] } {
  const [file, ...args] = sandbox === undefined ? command : sandbox.online(...command);
  return { file, args };
}

function separatePrograms(
  files: Extract<Binaries, { layout: 'separate' }>,
  settings: ServerSettings,
): Servers {
  const { directory } = settings;
  const running = new Running();
  const start = (name: string, file: string, args: readonly string[]): void =>
    running.start({ name, directory, ...inPlace(settings, file, ...args) });
  return {
    ...running.common(),
    startApiServer: async () => {
      if (!running.has('etcd')) {
        start('etcd', files.etcd, etcdFlags(directory));
        await waitForFile(join(directory, 'etcd.sock'));
      }
      start('kube-apiserver', files.apiServer, apiServerFlags(settings));
    },
    stopApiServer: () => running.stop('kube-apiserver'),
    startControllers: () => {
      const name = 'kube-controller-manager';
      if (!settings.controllers || files.controllerManager === undefined || running.has(name)) return;
      start(name, files.controllerManager, controllerManagerFlags(settings));
    },
  };
}

class Running {
  readonly #processes = new Map<string, GuardedProcess>();
  #earlier = '';

  start(command: Parameters<typeof startGuarded>[0]): void {
    this.#processes.set(command.name, startGuarded(command));
  }

  has(name: string): boolean {
    return this.#processes.has(name);
  }

  async stop(name: string): Promise<void> {
    const one = this.#processes.get(name);
    await one?.stop();
    this.#earlier += one?.log() ?? '';
    this.#processes.delete(name);
  }

  common(): Pick<Servers, 'failure' | 'logs' | 'stop'> {
    return {
      failure: async () => [...this.#processes.values()].find((one) => one.hasEnded())?.ended,
      logs: () => this.#earlier + [...this.#processes.values()].map((one) => one.log()).join(''),
      stop: async () => {
        // The newest first: an API server without its etcd fills its log with complaints.
        for (const name of [...this.#processes.keys()].toReversed()) await this.stop(name);
      },
    };
  }
}

async function waitForFile(path: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  // Whoever needs the file reports its absence better than we could.
  while (!existsSync(path) && Date.now() < deadline) await sleep(10);
}
