import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchEvent } from './api-client.ts';

const RETRY_AFTER = 100;

/** Calls back for every event until the signal; a watch that ends begins anew. */
export async function follow<T>(
  watch: () => AsyncIterable<WatchEvent<T>>,
  onEvent: (type: string, object: T) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const { type, object } of watch()) {
        if (type === 'ERROR') break;
        onEvent(type, object);
      }
    } catch {
      // The API server went away or the signal came; the loop's head tells which.
    }
    if (!signal.aborted) await sleep(RETRY_AFTER);
  }
}
