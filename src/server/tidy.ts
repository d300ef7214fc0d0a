/** Memory after the start. */
import type { Readiness } from './health.ts';

const LOOK_EVERY = 250;

/**
 * The first lists leave several times their size in garbage, which an idle process keeps for ever. Where the
 * runtime's collector may be called (`--expose-gc`), it is, once, when everything is read. Gives what stops waiting.
 */
export function tidyOnceReady(ready: () => Readiness, collect: (() => unknown) | undefined): () => void {
  if (collect === undefined) return () => undefined;
  const timer = setInterval(() => {
    if (!ready().ready) return;
    clearInterval(timer);
    collect();
  }, LOOK_EVERY);
  timer.unref();
  return () => clearInterval(timer);
}
