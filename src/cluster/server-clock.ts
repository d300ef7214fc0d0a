/**
 * The API server's clock, as its answers tell it. Certificates count by that one: it is the API server that refuses
 * what is over, or not valid yet, whatever the clock of a replica says.
 */
export interface ServerClock {
  /** Milliseconds since the epoch; this machine's own before the first answer. */
  now(): number;
  /** Takes the `date` header of an answer that has just come. */
  heard(date: unknown): void;
}

/** The header tells whole seconds. */
const RESOLUTION = 1000;

export function createServerClock(own: () => number = Date.now): ServerClock {
  let ahead = 0;
  return {
    now: () => own() + ahead,
    heard: (date) => {
      const second = typeof date === 'string' ? Date.parse(date) : Number.NaN;
      if (Number.isNaN(second)) return;
      const least = second - own();
      // As far from ours as the answer proves, and no farther: clocks that agree stay as they are.
      ahead = Math.min(Math.max(ahead, least), least + RESOLUTION);
    },
  };
}
