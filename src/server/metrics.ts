/** What Prometheus is told. Labels that strangers choose are bounded. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Telemetry } from '../cluster/telemetry.ts';
import type { Decision } from '../review/decision.ts';
import type { Request } from '../review/request.ts';
import { createTelemetry } from './controller-metrics.ts';

export interface Metrics {
  /** Counts one answered review; without a decision it was a fault of our own. */
  reviewed(request: Request, decision: Decision | undefined, milliseconds: number): void;
  /** Counts one look into the memory of Secrets: `hit`, `miss`, … */
  cacheOperation(result: string): void;
  /** For the leader's controllers. */
  readonly telemetry: Telemetry;
  readonly contentType: string;
  /** The exposition text. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  /** Milliseconds since the epoch at which the serving certificate expires. */
  readonly certificateExpiry: () => number;
  /** How many namespaces get a label of their own. */
  readonly maxNamespaces?: number;
}

/** The namespace label of everything past the bound, and of reviews that were not judged. */
const OTHER = '_other';
const OPERATIONS: ReadonlySet<string> = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']);
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Registers every metric in a registry of its own, so that tests and processes do not share counts. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { requests, duration, injected, cache } = instruments(registry, options.certificateExpiry);
  const count = boundCounter(requests);
  const countInjected = boundCounter(injected);
  const countLook = boundCounter(cache);
  const namespaceOf = boundedNamespace(options.maxNamespaces ?? 500);
  const durations = createBatch((seconds: number, times) => {
    for (let index = 0; index < times; index++) duration.observe(seconds);
  });
  const outcomes = createBatch(({ operation, result, code, namespace, plugins }: Outcome, times) => {
    count([operation, result, code, namespace], times);
    for (const plugin of plugins) countInjected([plugin, namespace], times);
  });
  const looks = createBatch((result: string, times) => countLook([result], times));
  return {
    reviewed(request, decision, milliseconds) {
      durations.add(milliseconds / 1000);
      outcomes.add(outcomeOf(request, decision, namespaceOf(request, decision)));
    },
    cacheOperation: looks.add,
    telemetry: createTelemetry(registry),
    contentType: registry.contentType,
    text: () => {
      for (const batch of [durations, outcomes, looks]) batch.flush();
      return registry.metrics();
    },
  };
}

/** What is counted of one review: nothing that holds its pod. */
interface Outcome {
  readonly operation: string;
  readonly result: string;
  readonly code: string;
  readonly namespace: string;
  /** One for each Secret that was injected. */
  readonly plugins: readonly string[];
}

/** The last outcome of each decision that requests share. */
const OUTCOMES = new WeakMap<Decision, Outcome>();

function outcomeOf(request: Request, decision: Decision | undefined, namespace: string): Outcome {
  const operation = operationOf(request);
  const known = decision?.shared === true ? OUTCOMES.get(decision) : undefined;
  if (known?.namespace === namespace && known.operation === operation) return known;
  const [result, code] = [resultOf(decision), codeOf(decision)];
  const outcome = { operation, result, code, namespace, plugins: pluginsOf(request, decision) };
  if (decision?.shared === true) OUTCOMES.set(decision, outcome);
  return outcome;
}

const BATCH = 256;
const NO_PLUGINS: readonly string[] = [];

/**
 * Counting one by one, between two requests, costs several times what it costs in a row; what came several times in a
 * row is counted at once.
 */
function createBatch<T>(count: (item: T, times: number) => void): { add(item: T): void; flush(): void } {
  let items: T[] = [];
  const flush = (): void => {
    const counted = items;
    items = [];
    let since = 0;
    for (const [index, item] of counted.entries()) {
      if (index + 1 < counted.length && counted[index + 1] === item) continue;
      count(item, index + 1 - since);
      since = index + 1;
    }
  };
  return {
    add(item) {
      if (items.push(item) >= BATCH) flush();
    },
    flush,
  };
}

function pluginsOf(request: Request, decision: Decision | undefined): readonly string[] {
  if (decision === undefined || request.door !== 'mutate' || !decision.allowed) return NO_PLUGINS;
  return decision.verdicts.filter((verdict) => verdict.injected).map((verdict) => verdict.plugin);
}

function instruments(registry: Registry, certificateExpiry: () => number) {
  const registers = [registry];
  const expiry: Gauge = new Gauge({
    name: 'floe_secrets_certificate_expiry_seconds',
    help: 'Time left until the serving certificate expires',
    registers,
    collect: () => expiry.set(Math.floor((certificateExpiry() - Date.now()) / 1000)),
  });
  return {
    requests: new Counter({
      name: 'floe_secrets_admission_requests_total',
      help: 'AdmissionReviews answered by /mutate and /validate, with the first code found',
      labelNames: ['operation', 'result', 'code', 'namespace'],
      registers,
    }),
    duration: new Histogram({
      name: 'floe_secrets_admission_duration_seconds',
      help: 'Time from the parsed AdmissionReview to its answer',
      buckets: BUCKETS,
      registers,
    }),
    injected: new Counter({
      name: 'floe_secrets_injected_total',
      help: 'Secrets injected into pods',
      labelNames: ['plugin', 'namespace'],
      registers,
    }),
    cache: new Counter({
      name: 'floe_secrets_cache_operations_total',
      help: 'Looks into the memory of Secrets',
      labelNames: ['result'],
      registers,
    }),
  };
}

/** Counts by label values; each combination's child is made once, because making it costs more than counting. */
function boundCounter(counter: Counter): (labels: readonly string[], times: number) => void {
  const children = new Map<string, { inc(times: number): void }>();
  return (labels, times) => {
    const key = labels.join('\n');
    let child = children.get(key);
    if (child === undefined) {
      child = counter.labels(...labels);
      children.set(key, child);
    }
    child.inc(times);
  };
}

/** Anyone who reaches the port may name namespaces, so only judged ones count, and no more than `max`. */
function boundedNamespace(max: number): (request: Request, decision: Decision | undefined) => string {
  const seen = new Set<string>();
  return ({ namespace }, decision) => {
    if (decision?.mode === undefined) return OTHER;
    if (seen.has(namespace)) return namespace;
    if (seen.size >= max) return OTHER;
    seen.add(namespace);
    return namespace;
  };
}

function operationOf(request: Request): string {
  return OPERATIONS.has(request.operation) ? request.operation : OTHER;
}

function resultOf(decision: Decision | undefined): string {
  if (decision === undefined) return 'error';
  return decision.allowed ? 'allowed' : 'denied';
}

function codeOf(decision: Decision | undefined): string {
  if (decision === undefined) return 'FLOE-E820';
  const [first] = decision.findings;
  return (decision.findings.find(({ severity }) => severity === 'error') ?? first)?.code ?? '';
}
