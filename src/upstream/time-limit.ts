/** The end of our patience. A library may wait for ever; whoever called it does not. */
import { UpstreamError } from './upstream-error.ts';

export interface TimeLimit {
  readonly milliseconds: number;
  /** Gives the work up early: Ctrl-C, or the end of whoever asked. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The promise's value, or UpstreamError `timeout`. What cannot be cancelled goes on unheard; `doubt` says what that
 * may mean, where the work was a write.
 */
export async function within<T>(
  { milliseconds, signal }: TimeLimit,
  who: string,
  work: () => Promise<T>,
  doubt = '',
): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const seconds = Math.round(milliseconds / 1000);
    reject(new UpstreamError('timeout', `${who} did not answer within ${seconds} s${doubt}`));
  }, milliseconds);
  const abort = (): void => reject(new UpstreamError('timeout', `${who}: the call was given up${doubt}`));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted === true) abort();
    else return await Promise.race([work(), over]);
    return await over;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** Of a write that nobody confirmed. */
export const UNKNOWN_OUTCOME = '; whether it was written is not known';
