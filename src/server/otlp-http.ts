/** OTLP over HTTP: one POST a batch. */
import { Agent } from 'undici';
import { PROGRAM } from '../contract/keys.ts';
import type { Sent, Transport } from './otlp.ts';
import { faultSent } from './otlp.ts';
import type { TracingSettings } from './tracing-settings.ts';

/** As OTLP has it: too many requests, and a collector or what is in front of it that is away for a while. */
const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** What is read of an answer before its connection is given up: all that a collector has to say is small. */
const MOST_ANSWER = 65_536;

export function createHttpTransport({ endpoint, headers, protocol, gzip, tls }: TracingSettings): Transport {
  const agent = new Agent({ connections: 1, connect: connectOptions(tls) });
  const sent = {
    ...headers,
    'content-type': protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
    'user-agent': PROGRAM,
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
  };
  return {
    async send(batch, signal) {
      try {
        const answer = await agent.request({
          origin: endpoint.origin,
          path: `${endpoint.pathname}${endpoint.search}`,
          method: 'POST',
          headers: sent,
          body: batch,
          signal,
        });
        await answer.body.dump({ limit: MOST_ANSWER, signal });
        return resultOf(answer.statusCode, answer.headers['retry-after']);
      } catch (fault) {
        return faultSent(signal.aborted ? signal.reason : fault);
      }
    },
    close: async () => agent.destroy(),
  };
}

/** What a TLS connection needs besides its host. */
export function connectOptions({ ca, cert, key }: TracingSettings['tls']): {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
} {
  return { ...(ca === '' ? {} : { ca }), ...(cert === '' ? {} : { cert }), ...(key === '' ? {} : { key }) };
}

function resultOf(status: number, retryAfter: string | string[] | undefined): Sent {
  if (status >= 200 && status <= 299) return { result: 'ok' };
  const why = `HTTP ${status}`;
  if (!AGAIN.has(status)) return { result: 'refused', why };
  const seconds = Number(retryAfter);
  return seconds > 0 ? { result: 'again', why, afterMs: seconds * 1000 } : { result: 'again', why };
}
