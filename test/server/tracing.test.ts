// Traces against a collector that really listens: what arrives, and what a collector in trouble costs.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLiveCluster } from '../../src/cluster/live.ts';
import { defaultConfig } from '../../src/config/config.ts';
import { createReviewer } from '../../src/review/review.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { openTracing } from '../../src/server/open-tracing.ts';
import type { Tracing } from '../../src/server/tracing.ts';
import { startFakeApi, status } from '../cluster/fake-api.ts';
import type { FakeApi, Interception } from '../cluster/fake-api.ts';
import type { Behaviour, CollectedSpan } from './collector.ts';
import { startCollector } from './collector.ts';
import { decision, post, recordedLog, requestOf, review, startWebhook } from './webhook.ts';

const VALUE = 'not-to-be-seen';
const CEILING = { timeout: 60_000, interval: 10 };
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const SOON = { OTEL_BSP_SCHEDULE_DELAY: '20' };

async function tracingTo(env: Readonly<Record<string, string>>) {
  const { log, lines } = recordedLog();
  const { telemetry, text } = createMetrics({ certificateExpiry: () => 0 });
  const tracing = await openTracing({
    env: { ...SOON, ...env },
    log,
    count: (result, spans) => telemetry.count('floe_secrets_spans_total', { result }, spans),
  });
  if (tracing === undefined) throw new Error(lines.join());
  onTestFinished(() => tracing.stop(0));
  return { tracing, lines, text };
}

async function startCluster(
  intercept?: Interception,
): Promise<{ api: FakeApi; cluster: ReturnType<typeof createLiveCluster> }> {
  const api = await startFakeApi();
  api.serve('/api/v1/namespaces', [
    { metadata: { name: 'floe-jobs', labels: { 'secrets.floe.dev/injection': 'enabled' } } },
  ]);
  api.serve('/api/v1/serviceaccounts', [{ metadata: { namespace: 'floe-jobs', name: 'default' } }]);
  api.serve('/apis/apiextensions.k8s.io/v1/customresourcedefinitions');
  api.serve('/api/v1/secrets', [
    { metadata: { namespace: 'floe-jobs', name: 'db' }, data: { PASSWORD: btoa(VALUE) } },
  ]);
  if (intercept !== undefined) api.intercept(intercept);
  const cluster = createLiveCluster({ client: api.client(), kinds: [], config: defaultConfig() });
  onTestFinished(async () => {
    await cluster.stop();
    await api.close();
  });
  await vi.waitFor(() => expect(cluster.ready().ready).toBe(true), CEILING);
  return { api, cluster };
}

/** A webhook over a scripted API server, traced. */
async function startTraced(tracing: Tracing, intercept?: Interception) {
  const { cluster } = await startCluster(intercept);
  const admit = cluster.admission({ review: createReviewer(defaultConfig()), now: Date.now });
  return startWebhook({ admit, trace: tracing.review });
}

const podWith = (inject: string) => ({
  metadata: { name: 'dbt', annotations: { 'secrets.floe.dev/inject': inject } },
  spec: { containers: [{ name: 'dbt', image: 'dbt', env: [{ name: 'LITERAL', value: VALUE }] }] },
});

const named = (spans: readonly CollectedSpan[], name: string): CollectedSpan => {
  const span = spans.find((one) => one.name === name);
  if (span === undefined) throw new Error(`no span ${name} among ${spans.map((one) => one.name).join()}`);
  return span;
};

