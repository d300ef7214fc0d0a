/** When a replica may serve its next certificate: once the API server accepts it, or does not accept the present one. */
import type { Registrations } from './registrations.ts';
import { distrusting } from './registrations.ts';

/** Whether the second chain (PEM) may take the place of the first now. Asked again until it may. */
export type Handover = (current: string, next: string) => boolean;

export interface HandoverOptions {
  /** Milliseconds that every caBundle has to accept the next certificate: API servers read them a moment later. */
  readonly propagation: number;
  readonly now: () => number;
}

export function createHandover(
  registrations: Pick<Registrations, 'all' | 'settled'>,
  { propagation, now }: HandoverOptions,
): Handover {
  let candidate = '';
  let acceptedSince: number | undefined;
  const isAccepted = (chain: string): boolean =>
    registrations.settled() && distrusting(registrations.all(), chain, now()).length === 0;
  return (current, next) => {
    if (next !== candidate) acceptedSince = undefined;
    candidate = next;
    acceptedSince = isAccepted(next) ? (acceptedSince ?? now()) : undefined;
    // With nothing to lose there is nothing to wait for.
    if (!isAccepted(current)) return true;
    return acceptedSince !== undefined && now() - acceptedSince >= propagation;
  };
}
