/** OpenTelemetry's own environment variables, as far as traces by OTLP go. Read without any of its packages. */
import { readFileSync } from 'node:fs';

export type Environment = Readonly<Record<string, string | undefined>>;

export const PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type SamplerName = (typeof SAMPLERS)[number];

export interface TracingSettings {
  readonly protocol: Protocol;
  /** Where spans are posted to; of gRPC the origin counts alone. */
  readonly endpoint: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for one batch, with its retries. */
  readonly timeoutMs: number;
  readonly gzip: boolean;
  /** PEM; '' is the system's authorities, and no client certificate. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly sampler: { readonly name: SamplerName; readonly ratio: number };
  readonly resource: Readonly<Record<string, string>>;
  readonly batch: { readonly queue: number; readonly size: number; readonly delayMs: number };
}

/** Why traces cannot be sent as they are asked for. Names the variable. */
export class TracingError extends Error {
  override readonly name = 'TracingError';
}

/** OTLP's registered port for gRPC; that for HTTP is 4318. */
const GRPC_PORT = '4317';
const BOUNDS = {
  timeout: { least: 1, most: 60_000, usual: 10_000 },
  queue: { least: 1, most: 16_384, usual: 2_048 },
  size: { least: 1, most: 2_048, usual: 512 },
  delay: { least: 10, most: 60_000, usual: 5_000 },
} as const;

/** Whether somebody wants traces: there is an endpoint, and nothing turns them off. */
export function isTracingAsked(env: Environment): boolean {
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return false;
  if (env['OTEL_TRACES_EXPORTER']?.trim() === 'none') return false;
  return given(env, 'ENDPOINT') !== undefined;
}

/** What the environment asks for; `service` is told of this process. Throws TracingError where it cannot be done. */
export function tracingSettings(
  env: Environment,
  service: { readonly name: string; readonly instance: string },
): TracingSettings {
  const place = given(env, 'ENDPOINT');
  if (place === undefined) throw new TracingError('OTEL_EXPORTER_OTLP_ENDPOINT is not set');
  const endpoint = urlOf(place);
  const protocol = protocolOf(given(env, 'PROTOCOL'), endpoint);
  const size = numberOf(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', BOUNDS.size);
  return {
    protocol,
    endpoint: protocol === 'grpc' ? new URL(endpoint.origin) : pathOf(endpoint, place.signal),
    headers: {
      ...pairsIn(env, 'OTEL_EXPORTER_OTLP_HEADERS', true),
      ...pairsIn(env, 'OTEL_EXPORTER_OTLP_TRACES_HEADERS', true),
    },
    timeoutMs: numberOf(env, given(env, 'TIMEOUT')?.name ?? '', BOUNDS.timeout),
    gzip: oneOf(given(env, 'COMPRESSION'), ['none', 'gzip'], 'none') === 'gzip',
    tls: {
      ca: fileOf(given(env, 'CERTIFICATE')),
      cert: fileOf(given(env, 'CLIENT_CERTIFICATE')),
      key: fileOf(given(env, 'CLIENT_KEY')),
    },
    sampler: samplerOf(env),
    resource: {
      'service.name': service.name,
      'service.instance.id': service.instance,
      ...pairsIn(env, 'OTEL_RESOURCE_ATTRIBUTES', false),
      ...named(env['OTEL_SERVICE_NAME']),
    },
    batch: {
      size,
      queue: Math.max(size, numberOf(env, 'OTEL_BSP_MAX_QUEUE_SIZE', BOUNDS.queue)),
      delayMs: numberOf(env, 'OTEL_BSP_SCHEDULE_DELAY', BOUNDS.delay),
    },
  };
}

interface Given {
  readonly name: string;
  readonly value: string;
  /** Whether it is the variable for traces alone. */
  readonly signal: boolean;
}

/** What is set for traces alone beats what is set for all signals; an empty value is none. */
function given(env: Environment, option: string): Given | undefined {
  for (const [name, signal] of [
    [`OTEL_EXPORTER_OTLP_TRACES_${option}`, true],
    [`OTEL_EXPORTER_OTLP_${option}`, false],
  ] as const) {
    const value = env[name]?.trim() ?? '';
    if (value !== '') return { name, value, signal };
  }
  return undefined;
}

function urlOf({ name, value }: Given): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new TracingError(`${name} must be a URL with http:// or https://`);
  }
  return url;
}

/** The variable for all signals names the place that they are below; that for traces is the whole place. */
function pathOf(endpoint: URL, isWhole: boolean): URL {
  if (isWhole) return endpoint;
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url;
}

function protocolOf(asked: Given | undefined, { port }: URL): Protocol {
  return oneOf(asked, PROTOCOLS, port === GRPC_PORT ? 'grpc' : 'http/protobuf');
}

function samplerOf(env: Environment): TracingSettings['sampler'] {
  const value = env['OTEL_TRACES_SAMPLER']?.trim() ?? '';
  const asked = value === '' ? undefined : { name: 'OTEL_TRACES_SAMPLER', value, signal: true };
  const ratio = Number(env['OTEL_TRACES_SAMPLER_ARG']?.trim() || '1');
  if (!(ratio >= 0 && ratio <= 1)) throw new TracingError('OTEL_TRACES_SAMPLER_ARG must be from 0 to 1');
  return { name: oneOf(asked, SAMPLERS, 'parentbased_always_on'), ratio };
}

function oneOf<T extends string>(asked: Given | undefined, choices: readonly T[], usual: T): T {
  if (asked === undefined) return usual;
  const chosen = choices.find((choice) => choice === asked.value);
  if (chosen === undefined) throw new TracingError(`${asked.name} must be one of ${choices.join(', ')}`);
  return chosen;
}

function numberOf(
  env: Environment,
  name: string,
  { least, most, usual }: { readonly least: number; readonly most: number; readonly usual: number },
): number {
  const value = env[name]?.trim() ?? '';
  if (value === '') return usual;
  const number = Number(value);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new TracingError(`${name} must be a whole number from ${least} to ${most}`);
}

function fileOf(path: Given | undefined): string {
  if (path === undefined) return '';
  try {
    return readFileSync(path.value, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new TracingError(`${path.name}: the file cannot be read (${code})`);
  }
}

/** `key=value,other=value`, percent-encoded. Values may be credentials, so no error shows one. */
function pairsIn(env: Environment, name: string, isHeader: boolean): Readonly<Record<string, string>> {
  const entries = (env[name] ?? '').split(',').filter((entry) => entry.trim() !== '');
  const pairs = entries.map((entry, index) => {
    const [key, value] = pairOf(entry) ?? [];
    if (key === undefined || value === undefined || (isHeader && !isHeaderPair(key, value))) {
      throw new TracingError(`${name}: entry ${index + 1} is not key=value, percent-encoded`);
    }
    return [isHeader ? key.toLowerCase() : key, value] as const;
  });
  return Object.fromEntries(pairs);
}

function pairOf(entry: string): readonly [string, string] | undefined {
  const equals = entry.indexOf('=');
  if (equals < 1) return undefined;
  try {
    const [key, value] = [entry.slice(0, equals), entry.slice(equals + 1)].map((part) =>
      decodeURIComponent(part.trim()),
    );
    return key === undefined || key === '' || value === undefined ? undefined : [key, value];
  } catch {
    return undefined;
  }
}

function isHeaderPair(key: string, value: string): boolean {
  return /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(key) && /^[\t\x20-\x7e]*$/.test(value);
}

function named(name: string | undefined): Readonly<Record<string, string>> {
  return name === undefined || name.trim() === '' ? {} : { 'service.name': name.trim() };
}
