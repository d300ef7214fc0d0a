/**
 * Takes batches of spans to a collector. A collector that is away, slow or refuses costs the spans and nothing else:
 * a batch has a time, within which it is tried again, and is dropped after it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ExportResultCode } from '@opentelemetry/core';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { backoff } from '../cluster/pause.ts';
import type { Sent, Transport } from './otlp.ts';
import type { TracingSettings } from './tracing-settings.ts';

export interface ExporterOptions {
  readonly settings: Pick<TracingSettings, 'protocol' | 'gzip' | 'timeoutMs'>;
  readonly transport: Transport;
  /** Told what became of so many spans; `why` where they were lost. */
  exported(spans: number, why: string | undefined): void;
}

/** Batches under way at the same time; more are dropped. */
const AT_ONCE = 4;
const BACKOFF = { base: 500, max: 5_000 };
const compressed = promisify(gzip);

export function createSpanExporter({ settings, transport, exported }: ExporterOptions): SpanExporter {
  const { protocol, timeoutMs } = settings;
  const serializer = protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  const ending = new AbortController();
  let underWay = 0;

  async function send(spans: ReadableSpan[]): Promise<string | undefined> {
    if (underWay >= AT_ONCE) return 'too many batches wait for the collector';
    underWay += 1;
    try {
      const plain = serializer.serializeRequest(spans);
      if (plain === undefined) return 'they could not be encoded';
      const batch = settings.gzip ? await compressed(plain) : plain;
      const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), ending.signal]);
      const sent = await attempts(transport, batch, signal);
      return sent.result === 'ok' ? undefined : sent.why;
    } finally {
      underWay -= 1;
    }
  }

  return {
    export(spans, done) {
      void send(spans)
        .catch((fault: unknown) => (fault instanceof Error ? fault.name : 'a fault'))
        .then((why) => {
          exported(spans.length, why);
          // What was lost has been told of; to the SDK, which would only log it, every batch is done.
          done({ code: ExportResultCode.SUCCESS });
        });
    },
    async shutdown() {
      ending.abort(new Error('this process ends'));
      await transport.close();
    },
  };
}

async function attempts(transport: Transport, batch: Uint8Array, signal: AbortSignal): Promise<Sent> {
  for (let failures = 0; ; failures += 1) {
    const sent = await transport.send(batch, signal);
    if (sent.result !== 'again' || signal.aborted) return sent;
    const pause = sent.afterMs ?? backoff(failures, BACKOFF);
    try {
      await sleep(pause, undefined, { signal, ref: false });
    } catch {
      return sent;
    }
  }
}
