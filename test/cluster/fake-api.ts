/** An API server by script: collections that can be listed and watched, over HTTPS, and every fault on demand. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Client } from '../../src/cluster/client.ts';
import { createClient } from '../../src/cluster/client.ts';
import { endpointOf } from '../../src/cluster/credentials.ts';
import type { KeyPair } from '../../tools/certificates.ts';
import { makeAuthority } from '../../tools/certificates.ts';

export interface Item {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly authorization: string;
  readonly body: string;
}

/** Answers one request itself; undefined leaves it to the collections. */
export type Interception = (request: Recorded, response: ServerResponse) => boolean;

interface Watcher {
  readonly path: string;
  readonly response: ServerResponse;
}

/** One event of a collection's history. */
interface Change {
  readonly path: string;
  readonly version: number;
  readonly line: string;
}

const authority = await makeAuthority('fake API server');
const pair: KeyPair = await authority.issue({ names: ['localhost'], ips: ['127.0.0.1'] });

export type FakeApi = Awaited<ReturnType<typeof startFakeApi>>;

export async function startFakeApi() {
  const collections = new Map<string, Map<string, Item>>();
  const requests: Recorded[] = [];
  const sockets = new Set<Socket>();
  const history: Change[] = [];
  const frozen = new Set<string>();
  const clients: Client[] = [];
  let watchers: Watcher[] = [];
  let version = 100;
  let oldest = 0;
  let connections = 0;
  let intercept: Interception = () => false;

  const server = createServer({ cert: pair.certPem, key: pair.keyPem }, (request, response) => {
    void receive(request, response);
  });
  // The TCP sockets below TLS: only they can be reset.
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', url);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const recorded: Recorded = {
      method: request.method ?? '',
      path: pathname,
      query: searchParams,
      accept: request.headers.accept ?? '',
      authorization: request.headers.authorization ?? '',
      body,
    };
    requests.push(recorded);
    if (intercept(recorded, response)) return;
    const items = collections.get(pathname);
    if (items !== undefined && searchParams.has('watch')) openWatch(recorded, response);
    else if (items !== undefined) answerList(recorded, response, items);
    else answerObject(pathname, response);
  }

  function openWatch({ path, query }: Recorded, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'));
    if (from < oldest) return status(response, 410, 'Expired', 'too old resource version');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const change of history)
      if (change.path === path && change.version > from) response.write(change.line);
    frozen.delete(path);
    watchers.push({ path, response });
    response.on('close', () => (watchers = watchers.filter((one) => one.response !== response)));
  }

  function answerList({ query }: Recorded, response: ServerResponse, items: Map<string, Item>): void {
    const limit = Number(query.get('limit') ?? '0') || items.size;
    const start = Number(query.get('continue') ?? '0');
    const rest = start + limit < items.size ? String(start + limit) : '';
    const page = [...items.values()].slice(start, start + limit);
    send(response, 200, {
      kind: 'List',
      metadata: { resourceVersion: String(version), continue: rest },
      items: page,
    });
  }

  function answerObject(path: string, response: ServerResponse): void {
    const parts = path.split('/');
    const name = decodeURIComponent(parts.pop() ?? '');
    const collection = parts.join('/');
    const [, namespace = ''] = /\/namespaces\/([^/]+)\/[^/]+$/.exec(collection) ?? [];
    const whole = namespace === '' ? collection : collection.replace(`/namespaces/${namespace}`, '');
    const found = collections.get(whole)?.get(`${namespace}/${name}`);
    if (found === undefined) status(response, 404, 'NotFound', `"${name}" not found`);
    else send(response, 200, found);
  }

  function record(path: string, type: string, item: Item): void {
    version += 1;
    const object = { ...item, metadata: { ...item.metadata, resourceVersion: String(version) } };
    const key = `${item.metadata.namespace ?? ''}/${item.metadata.name}`;
    const items = collections.get(path) ?? new Map<string, Item>();
    if (type === 'DELETED') items.delete(key);
    else items.set(key, object);
    if (!collections.has(path)) return;
    const line = `${JSON.stringify({ type, object })}\n`;
    history.push({ path, version, line });
    if (frozen.has(path)) return;
    for (const watcher of watchers) if (watcher.path === path) watcher.response.write(line);
  }

  return {
    url,
    ca: authority.certPem,
    requests,
    connections: () => connections,
    watching: (path: string) => watchers.filter((one) => one.path === path).length,
    /** Requests for a path, split into lists and watches by `kind`. */
    asked: (path: string, kind: 'list' | 'watch' | 'any' = 'any') =>
      requests.filter(
        (one) => one.path === path && (kind === 'any' || (kind === 'watch') === one.query.has('watch')),
      ),
    serve(path: string, items: readonly Item[] = []) {
      collections.set(path, new Map());
      for (const item of items) record(path, 'ADDED', item);
    },
    /** The server ends the open watches of a path, as it does after `timeoutSeconds`. */
    endWatches(path: string) {
      for (const watcher of watchers) if (watcher.path === path) watcher.response.end();
    },
    /** Open watches hear of no more changes. */
    freeze: (path: string) => void frozen.add(path),
    /** The path is 404; its watches stay open. */
    forget: (path: string) => void collections.delete(path),
    /** The CRD goes: the path is 404 and its watches end. */
    unserve(path: string) {
      collections.delete(path);
      for (const watcher of watchers) if (watcher.path === path) watcher.response.end();
    },
    add: (path: string, item: Item) => record(path, 'ADDED', item),
    modify: (path: string, item: Item) => record(path, 'MODIFIED', item),
    remove: (path: string, item: Item) => record(path, 'DELETED', item),
    /** Any line into the open watches of a path: a bookmark, an ERROR, garbage. */
    write(path: string, line: unknown) {
      const isRaw = typeof line === 'string' || line instanceof Uint8Array;
      const content = isRaw ? line : `${JSON.stringify(line)}\n`;
      for (const watcher of watchers) if (watcher.path === path) watcher.response.write(content);
    },
    /** The history is gone: a watch from an older version is answered 410. */
    compact() {
      oldest = version;
      history.length = 0;
    },
    version: () => version,
    resetConnections() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    intercept: (interception: Interception) => (intercept = interception),
    client(token = 'test-token') {
      const headers = { authorization: `Bearer ${token}` };
      const endpoint = endpointOf(url, { headers, tls: { ca: authority.certPem } });
      const client = createClient({ current: async () => endpoint });
      clients.push(client);
      return client;
    },
    async close() {
      await Promise.all(clients.map(async (client) => client.close()));
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** A Kubernetes `Status`, as every refusal of an API server is one. */
export function status(response: ServerResponse, code: number, reason: string, message: string): void {
  send(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
}
