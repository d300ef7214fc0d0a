/** What the leader tells of its looks at Secrets, as an annotation of its Lease: `secrets=500,interval=25000ms`. */
import { parseDuration } from '../kube/duration.ts';

export interface Polling {
  /** Secrets that count for a workload that asked for restarts. */
  readonly secrets: number;
  /** Milliseconds between two looks at one of them; undefined where a watch tells of them. */
  readonly interval: number | undefined;
}

export function formatPolling({ secrets, interval }: Polling): string {
  return `secrets=${secrets}${interval === undefined ? '' : `,interval=${Math.round(interval)}ms`}`;
}

const WRITTEN = /^secrets=(\d{1,9})(?:,interval=(\d{1,12}ms))?$/;

/** Undefined where it is nothing that `formatPolling` writes: anybody who may write the Lease may write there. */
export function parsePolling(written: string | undefined): Polling | undefined {
  const [, secrets, interval] = WRITTEN.exec(written ?? '') ?? [];
  if (secrets === undefined) return undefined;
  return { secrets: Number(secrets), interval: interval === undefined ? undefined : parseDuration(interval) };
}
