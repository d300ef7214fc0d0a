/** Waiting between two attempts: longer from time to time, never in step with other replicas, and cut short at will. */

export interface Pause {
  /** Resolves after so many milliseconds, or as soon as somebody wakes it; at once where that came before it. */
  sleep(milliseconds: number): Promise<void>;
  wake(): void;
}

export function createPause(): Pause {
  // What happens during a turn is news for the next one.
  let isAwake = false;
  let stir = (): void => undefined;
  return {
    sleep: async (milliseconds) => {
      if (!isAwake) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          stir = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      isAwake = false;
    },
    wake: () => {
      isAwake = true;
      stir();
    },
  };
}

/** The pause before attempt `failures` + 1: doubled each time up to `max`, half of it by chance. */
export function backoff(
  failures: number,
  { base, max }: { readonly base: number; readonly max: number },
): number {
  return jittered(Math.min(max, base * 2 ** Math.min(failures, 20)), 0.5);
}

/** A time between `share` of the whole and the whole. */
export function jittered(milliseconds: number, share: number): number {
  return milliseconds * (share + Math.random() * (1 - share));
}

/** Takes turns until the signal is aborted; each, which must not reject, gives the pause until the next. */
export async function takeTurns(
  turn: () => Promise<number>,
  { pause, signal }: { readonly pause: Pause; readonly signal: AbortSignal },
): Promise<void> {
  const wake = (): void => pause.wake();
  signal.addEventListener('abort', wake, { once: true });
  while (!signal.aborted) {
    const milliseconds = await turn();
    if (!signal.aborted) await pause.sleep(milliseconds);
  }
  signal.removeEventListener('abort', wake);
}
