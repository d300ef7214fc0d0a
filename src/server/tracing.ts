/**
 * Traces through OpenTelemetry. Loaded only where somebody asked for them; everything of OpenTelemetry's packages is
 * behind this file.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Context, Span as OtelSpan, TextMapGetter, Tracer } from '@opentelemetry/api';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, diag, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator, setGlobalErrorHandler } from '@opentelemetry/core';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import type { Sampler } from '@opentelemetry/sdk-trace';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Attributes, BeginSpan, Span } from '../cluster/spans.ts';
import { printable } from '../review/findings.ts';
import type { Request } from '../review/request.ts';
import { createGrpcTransport } from './otlp-grpc.ts';
import { createHttpTransport } from './otlp-http.ts';
import type { ReviewSpan, TraceReview } from './review-span.ts';
import { decisionAttributes, requestAttributes } from './review-span.ts';
import { createSpanExporter } from './span-exporter.ts';
import type { TracingSettings } from './tracing-settings.ts';

export interface Tracing {
  readonly review: TraceReview;
  readonly begin: BeginSpan;
  /** Sends what is left, for at most so many milliseconds, and ends. */
  stop(withinMs: number): Promise<void>;
}

export interface TracingOptions {
  readonly settings: TracingSettings;
  /** Told what became of so many spans; `why` where they were lost. */
  exported(spans: number, why: string | undefined): void;
}

const REVIEWS = 'floe.secrets.webhook';
/** As floe's own plugin that looks at Secrets in Kubernetes names its tracer. */
const LOOKS = 'floe.secrets.k8s';
const LIMITS = {
  attributeValueLengthLimit: 256,
  attributeCountLimit: 32,
  eventCountLimit: 4,
  linkCountLimit: 0,
};
const LONGEST_MESSAGE = 500;

export function createTracing({ settings, exported }: TracingOptions): Tracing {
  const { protocol, timeoutMs, batch } = settings;
  const transport = protocol === 'grpc' ? createGrpcTransport(settings) : createHttpTransport(settings);
  const exporter = createSpanExporter({ settings, transport, exported });
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes(settings.resource)),
    sampler: samplerOf(settings.sampler),
    spanLimits: LIMITS,
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: batch.queue,
        maxExportBatchSize: batch.size,
        scheduledDelayMillis: batch.delayMs,
        exportTimeoutMillis: timeoutMs + 1_000,
      }),
    ],
  });
  // What goes wrong is told by the exporter, once, in this program's own log.
  setGlobalErrorHandler(() => undefined);
  diag.disable();
  const tracers = { reviews: provider.getTracer(REVIEWS), looks: provider.getTracer(LOOKS) };
  return {
    review: (request, headers) => reviewSpan(tracers, request, parentOf(headers)),
    begin: (name, attributes) => {
      const span = tracers.reviews.startSpan(name, { attributes: shown(attributes) }, ROOT_CONTEXT);
      return span.isRecording() ? spanOf(span, ROOT_CONTEXT, tracers.looks) : undefined;
    },
    stop: async (withinMs) => {
      const { promise: over, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, withinMs);
      await Promise.race([provider.shutdown().catch(() => undefined), over]);
      clearTimeout(timer);
      await exporter.shutdown();
    },
  };
}

function samplerOf({ name, ratio }: TracingSettings['sampler']): Sampler {
  const root = name.endsWith('always_on')
    ? new AlwaysOnSampler()
    : name.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new TraceIdRatioBasedSampler(ratio);
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

const PROPAGATOR = new W3CTraceContextPropagator();
const HEADERS: TextMapGetter<IncomingHttpHeaders> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) => headers[key],
};

/** The caller's trace: `traceparent` and `tracestate`, which an API server sends where its own tracing is on. */
function parentOf(headers: IncomingHttpHeaders): Context {
  return headers['traceparent'] === undefined
    ? ROOT_CONTEXT
    : PROPAGATOR.extract(ROOT_CONTEXT, headers, HEADERS);
}

function reviewSpan(
  { reviews, looks }: { readonly reviews: Tracer; readonly looks: Tracer },
  request: Request,
  parent: Context,
): ReviewSpan | undefined {
  const attributes = shown(requestAttributes(request));
  const span = reviews.startSpan(`secrets.${request.door}`, { kind: SpanKind.SERVER, attributes }, parent);
  if (!span.isRecording()) return undefined;
  const made = spanOf(span, parent, looks);
  return {
    ...made,
    decided(decision) {
      if (decision === undefined) made.fail('FLOE-E820', 'the review failed; see the log of floe.secrets');
      else made.set(decisionAttributes(decision));
      made.end();
    },
  };
}

function spanOf(span: OtelSpan, parent: Context, looks: Tracer): Span {
  return {
    traceId: span.spanContext().traceId,
    child(name, attributes) {
      const within = trace.setSpan(parent, span);
      const options = { kind: SpanKind.CLIENT, attributes: shown(attributes) };
      return spanOf(looks.startSpan(name, options, within), within, looks);
    },
    set: (attributes) => void span.setAttributes(shown(attributes)),
    fail(type, message) {
      const words = printable(message).slice(0, LONGEST_MESSAGE).toWellFormed();
      span.setStatus({ code: SpanStatusCode.ERROR, message: words });
      span.setAttributes({ 'error.type': type, 'exception.type': type, 'exception.message': words });
    },
    end: () => span.end(),
  };
}

/** Names come from strangers' objects: no control characters. Their length is the SDK's to bound. */
function shown(attributes: Attributes): Record<string, string | number | boolean | string[]> {
  const all: Record<string, string | number | boolean | string[]> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    if (typeof value === 'string') all[name] = printable(value);
    else all[name] = typeof value === 'object' ? value.map(printable) : value;
  }
  return all;
}
