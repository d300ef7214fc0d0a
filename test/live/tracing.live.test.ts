/** Traces across both programs: an API server that traces, and a webhook whose reviews belong to its requests. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { needs } from '../needs.ts';
import { startCollector } from '../server/collector.ts';
import { until } from './chart.ts';
import { install } from './installation.ts';
import { temporaryFile } from './temporary-file.ts';

describe.skipIf(!needs('apiserver') || !needs('helm'))('a webhook of an API server that traces', () => {
  test('makes its reviews parts of the API server’s requests', async () => {
    const collector = await startCollector('grpc');
    const tracing = temporaryFile(
      [
        'apiVersion: apiserver.config.k8s.io/v1beta1',
        'kind: TracingConfiguration',
        `endpoint: ${new URL(collector.url).host}`,
        'samplingRatePerMillion: 1000000',
      ].join('\n'),
    );
    const apiServerFlags = [`--tracing-config-file=${tracing}`];
    const installation = await install({ controlPlane: () => ({ controllers: false, apiServerFlags }) });
    onTestFinished(() => installation.stop());
    await installation.start({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    });
    await installation.untilClosed();
    await installation.underLoad();

    const reviews = () => collector.spans.filter(({ scope }) => scope === 'floe.secrets.webhook');
    await until('reviews of both calls within requests', async () => {
      const requests = new Map(
        collector.spans
          .filter(({ scope }) => !scope.startsWith('floe.'))
          .map(({ spanId, traceId }) => [spanId, traceId]),
      );
      const within = reviews().filter(({ parentSpanId, traceId }) => requests.get(parentSpanId) === traceId);
      return ['secrets.mutate', 'secrets.validate'].every((call) => within.some(({ name }) => name === call));
    });
    expect(reviews().every(({ parentSpanId }) => parentSpanId !== '')).toBe(true);
    expect(new Set(reviews().map(({ name }) => name))).toEqual(
      new Set(['secrets.mutate', 'secrets.validate']),
    );
  });
});
