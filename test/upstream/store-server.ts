/** What the stand-ins of stores share: a real HTTP server on a port of the kernel's, and faults on demand. */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { KeyPair } from '../../tools/certificates.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  header(name: string): string;
}

/**
 * What happens to the next requests instead of an answer. `hang`: no headers; `stall`: headers, then nothing more;
 * `reset`: the connection breaks; `answered-then-reset`: what was asked is done, and the connection breaks.
 */
export type Fault = 'hang' | 'stall' | 'reset' | 'answered-then-reset';

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface StoreServer {
  readonly url: string;
  readonly requests: readonly Received[];
  /** How often a path was asked for, by its end. */
  asked(method: string, ending: string): number;
  /** The next requests whose path has this part go wrong; `times` of them, by default all. */
  fail(part: string, fault: Fault, times?: number): void;
  /** The same, with an answer of the test's own. */
  answer(part: string, reply: Reply, times?: number): void;
  /** The next request whose path has this part is answered after this. */
  meanwhile(part: string, work: () => Promise<unknown>): void;
  heal(): void;
  stop(): Promise<void>;
}

interface Work {
  readonly part: string;
  readonly begin: () => Promise<unknown>;
}

interface Trouble {
  readonly part: string;
  readonly what: Fault | Reply;
  left: number;
}

export async function startStoreServer(
  handle: (request: Received) => Reply,
  pair?: KeyPair,
): Promise<StoreServer> {
  const requests: Received[] = [];
  const sockets = new Set<Socket>();
  let troubles: Trouble[] = [];
  const works: Work[] = [];

  const listener: RequestListener = (request, response) => {
    void receive(request).then(async (received) => {
      requests.push(received);
      const due = works.findIndex(({ part }) => received.path.includes(part));
      if (due >= 0) await works.splice(due, 1)[0]?.begin();
      const trouble = troubles.find(({ part, left }) => left > 0 && received.path.includes(part));
      if (trouble !== undefined) trouble.left -= 1;
      const what = trouble?.what;
      if (typeof what === 'object') return send(response, what);
      if (what === undefined) return send(response, handle(received));
      return misbehave(what, { request, response, reply: () => handle(received) });
    });
  };
  const server: Server =
    pair === undefined
      ? createServer(listener)
      : createSecureServer({ cert: pair.certPem, key: pair.keyPem }, listener);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${pair === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    asked: (method, ending) =>
      requests.filter((one) => one.method === method && one.path.endsWith(ending)).length,
    fail: (part, what, left = Number.MAX_SAFE_INTEGER) => void troubles.push({ part, what, left }),
    answer: (part, what, left = Number.MAX_SAFE_INTEGER) => void troubles.push({ part, what, left }),
    meanwhile: (part, begin) => void works.push({ part, begin }),
    heal: () => (troubles = []),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function receive(request: IncomingMessage): Promise<Received> {
  let content = '';
  for await (const chunk of request) content += String(chunk);
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://stand-in');
  return {
    method: request.method ?? '',
    path: pathname,
    query: searchParams,
    body: content === '' ? {} : (JSON.parse(content) as Received['body']),
    header: (name) => String(request.headers[name] ?? ''),
  };
}

function send(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  reply(): Reply;
}

function misbehave(fault: Fault, { request, response, reply }: Exchange): void {
  if (fault === 'hang') return;
  if (fault === 'stall') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"secrets":');
    return;
  }
  if (fault === 'answered-then-reset') reply();
  request.socket.resetAndDestroy();
}
