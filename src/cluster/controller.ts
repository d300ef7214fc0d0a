/**
 * What runs beside the webhook, on the leader alone. A controller is a function that watches, writes, and ends with
 * its signal; what it writes with fails as soon as this process does not lead.
 */
import type { Config } from '../config/config.ts';
import type { Admission } from './admit.ts';
import { ApiError } from './api-error.ts';
import type { Client } from './client.ts';
import type { Events } from './events.ts';
import type { Lookup } from './lookup.ts';
import { backoff } from './pause.ts';
import type { ReportBoard } from './report-board.ts';
import { createReportBoard } from './report-board.ts';
import type { RunningCluster } from './running.ts';
import { startRunning } from './running.ts';
import type { BeginSpan } from './spans.ts';
import type { Telemetry } from './telemetry.ts';
import type { LiveWorld } from './world.ts';

/** What every controller is given. */
export interface ControllerParts {
  readonly config: Config;
  /** Reads always; writes only while this process leads, else they fail. */
  readonly client: Client;
  readonly world: LiveWorld;
  readonly lookup: Lookup;
  /** The webhook's own judgement, with live reads before a no. */
  readonly admit: Admission;
  readonly running: RunningCluster;
  readonly board: ReportBoard;
  readonly events: Events;
  readonly telemetry: Telemetry;
  /** Where work is traced. */
  readonly begin?: BeginSpan | undefined;
  readonly tell: Tell;
  /** Has the Lease say this beside who leads, from the next renewal on; undefined takes it back. */
  note(key: string, value: string | undefined): void;
  /** Whether the pods of this namespace are this program's business. */
  isWatched(namespace: string): boolean;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A log line: a text that stays the same, and named fields. With a `failure` or an `error` it is a warning. */
export type Tell = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

export interface Controller {
  /** As the Lease names it: 'gates'. */
  readonly name: string;
  /** Runs until the signal is aborted, and resolves when nothing of it is left. */
  run(parts: ControllerParts, signal: AbortSignal): Promise<void>;
}

export interface LeadingOptions extends Omit<ControllerParts, 'running' | 'board'> {
  readonly controllers: readonly Controller[];
  /** Whether this process leads at this moment. */
  leading(): boolean;
}

const RESTART = { base: 1_000, max: 60_000 };
const LOOK_EVERY = 50;

/** Runs the controllers until the signal is aborted. Never rejects: one that fails is started again. */
export async function runControllers(options: LeadingOptions, signal: AbortSignal): Promise<void> {
  if (!(await until(() => options.world.ready().ready, signal))) return;
  const client = writingWhile(options.leading, options.client);
  const { world, isWatched } = options;
  const running = startRunning(client, {
    world,
    isWatched,
    report: ({ event, ...fields }) =>
      options.tell(`controllers' ${event === 'notServed' ? 'kind not served' : `watch ${event}`}`, fields),
  });
  try {
    if (!(await until(() => running.ready(), signal))) return;
    const parts = { ...options, client, running, board: createReportBoard() };
    await Promise.all(options.controllers.map(async (one) => keepRunning(one, parts, signal)));
  } finally {
    await running.stop();
  }
}

async function keepRunning(
  controller: Controller,
  parts: ControllerParts,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await controller.run(parts, signal);
    } catch (error) {
      if (!signal.aborted) parts.tell('controller failed', { controller: controller.name, error });
    }
    await pauseWithin(backoff(failures, RESTART), signal);
  }
}

/** A client whose writes fail once this process does not lead any more: also after it was stopped for a while. */
function writingWhile(leading: () => boolean, client: Client): Client {
  const check = (): void => {
    if (!leading()) throw new ApiError(0, 'NotLeading', 'this process does not lead any more');
  };
  return {
    ...client,
    async send(method, path, body, call) {
      if (method !== 'GET') check();
      return client.send(method, path, body, call);
    },
    async post(path, body, call) {
      check();
      return client.post(path, body, call);
    },
  };
}

/** Resolves when the signal is aborted: the end of every controller's run. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Waits, at most until the signal is aborted. */
export async function pauseWithin(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });
}

async function until(isSo: () => boolean, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted && !isSo()) await pauseWithin(LOOK_EVERY, signal);
  return !signal.aborted;
}
