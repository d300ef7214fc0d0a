/**
 * OTLP over gRPC: one unary call a batch, on a connection of HTTP/2 that is kept. It is what collectors listen for on
 * port 4317; a whole gRPC library would weigh more than this program's own code.
 */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { connect, constants } from 'node:http2';
import { PROGRAM } from '../contract/keys.ts';
import type { Sent, Transport } from './otlp.ts';
import { faultSent } from './otlp.ts';
import { connectOptions } from './otlp-http.ts';
import type { TracingSettings } from './tracing-settings.ts';

const METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
/** CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS: as OTLP has it. */
const AGAIN: ReadonlySet<string> = new Set(['1', '4', '8', '10', '11', '14', '15']);
const OK = '0';

export function createGrpcTransport({ endpoint, headers, gzip, tls }: TracingSettings): Transport {
  let session: ClientHttp2Session | undefined;
  const opened = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const made = connect(endpoint.origin, connectOptions(tls));
    // Each call hears of the end of its own stream; a session without a listener would end the process.
    made.on('error', () => undefined);
    made.on('goaway', () => made.close());
    made.unref();
    session = made;
    return made;
  };
  const call = {
    ...headers,
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: METHOD,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': PROGRAM,
    ...(gzip ? { 'grpc-encoding': 'gzip' } : {}),
  };
  return {
    async send(batch, signal) {
      try {
        signal.throwIfAborted();
        const sent = await answerOf(opened().request(call), framed(batch, gzip), signal);
        return sent;
      } catch (fault) {
        // A connection that does not answer is not asked again.
        session?.destroy();
        return faultSent(signal.aborted ? signal.reason : fault);
      }
    },
    close: async () => session?.destroy(),
  };
}

/** gRPC's frame: whether it is compressed, its length, the message. */
function framed(batch: Uint8Array, gzip: boolean): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(gzip ? 1 : 0, 0);
  head.writeUInt32BE(batch.length, 1);
  return Buffer.concat([head, batch]);
}

/** The status stands in the trailers, or in the headers of an answer that has nothing else. */
async function answerOf(stream: ClientHttp2Stream, body: Buffer, signal: AbortSignal): Promise<Sent> {
  const { promise, resolve, reject } = Promise.withResolvers<Sent>();
  const cancel = (): void => {
    stream.close(constants.NGHTTP2_CANCEL);
    reject(signal.reason);
  };
  let heard: IncomingHttpHeaders = {};
  stream.on('response', (answer) => {
    heard = answer;
  });
  stream.on('trailers', (trailers) => {
    heard = { ...heard, ...trailers };
  });
  stream.on('error', reject);
  stream.on('close', () => resolve(resultOf(heard)));
  stream.resume();
  stream.end(body);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function resultOf(heard: IncomingHttpHeaders): Sent {
  const status = heard['grpc-status'];
  if (status === OK) return { result: 'ok' };
  if (typeof status === 'string') {
    const why = `gRPC status ${status.slice(0, 3)}`;
    return { result: AGAIN.has(status) ? 'again' : 'refused', why };
  }
  const http = heard[constants.HTTP2_HEADER_STATUS];
  return http === undefined
    ? { result: 'again', why: 'no answer' }
    : { result: 'refused', why: `HTTP ${String(http)}, no gRPC` };
}
