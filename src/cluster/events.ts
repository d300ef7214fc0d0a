/**
 * Events as `kubectl describe` shows them: core/v1, whose count and times it prints as "x5 over 3m". Equal ones are
 * one series, each object has a small share, and what is too much is dropped and counted.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { LRUCache } from 'lru-cache';
import { PROGRAM } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { EVENT } from '../kube/object.ts';
import { printable } from '../review/findings.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { MERGE_PATCH } from './media-types.ts';
import { collectionPath, objectPath } from './paths.ts';
import type { Telemetry } from './telemetry.ts';
import { createWorkQueue } from './work-queue.ts';

/** The object that an Event is about; its uid was read, not only claimed by somebody. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventDraft {
  readonly regarding: Regarding;
  readonly type: 'Normal' | 'Warning';
  /** In camel case: 'SecretsPending'. */
  readonly reason: string;
  /** Without values, times and ids, so that equal ones add up. */
  readonly message: string;
}

export interface Events {
  /** Never fails and never waits. */
  emit(event: EventDraft): void;
  /** Takes no more, and resolves when nothing is being written. */
  stop(): Promise<void>;
}

export interface EventsOptions {
  readonly client: Pick<Client, 'send'>;
  readonly telemetry: Pick<Telemetry, 'count'>;
  now(): number;
  /** Told of the first failure of its kind. */
  failed(error: unknown): void;
}

const SERIES = { max: 2_000, ttl: 600_000 };
/** Between two writes of one series. */
const SPACING = 10_000;
/** How many series an object may begin within SERIES.ttl, and the process at once. */
const PER_OBJECT = 10;
const WAITING = 500;
const ATTEMPTS = 3;
const TIMEOUT = 5_000;
const LONGEST_MESSAGE = 1_024;

interface Series {
  readonly event: EventDraft;
  readonly firstAt: number;
  lastAt: number;
  count: number;
  /** '' before it is written. */
  name: string;
  writtenAt: number;
  written: number;
  failures: number;
}

export function createEvents(options: EventsOptions): Events {
  const { telemetry, now } = options;
  const known = new LRUCache<string, Series>(SERIES);
  const begun = new LRUCache<string, number>(SERIES);
  const troubles = new Set<string>();
  const queue = createWorkQueue({
    work: async (key) => {
      const series = known.get(key);
      if (series === undefined || series.written === series.count) return undefined;
      return write(series);
    },
    failed: () => undefined,
    concurrency: 2,
  });

  async function write(series: Series): Promise<number | undefined> {
    try {
      await send(options.client, series, now());
      telemetry.count('floe_secrets_events_total', { result: 'written' });
      return undefined;
    } catch (error) {
      series.failures += 1;
      const { reason } = errorOfFault(error);
      if (!troubles.has(reason)) options.failed(error);
      troubles.add(reason);
      if (series.failures < ATTEMPTS) return 1_000 * series.failures;
      telemetry.count('floe_secrets_events_total', { result: 'failed' });
      return undefined;
    }
  }

  function begin(event: EventDraft, key: string): Series | undefined {
    const { uid } = event.regarding;
    const count = begun.get(uid) ?? 0;
    if (count >= PER_OBJECT || queue.size >= WAITING) return undefined;
    begun.set(uid, count + 1);
    const series: Series = {
      event,
      firstAt: now(),
      lastAt: now(),
      count: 0,
      name: '',
      writtenAt: Number.NEGATIVE_INFINITY,
      written: 0,
      failures: 0,
    };
    known.set(key, series);
    return series;
  }

  return {
    emit(draft) {
      const event = { ...draft, message: printable(draft.message).slice(0, LONGEST_MESSAGE).toWellFormed() };
      const key = JSON.stringify([event.regarding.uid, event.reason, event.message]);
      const series = known.get(key) ?? begin(event, key);
      if (series === undefined) return telemetry.count('floe_secrets_events_total', { result: 'dropped' });
      series.count += 1;
      series.lastAt = now();
      queue.add(key, Math.max(0, series.writtenAt + SPACING - now()));
    },
    stop: () => queue.stop(),
  };
}

/** Writes a series for the first time, or its new count. */
async function send(client: EventsOptions['client'], series: Series, now: number): Promise<void> {
  const { count } = series;
  const call = { timeoutMs: TIMEOUT };
  const { namespace } = series.event.regarding;
  const path = series.name === '' ? undefined : objectPath(EVENT, namespace, series.name);
  if (path === undefined) {
    const event = eventOf(series);
    await client.send('POST', collectionPath(EVENT, namespace), event.body, call);
    series.name = event.name;
  } else {
    const body = { count, lastTimestamp: timeOf(series.lastAt) };
    await client.send('PATCH', path, body, { ...call, contentType: MERGE_PATCH });
  }
  series.written = count;
  series.writtenAt = now;
  series.failures = 0;
}

function eventOf({ event, count, firstAt, lastAt }: Series): {
  readonly name: string;
  readonly body: JsonObject;
} {
  const { regarding, type, reason, message } = event;
  const name = `${regarding.name.slice(0, 200)}.${randomBytes(8).toString('hex')}`;
  const body = {
    apiVersion: 'v1',
    kind: EVENT.kind,
    metadata: { name, namespace: regarding.namespace },
    involvedObject: { ...regarding },
    type,
    reason,
    message,
    count,
    firstTimestamp: timeOf(firstAt),
    lastTimestamp: timeOf(lastAt),
    source: { component: PROGRAM },
    reportingComponent: PROGRAM,
    reportingInstance: hostname().slice(0, 128),
  };
  return { name, body };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