describe.each(['grpc', 'http/protobuf', 'http/json'] as const)('traces by %s', (protocol) => {
  it.each(['none', 'gzip'])('tell of a review and its live looks (compression %s)', async (compression) => {
    const collector = await startCollector(protocol === 'grpc' ? 'grpc' : 'http');
    const { tracing } = await tracingTo({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_COMPRESSION: compression,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=floe%20jobs',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod,service.name=overridden',
      OTEL_SERVICE_NAME: 'the-webhook',
    });
    const { port, auditLines } = await startTraced(tracing);
    const headers = { traceparent: PARENT, tracestate: 'vendor=1' };
    const answer = await post(port, review({ object: podWith('db') }), { path: '/mutate', headers });
    expect(answer.response.allowed).toBe(true);
    await post(port, review({ uid: 'u-2', object: podWith('gone') }), { path: '/mutate', headers });
    // The looks of a review end before it, and are sent before it or with it.
    const [first, second] = await vi.waitFor(() => {
      const reviews = collector.spans.filter(({ name }) => name === 'secrets.mutate');
      expect(reviews).toHaveLength(2);
      return reviews;
    }, CEILING);
    expect(first).toMatchObject({
      scope: 'floe.secrets.webhook',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
      kind: 2,
      status: { code: 0 },
      resource: { 'service.name': 'the-webhook', 'deployment.environment': 'prod' },
      attributes: {
        'floe.namespace': 'floe-jobs',
        'secrets.operation': 'mutate',
        'secrets.name': 'dbt',
        'secrets.allowed': true,
        'secrets.mode': 'strict',
        'secrets.injected': ['db'],
        'secrets.count': 1,
      },
    });
    expect(second?.attributes).toMatchObject({
      'secrets.allowed': false,
      'secrets.status_code': 403,
      'secrets.codes': ['FLOE-E801'],
      'secrets.states': ['Missing'],
    });
    const looks = collector.spans.filter(({ parentSpanId }) => parentSpanId === first?.spanId);
    expect(named(looks, 'secrets.get_secret')).toMatchObject({
      scope: 'floe.secrets.k8s',
      traceId: first?.traceId,
      kind: 3,
      attributes: { 'secrets.key_name': 'db', 'secrets.found': true, 'floe.namespace': 'floe-jobs' },
    });
    const confirming = collector.spans.filter(({ attributes }) => attributes['secrets.confirms'] === true);
    expect(confirming.map(({ parentSpanId }) => parentSpanId)).toContain(second?.spanId);

    expect(collector.requests[0]).toMatchObject({ headers: { 'x-tenant': 'floe jobs' } });
    expect(auditLines.map((line) => JSON.parse(line).trace_id)).toContain(first?.traceId);
    expect(collector.raw()).not.toContain(VALUE);
    expect(collector.raw()).not.toContain(btoa(VALUE));
  });

  it('follow the caller where it does not sample', async () => {
    const collector = await startCollector(protocol === 'grpc' ? 'grpc' : 'http');
    const { tracing } = await tracingTo({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    });
    const unsampled = { traceparent: PARENT.replace(/01$/, '00') };
    expect(tracing.review(requestOf(), unsampled)).toBeUndefined();
    expect(tracing.review(requestOf(), { traceparent: 'nonsense' })?.traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  const busy = protocol === 'grpc' ? 14 : 503;
  it('are sent again while a collector is busy', async () => {
    const behaviours: Behaviour[] = [busy, busy];
    const collector = await startCollector(
      protocol === 'grpc' ? 'grpc' : 'http',
      () => behaviours.shift() ?? 'take',
    );
    const { tracing } = await tracingTo({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    });
    tracing.review(requestOf(), {})?.decided(decision({}));
    await vi.waitFor(() => expect(collector.spans).toHaveLength(1), CEILING);
  });

  it.each(['hang', 'refuse', 'away'] as const)(
    'cost reviews nothing where the collector does: %s',
    async (trouble) => {
      const refusal = protocol === 'grpc' ? 3 : 400;
      const collector = await startCollector(protocol === 'grpc' ? 'grpc' : 'http', () =>
        trouble === 'hang' ? 'hang' : refusal,
      );
      const { tracing, lines, text } = await tracingTo({
        OTEL_EXPORTER_OTLP_ENDPOINT: trouble === 'away' ? await closedPort() : collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_TIMEOUT: '300',
        OTEL_BSP_MAX_QUEUE_SIZE: '64',
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '32',
      });
      const { port } = await startTraced(tracing);
      for (let count = 0; count < 2_000; count += 1) tracing.review(requestOf(), {})?.decided(decision({}));
      const answer = await post(port, review({ object: podWith('db') }));
      expect(answer.response.allowed).toBe(false); // E807: it carries nothing, and is judged as ever
      await vi.waitFor(
        async () => expect(await text()).toMatch(/spans_total\{result="lost"\} [1-9]/),
        CEILING,
      );
      for (let count = 0; count < 500; count += 1) tracing.review(requestOf(), {})?.decided(decision({}));
      const started = performance.now();
      await tracing.stop(300);
      expect(performance.now() - started).toBeLessThan(10_000);
      const told = lines.filter((line) => line.includes('traces not sent'));
      expect(told).toHaveLength(1);
      expect(told[0]).toMatch(/no answer in time|400|gRPC status 3|ECONN|terminates|this process ends/);
    },
  );

  it('are sent before the process ends', async () => {
    const collector = await startCollector(protocol === 'grpc' ? 'grpc' : 'http');
    const { tracing } = await tracingTo({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_BSP_SCHEDULE_DELAY: '60000',
    });
    for (let count = 0; count < 1_500; count += 1) tracing.review(requestOf(), {})?.decided(decision({}));
    await tracing.stop(20_000);
    expect(collector.spans).toHaveLength(1_500);
  });
});

it('a look that the API server refuses is an error that names the permission, without an address', async () => {
  const collector = await startCollector('http');
  const { tracing } = await tracingTo({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const { port } = await startTraced(tracing, ({ path }, response) => {
    if (!path.endsWith('/secrets/db')) return false;
    status(response, 403, 'Forbidden', 'no');
    return true;
  });
  await post(port, review({ object: podWith('db') }), { path: '/mutate' });
  await vi.waitFor(
    () => expect(collector.spans.map(({ name }) => name)).toContain('secrets.mutate'),
    CEILING,
  );
  expect(named(collector.spans, 'secrets.get_secret')).toMatchObject({
    status: { code: 2, message: 'cannot get secrets in namespace floe-jobs (RBAC)' },
    attributes: { 'error.type': 'FLOE-E821' },
  });
});

it('a fault of our own is an error, and hostile names are cut and cleaned', async () => {
  const collector = await startCollector('http');
  const { tracing } = await tracingTo({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const { port } = await startWebhook({
    trace: tracing.review,
    admit: () => Promise.reject(new Error('broken')),
  });
  const answer = await post(port, review({ name: `\u202e\n${'x'.repeat(5_000)}` }));
  expect([answer.status, answer.response.allowed]).toEqual([200, false]);
  await vi.waitFor(() => expect(collector.spans).toHaveLength(1), CEILING);
  const [span] = collector.spans;
  expect(span).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'FLOE-E820' } });
  const name = String(span?.attributes['secrets.name']);
  expect(name.length).toBeLessThanOrEqual(256);
  expect(name).toMatch(/^ x+$/);
});

async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
