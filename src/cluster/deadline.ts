/** The time within which one review must end. */

export interface Deadline {
  readonly expired: boolean;
  /** The promise's value, or undefined where the time is over first. */
  within<T>(promise: Promise<T>): Promise<T | undefined>;
  /** Must be called, else the timer keeps the process. */
  clear(): void;
}

export function startDeadline(milliseconds: number): Deadline {
  const state = { expired: false };
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    state.expired = true;
    resolve(undefined);
  }, milliseconds);
  return {
    get expired() {
      return state.expired;
    },
    within: async (promise) => Promise.race([promise, over]),
    clear: () => clearTimeout(timer),
  };
}

/** No time at all: what is not known already is not looked up. */
export const NO_TIME: Deadline = {
  expired: true,
  within: async () => undefined,
  clear: () => undefined,
};
