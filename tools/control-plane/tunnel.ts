/** Ports across the border of a sandbox's network, in both directions, without touching the machine's network. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from './sandbox.ts';
import { join } from './tunnel-pipe.ts';

const FAR_END = fileURLToPath(new URL('tunnel-end.ts', import.meta.url));

/** What the far end is asked: to serve the socket that comes along, or to make one for this port. */
export interface Ask {
  readonly id: number;
  readonly port: number;
}

interface Answer {
  readonly id: number;
  readonly error?: string;
}

export interface Tunnel {
  /** Opens a port of this machine's loopback that leads to the same port of the sandbox's. */
  openInwards(): Promise<number>;
  /** Opens a port of the sandbox's loopback that leads to the same port of this machine's. */
  openOutwards(port: number): Promise<void>;
  stop(): Promise<void>;
}

export function digTunnel(sandbox: Sandbox): Tunnel {
  const [file, ...args] = sandbox.online(process.execPath, FAR_END);
  const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const outwards = new Map<number, Server>();
  let asked = 0;
  const ask = (port: number, handle?: Server): Promise<Server | undefined> => {
    const id = (asked += 1);
    return new Promise((resolve, reject) => {
      child.on('message', function answer({ id: answered, error }: Answer, server: unknown) {
        if (answered !== id) return;
        child.off('message', answer);
        if (error === undefined) resolve(server instanceof Server ? server : undefined);
        else reject(new Error(`port ${port} of the sandbox: ${error}`));
      });
      void ended.then(() => reject(new Error('the tunnel has ended')));
      child.send({ id, port } satisfies Ask, handle);
    });
  };
  return {
    openInwards: async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('the port has no number');
      await ask(address.port, server);
      server.close();
      return address.port;
    },
    openOutwards: async (port) => {
      if (outwards.has(port)) return;
      const server = await ask(port);
      if (server === undefined) throw new Error(`port ${port} of the sandbox was not handed over`);
      outwards.set(port, server);
      server.on('connection', (socket) => join(socket, connect(port, '127.0.0.1')));
    },
    stop: async () => {
      for (const server of outwards.values()) server.close();
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
