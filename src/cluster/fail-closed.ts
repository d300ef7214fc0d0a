/**
 * The leader's last step of an installation. The chart registers the strict webhooks with `failurePolicy: Ignore`,
 * so that a webhook that never came up refuses nobody; once the API server was seen to reach a replica, they are
 * made `Fail`. They are never made `Ignore` again: who could stop the webhook could else switch `strict` off.
 */
import { STRICT_WEBHOOKS } from '../contract/webhooks.ts';
import type { Client } from './client.ts';
import type { Pause } from './pause.ts';
import { backoff, takeTurns } from './pause.ts';
import { askReachability } from './reachability.ts';
import type { Registration, Registrations } from './registrations.ts';
import { failClosed } from './registrations.ts';

export interface FailClosedParts {
  readonly client: Client;
  readonly registrations: Registrations;
  readonly namespace: string;
  /** The installation's name. */
  readonly name: string;
  readonly pause: Pause;
  readonly report: (report: FailClosedReport) => void;
}

export interface FailClosedReport {
  readonly event: 'fail-closed' | 'not-reached';
  /** Who answered, or what came instead of an answer. */
  readonly message: string;
}

const BACKOFF = { base: 250, max: 5_000 };
const LONGEST_REST = 60_000;

/** Looks after it until the signal is aborted. Never rejects. */
export async function keepFailClosed(parts: FailClosedParts, signal: AbortSignal): Promise<void> {
  let failures = 0;
  let told = '';
  const turn = async (): Promise<number> => {
    const trouble = await closeOnce(parts);
    failures = trouble === '' ? 0 : failures + 1;
    if (trouble !== '' && trouble !== told) parts.report({ event: 'not-reached', message: trouble });
    told = trouble;
    return trouble === '' ? LONGEST_REST : backoff(failures, BACKOFF);
  };
  await takeTurns(turn, { pause: parts.pause, signal });
}

/** '' where nothing is left to do; else why it could not be done. */
async function closeOnce({
  client,
  registrations,
  namespace,
  name,
  report,
}: FailClosedParts): Promise<string> {
  const open = registrations.all().filter(isOpen);
  if (open.length === 0) return '';
  const { outcome, message } = await askReachability(client, namespace, name);
  if (outcome !== 'reached') return message;
  try {
    for (const registration of open) await failClosed(client, registration, STRICT_WEBHOOKS);
    report({ event: 'fail-closed', message });
    return '';
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
}

function isOpen({ entries }: Registration): boolean {
  return entries.some(
    ({ name, failurePolicy }) => STRICT_WEBHOOKS.includes(name) && failurePolicy !== 'Fail',
  );
}
