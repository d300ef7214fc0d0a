/** A small OpenTelemetry collector: takes spans by OTLP over HTTP and gRPC, and decodes what came. */
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

export interface CollectedSpan {
  readonly name: string;
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number; readonly message: string };
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface Collector {
  readonly url: string;
  readonly spans: CollectedSpan[];
  /** Everything that came, as it came, one text. */
  readonly raw: () => string;
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
}

/** 'hang' takes a batch and never answers; a number is the status of every answer, of gRPC where it is below 100. */
export type Behaviour = 'take' | 'hang' | number;

/** Listens until the test is over. `behaviour` is asked for each batch. */
export async function startCollector(
  protocol: 'http' | 'grpc',
  behaviour: () => Behaviour = () => 'take',
): Promise<Collector> {
  const bodies: Buffer[] = [];
  const collector = { spans: [] as CollectedSpan[], requests: [] as Collector['requests'] };
  const take = (path: string, headers: IncomingHttpHeaders, body: Buffer, isJson: boolean): void => {
    bodies.push(body);
    collector.requests.push({ path, headers });
    collector.spans.push(...(isJson ? spansOfJson(JSON.parse(body.toString())) : spansOfProtobuf(body)));
  };
  const server = protocol === 'http' ? httpServer(take, behaviour) : grpcServer(take, behaviour);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { ...collector, url: `http://127.0.0.1:${port}`, raw: () => bodies.map(String).join('\n') };
}

type Take = (path: string, headers: IncomingHttpHeaders, body: Buffer, isJson: boolean) => void;

function httpServer(take: Take, behaviour: () => Behaviour): Server {
  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const sent = await buffer(message);
    const body = message.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const behaves = behaviour();
    if (behaves === 'hang') return;
    if (behaves === 'take')
      take(message.url ?? '', message.headers, body, message.headers['content-type'] === 'application/json');
    response.writeHead(behaves === 'take' ? 200 : behaves).end();
  };
  return createServer((message, response) => void answer(message, response).catch(() => response.destroy()));
}

function grpcServer(take: Take, behaviour: () => Behaviour): Http2Server {
  const server = createHttp2Server();
  const answer = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> => {
    const sent = await buffer(stream);
    const message = sent.subarray(5, 5 + sent.readUInt32BE(1));
    const behaves = behaviour();
    if (behaves === 'hang') return;
    if (behaves === 'take')
      take(String(headers[':path']), headers, sent[0] === 1 ? gunzipSync(message) : message, false);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'grpc-status': behaves === 'take' ? '0' : String(behaves) }),
    );
    stream.end(behaves === 'take' ? Buffer.alloc(5) : undefined);
  };
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    void answer(stream, headers).catch(() => stream.destroy());
  });
  return server;
}

/** Fields of one protobuf message, by number; of a number each value is in its order. */
function fieldsOf(message: Buffer): (number: number) => readonly (Buffer | bigint)[] {
  const fields = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const varint = (): bigint => {
    let [value, shift] = [0n, 0n];
    for (;;) {
      const byte = message[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      shift += 7n;
    }
  };
  const bytes = (length: number): Buffer => message.subarray(at, (at += length));
  while (at < message.length) {
    const key = Number(varint());
    const wire = key & 7;
    const value = wire === 0 ? varint() : bytes(wire === 1 ? 8 : wire === 5 ? 4 : Number(varint()));
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value]);
  }
  return (number) => fields.get(number) ?? [];
}

const messages = (values: readonly (Buffer | bigint)[]): readonly Buffer[] => values as readonly Buffer[];
const textOf = ([value]: readonly (Buffer | bigint)[]): string => (value === undefined ? '' : String(value));
const hexOf = ([value]: readonly (Buffer | bigint)[]): string =>
  value instanceof Buffer ? value.toString('hex') : '';

function attributesOf(pairs: readonly Buffer[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const field = fieldsOf(pair);
      return [textOf(field(1)), anyValue(messages(field(2))[0]!)];
    }),
  );
}

function anyValue(message: Buffer): unknown {
  const field = fieldsOf(message);
  if (field(1).length > 0) return textOf(field(1));
  if (field(2).length > 0) return field(2)[0] === 1n;
  if (field(3).length > 0) return Number(field(3)[0]);
  if (field(4).length > 0) return messages(field(4))[0]!.readDoubleLE();
  return messages(fieldsOf(messages(field(5))[0] ?? Buffer.alloc(0))(1)).map(anyValue);
}

function spansOfProtobuf(body: Buffer): readonly CollectedSpan[] {
  return messages(fieldsOf(body)(1)).flatMap((resourceSpans) => {
    const part = fieldsOf(resourceSpans);
    const resource = attributesOf(messages(fieldsOf(messages(part(1))[0]!)(1)));
    return messages(part(2)).flatMap((scopeSpans) => {
      const scope = textOf(fieldsOf(messages(fieldsOf(scopeSpans)(1))[0]!)(1));
      return messages(fieldsOf(scopeSpans)(2)).map((span) => spanOf(span, scope, resource));
    });
  });
}

function spanOf(message: Buffer, scope: string, resource: Record<string, unknown>): CollectedSpan {
  const field = fieldsOf(message);
  const status = fieldsOf(messages(field(15))[0] ?? Buffer.alloc(0));
  return {
    name: textOf(field(5)),
    scope,
    traceId: hexOf(field(1)),
    spanId: hexOf(field(2)),
    parentSpanId: hexOf(field(4)),
    kind: Number(field(6)[0] ?? 0),
    attributes: attributesOf(messages(field(9))),
    status: { code: Number(status(3)[0] ?? 0), message: textOf(status(2)) },
    resource,
  };
}

// oxlint-disable-next-line typescript/no-explicit-any
type AnyJson = any;

function spansOfJson(body: AnyJson): readonly CollectedSpan[] {
  const value = (any: AnyJson): unknown =>
    'intValue' in any
      ? Number(any.intValue)
      : 'arrayValue' in any
        ? any.arrayValue.values.map(value)
        : Object.values(any)[0];
  const attributes = (pairs: AnyJson[] = []): Record<string, unknown> =>
    Object.fromEntries(pairs.map((pair) => [pair.key, value(pair.value)]));
  return body.resourceSpans.flatMap(({ resource, scopeSpans }: AnyJson) =>
    scopeSpans.flatMap(({ scope, spans }: AnyJson) =>
      spans.map((span: AnyJson) => ({
        name: span.name,
        scope: scope.name,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        kind: span.kind,
        attributes: attributes(span.attributes),
        status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
        resource: attributes(resource.attributes),
      })),
    ),
  );
}
