/** Traces where the environment asks for them: what they need is loaded then and never else. */
import { hostname } from 'node:os';
import { PROGRAM } from '../contract/keys.ts';
import type { Log } from './log.ts';
import type { Tracing } from './tracing.ts';
import type { Environment } from './tracing-settings.ts';
import { TracingError, isTracingAsked, tracingSettings } from './tracing-settings.ts';

export interface TracingParts {
  readonly env: Environment;
  readonly log: Log;
  /** Counts spans that a collector took, or that were lost. */
  count(result: 'exported' | 'lost', spans: number): void;
}

/** A collector that stays away is told of this often. */
const REMINDED = 10 * 60_000;

/** Undefined where nobody asks for traces, or where they cannot be sent: a typo there must not stop admission. */
export async function openTracing({ env, log, count }: TracingParts): Promise<Tracing | undefined> {
  if (!isTracingAsked(env)) return undefined;
  try {
    const settings = tracingSettings(env, { name: PROGRAM, instance: hostname() });
    const { createTracing } = await import('./tracing.ts');
    const { protocol, endpoint, sampler } = settings;
    log.info({ endpoint: endpoint.origin, protocol, sampler: sampler.name }, 'traces are sent');
    return createTracing({ settings, exported: teller(log, count) });
  } catch (error) {
    if (!(error instanceof TracingError)) throw error;
    log.error({ err: error }, 'no traces are sent');
    return undefined;
  }
}

/** Tells of a trouble when it begins, seldom while it lasts, and when it is over. */
function teller(log: Log, count: TracingParts['count']): (spans: number, why: string | undefined) => void {
  let [lost, toldAt] = [0, Number.NEGATIVE_INFINITY];
  return (spans, why) => {
    count(why === undefined ? 'exported' : 'lost', spans);
    if (why === undefined) {
      if (lost > 0) log.info({ lost }, 'traces are sent again');
      [lost, toldAt] = [0, Number.NEGATIVE_INFINITY];
      return;
    }
    lost += spans;
    if (performance.now() - toldAt < REMINDED) return;
    toldAt = performance.now();
    log.warn({ why, lost }, 'traces not sent');
  };
}
