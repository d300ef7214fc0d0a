/** The webhook configurations of this installation, followed: what they accept, and who wants to hear of changes. */
import type { Client } from './client.ts';
import type { FailClosedReport } from './fail-closed.ts';
import { keepFailClosed } from './fail-closed.ts';
import type { Handover } from './handover.ts';
import { createHandover } from './handover.ts';
import { homeOf } from './home.ts';
import type { Pause } from './pause.ts';
import { createPause } from './pause.ts';
import type { Registrations } from './registrations.ts';
import { distrusting, watchRegistrations } from './registrations.ts';
import type { WatchReport } from './watch.ts';

export interface Registered {
  readonly registrations: Registrations;
  /** A pause that ends when something has changed. */
  pause(): Pause;
  /** Calls back when something has changed; gives the way to stop that. */
  listen(listener: () => void): () => void;
  /** Tells all who listen. */
  changed(): void;
  /** What keeps the API server from accepting this chain (PEM). */
  waiting(chain: string): readonly string[];
  handover(propagation: number): Handover;
  /** Makes the strict webhooks `Fail` once a replica was reached, until the signal is aborted. */
  failClosed(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export interface RegisteredOptions {
  readonly client: Client;
  /** The installation's name, which is both configurations'. */
  readonly name: string;
  readonly report: (report: WatchReport) => void;
  readonly closing: (report: FailClosedReport) => void;
}

export function followRegistrations({ client, name, report, closing }: RegisteredOptions): Registered {
  const listeners = new Set<() => void>();
  const changed = (): void => listeners.forEach((listener) => listener());
  const registrations = watchRegistrations(client, name, { report, changed });
  const pause = (): Pause => {
    const made = createPause();
    listeners.add(made.wake);
    return made;
  };
  const closed = { client, registrations, namespace: homeOf(client), name, pause: pause(), report: closing };
  return {
    registrations,
    pause,
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    changed,
    waiting: (chain) => waitingFor(registrations, chain, client.serverTime()),
    handover: (propagation) => createHandover(registrations, { propagation, now: client.serverTime }),
    failClosed: async (signal) => keepFailClosed(closed, signal),
    stop: registrations.stop,
  };
}

const BOTH = 2;

/**
 * What was read once stands: an API server that comes back may refuse everybody until it has read who may what, and
 * then it would find no replica ready that it could call.
 */
function waitingFor(registrations: Registrations, chain: string, now: number): readonly string[] {
  if (!registrations.settled()) return ['the webhook configurations'];
  const known = registrations.all();
  const trouble = registrations.trouble();
  if (trouble !== '' && known.length < BOTH) return [`the webhook configurations: ${trouble}`];
  return distrusting(known, chain, now).map(
    (webhook) => `the caBundle of ${webhook} to accept the serving certificate`,
  );
}
