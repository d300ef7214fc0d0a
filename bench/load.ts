/** Keep-alive TLS load from a bounded number of connections, one request at a time on each. */
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';

export interface Target {
  readonly port: number;
  readonly ca: string;
  readonly path: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Microseconds from the first byte sent to the last byte received. */
  readonly p50: number;
  readonly p99: number;
}

export interface Load {
  readonly requests: number;
  body(index: number): string;
}

/** Connections that stay open, one request at a time on each. */
export interface Connections {
  run(load: Load): Promise<LoadResult>;
  close(): void;
}

export async function openConnections(target: Target, count: number): Promise<Connections> {
  const connections = await Promise.all(Array.from({ length: count }, async () => open(target)));
  return {
    run: async (load) => runLoad(connections, target.path, load),
    close: () => connections.forEach((connection) => connection.close()),
  };
}

async function runLoad(connections: readonly Connection[], path: string, load: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  let sent = 0;
  const start = process.hrtime.bigint();
  const worker = async (connection: Connection): Promise<void> => {
    while (sent < load.requests) {
      const bytes = requestBytes(path, load.body(sent++));
      const began = process.hrtime.bigint();
      await connection.exchange(bytes);
      latencies.push(Number(process.hrtime.bigint() - began) / 1000);
    }
  };
  await Promise.all(connections.map(worker));
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { requests: latencies.length, seconds, p50: at(0.5), p99: at(0.99) };
}

interface Connection {
  exchange(bytes: Buffer): Promise<void>;
  close(): void;
}

async function open({ port, ca }: Target): Promise<Connection> {
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const opened = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }, () => resolve(opened));
    opened.once('error', reject);
  });
  let received = '';
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  socket.setNoDelay(true);
  socket.setEncoding('latin1');
  socket.on('error', (error) => settle?.reject(error));
  socket.on('close', () => settle?.reject(new Error('the server closed the connection')));
  socket.on('data', (chunk: string) => {
    received += chunk;
    if (!isWhole(received)) return;
    if (!received.startsWith('HTTP/1.1 200')) settle?.reject(new Error(received.slice(0, 200)));
    received = '';
    settle?.resolve();
  });
  return {
    exchange: (bytes) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
        socket.write(bytes);
      }),
    close: () => {
      settle = undefined;
      socket.destroy();
    },
  };
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  const length = /content-length: (\d+)/i.exec(text)?.[1];
  return end !== -1 && length !== undefined && text.length >= end + 4 + Number(length);
}

function requestBytes(path: string, body: string): Buffer {
  const head = [
    `POST ${path}?timeout=5s HTTP/1.1`,
    'host: floe-secrets-webhook.floe-secrets-system.svc:443',
    'user-agent: kube-apiserver-admission',
    'accept: application/json, */*',
    'content-type: application/json',
    'accept-encoding: gzip',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
