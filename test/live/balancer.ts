/** What stands between the API server and replicas in a cluster: new connections go to who is ready. */
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebhookProcess } from '../stories/webhook-process.ts';

export interface Balancer {
  readonly port: number;
  add(replica: WebhookProcess): void;
  /** Ends every connection at once, as a network that breaks. */
  cut(): void;
  stop(): Promise<void>;
}

/** How often readiness is looked at; what a Service learns late, it sends to a replica that drains. */
const LOOK_EVERY = 200;
/** A replica that is not ready in so many looks on end gets nothing any more, as the chart's readinessProbe says it. */
const FAILURE_THRESHOLD = 2;

/** Passes connections on to replicas that say they are ready, in turn; TLS stays between the ends. */
export async function startBalancer(): Promise<Balancer> {
  /** How often on end each was found not ready. */
  const replicas = new Map<WebhookProcess, number>();
  const sockets = new Set<Socket>();
  let turn = 0;
  const ending = new AbortController();
  const server = createServer((client) => {
    const ready = [...replicas].filter(([, failures]) => failures < FAILURE_THRESHOLD).map(([one]) => one);
    const replica = ready[turn++ % Math.max(1, ready.length)];
    if (replica === undefined) client.destroy();
    else pipe(client, replica.port, sockets);
  });
  const port = await listening(server);
  const looking = (async () => {
    while (!ending.signal.aborted) {
      await Promise.all(
        [...replicas].map(async ([replica, failures]) =>
          replicas.set(replica, (await isReady(replica)) ? 0 : failures + 1),
        ),
      );
      await sleep(LOOK_EVERY);
    }
  })();
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port,
    add: (replica) => void replicas.set(replica, 0),
    cut,
    stop: async () => {
      ending.abort();
      server.close();
      cut();
      await looking;
    },
  };
}

/** Passes every connection on to one port of this machine. */
export async function startTunnel(target: number): Promise<Omit<Balancer, 'add'>> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => pipe(client, target, sockets));
  const port = await listening(server);
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port,
    cut,
    stop: async () => {
      server.close();
      cut();
    },
  };
}

function pipe(client: Socket, port: number, sockets: Set<Socket>): void {
  const upstream = connect(port, '127.0.0.1');
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.on('error', () => other.destroy());
  }
  client.pipe(upstream).pipe(client);
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

async function isReady({ opsPort, child }: WebhookProcess): Promise<boolean> {
  if (child.exitCode !== null) return false;
  const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`).catch(() => undefined);
  return answer?.status === 200;
}
