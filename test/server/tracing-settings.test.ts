// The standard variables of OpenTelemetry, as its specification has them.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTracing } from '../../src/server/open-tracing.ts';
import type { Environment } from '../../src/server/tracing-settings.ts';
import { isTracingAsked, tracingSettings } from '../../src/server/tracing-settings.ts';
import { recordedLog } from './webhook.ts';

const SERVICE = { name: 'floe-secrets-webhook', instance: 'pod-1' };
const BASE = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318' };
const read = (env: Environment) => tracingSettings({ ...BASE, ...env }, SERVICE);

describe('traces are asked for', () => {
  it.each<[Environment, boolean]>([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, false],
    [BASE, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://otel:4318/v1/traces' }, true],
    [{ ...BASE, OTEL_SDK_DISABLED: 'true' }, false],
    [{ ...BASE, OTEL_SDK_DISABLED: 'TRUE' }, false],
    [{ ...BASE, OTEL_SDK_DISABLED: 'false' }, true],
    [{ ...BASE, OTEL_TRACES_EXPORTER: 'none' }, false],
    [{ ...BASE, OTEL_TRACES_EXPORTER: 'otlp' }, true],
  ])('by %j: %s', (env, asked) => expect(isTracingAsked(env)).toBe(asked));
});

describe('the endpoint', () => {
  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318' }, 'http/protobuf', 'http://otel:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel/otlp/' }, 'http/protobuf', 'https://otel/otlp/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t:1/x' }, 'http/protobuf', 'http://t:1/x'],
    // floe's charts say no protocol, and name the port of gRPC.
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://floe-platform-otel:4317' },
      'grpc',
      'http://floe-platform-otel:4317/',
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://o:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      'http/json',
      'http://o:4317/v1/traces',
    ],
    [
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' },
      'http/json',
      'http://otel:4318/v1/traces',
    ],
  ])('of %j', (env, protocol, endpoint) => {
    const settings = read(env);
    expect([settings.protocol, settings.endpoint.href]).toEqual([protocol, endpoint]);
  });
});

it('what is said for traces alone beats what is said for all signals', () => {
  const directory = mkdtempSync(join(tmpdir(), 'floe-otel-'));
  writeFileSync(join(directory, 'ca.pem'), 'PEM');
  const settings = read({
    OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc,x-a=1',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-a=2',
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '2000',
    OTEL_EXPORTER_OTLP_CERTIFICATE: join(directory, 'ca.pem'),
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,team=floe%2Cdata',
    OTEL_SERVICE_NAME: 'b',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '200',
  });
  expect(settings).toMatchObject({
    headers: { authorization: 'Bearer abc', 'x-a': '2' },
    timeoutMs: 2000,
    gzip: true,
    tls: { ca: 'PEM', cert: '', key: '' },
    resource: { 'service.name': 'b', 'service.instance.id': 'pod-1', team: 'floe,data' },
    sampler: { name: 'parentbased_traceidratio', ratio: 0.25 },
    batch: { queue: 200, size: 200, delayMs: 5000 },
  });
  expect(read({})).toMatchObject({
    timeoutMs: 10_000,
    gzip: false,
    headers: {},
    sampler: { name: 'parentbased_always_on', ratio: 1 },
    resource: { 'service.name': 'floe-secrets-webhook' },
    batch: { queue: 2048, size: 512, delayMs: 5000 },
  });
});

describe('what cannot be read names its variable, and shows no value', () => {
  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'otel:4317'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'ftp://not-to-be-seen'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'carrier-pigeon'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'not-to-be-seen'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization=not-to-be-seen%0d%0ax: y'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%E0%A4%A'],
    ['OTEL_RESOURCE_ATTRIBUTES', '=x'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '0'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '1e9'],
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', '/nowhere/ca.pem'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '1000000'],
  ])('%s=%s', async (name, value) => {
    const { log, lines } = recordedLog();
    const env = { ...BASE, [name]: value };
    expect(await openTracing({ env, log, count: () => undefined })).toBeUndefined();
    expect(lines.join()).toContain(name);
    expect(lines.join()).not.toContain('not-to-be-seen');
  });
});
