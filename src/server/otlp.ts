/** How batches of spans leave this process. */

/** What became of one attempt: what can be tried `again` may be, after so many milliseconds where it is told. */
export type Sent =
  | { readonly result: 'ok' }
  | { readonly result: 'again'; readonly why: string; readonly afterMs?: number }
  | { readonly result: 'refused'; readonly why: string };

export interface Transport {
  /** One attempt, which ends with the signal. Never rejects. */
  send(batch: Uint8Array, signal: AbortSignal): Promise<Sent>;
  /** Cuts every connection. */
  close(): Promise<void>;
}

/** A fault of a connection in a few words without an address; all of them may pass. */
export function faultSent(fault: unknown): Sent {
  const error = fault instanceof Error && fault.cause instanceof Error ? fault.cause : fault;
  if (!(error instanceof Error)) return { result: 'again', why: 'no connection' };
  if (error.name === 'TimeoutError') return { result: 'again', why: 'no answer in time' };
  return { result: 'again', why: 'code' in error ? String(error.code) : error.message.slice(0, 100) };
}
