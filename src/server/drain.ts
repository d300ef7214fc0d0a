/** The end of a process: from the first signal on it drains, and still answers everything. */

/** Where signals come from: `process`, or a stand-in. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

export interface Shutdown {
  /** True from the first signal on. */
  draining(): boolean;
  /** Resolves at the first SIGTERM or SIGINT, with its name. */
  readonly asked: Promise<NodeJS.Signals>;
  /** Stops listening for signals. */
  dispose(): void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Milliseconds. Below npm or a wrapper one Ctrl-C comes twice: from the terminal and from there. */
const ECHO = 500;

/** Listens for the signals that end a process; a second one calls `impatient`, which should not come back. */
export function awaitShutdown(source: SignalSource, impatient: (signal: NodeJS.Signals) => void): Shutdown {
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | undefined;
  const { promise: asked, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const heard = (signal: NodeJS.Signals): void => {
    if (first !== undefined) {
      if (signal !== first.signal || performance.now() - first.at > ECHO) impatient(signal);
      return;
    }
    first = { signal, at: performance.now() };
    resolve(signal);
  };
  for (const signal of SIGNALS) source.on(signal, heard);
  return {
    draining: () => first !== undefined,
    asked,
    dispose: () => {
      for (const signal of SIGNALS) source.off(signal, heard);
    },
  };
}
