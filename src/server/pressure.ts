/** Whether this process is behind its work: how late its event loop comes to what is due. */

export interface Pressure {
  /** Milliseconds that whatever comes now has about waited for its turn. */
  lateMs(): number;
  /** Whether that is so long that callers may give up while they wait. */
  isHigh(): boolean;
  stop(): void;
}

const EVERY = 50;
/** A healthy process is late by a few milliseconds, by some tens while it collects garbage. */
const HIGH = 200;

export function watchPressure(): Pressure {
  let due = performance.now() + EVERY;
  let late = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    late = Math.max(0, now - due);
    due = now + EVERY;
  }, EVERY).unref();
  // Between two ticks the loop may have been held up since the last one.
  const lateMs = (): number => Math.max(late, performance.now() - due);
  return { lateMs, isHigh: () => lateMs() >= HIGH, stop: () => clearInterval(timer) };
}
