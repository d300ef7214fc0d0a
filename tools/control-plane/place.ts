/** Where the servers of one run listen: on this machine's loopback, or in a sandbox that a tunnel leads into. */
import { createServer } from 'node:net';
import { startSandbox } from './sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import { digTunnel } from './tunnel.ts';

export interface Place {
  readonly sandbox: Sandbox | undefined;
  /** A port of 127.0.0.1, the same for the servers and for this program. */
  openPort(): Promise<number>;
  /** Lets the servers reach this port of this machine's loopback on their own. */
  expose(port: number): Promise<void>;
  stop(): Promise<void>;
}

export function onLoopback(): Place {
  return {
    sandbox: undefined,
    openPort: freePort,
    expose: async () => undefined,
    stop: async () => undefined,
  };
}

export async function inSandbox(directory: string): Promise<Place> {
  const sandbox = await startSandbox(directory);
  const tunnel = digTunnel(sandbox);
  return {
    sandbox,
    openPort: () => tunnel.openInwards(),
    expose: (port) => tunnel.openOutwards(port),
    stop: async () => {
      await tunnel.stop();
      await sandbox.stop();
    },
  };
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
