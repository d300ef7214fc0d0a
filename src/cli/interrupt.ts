/** Ctrl-C in the middle of work that must not be left half done. */
import { constants } from 'node:os';
import type { Terminal } from './terminal.ts';
import { CommandError } from './terminal.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Milliseconds. Where npm or a wrapper stands above, one Ctrl-C comes twice: from the terminal and from there. */
const ECHO = 500;

/**
 * Runs the work with a signal that is aborted at the first SIGINT or SIGTERM; its reason is a CommandError with the
 * exit code that shells give to a process that a signal ended. The work puts back what it has changed and throws that
 * reason. Who asks once more ends the process at once.
 */
export async function interruptible<T>(
  { interrupted }: Terminal,
  words: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  let since = Number.POSITIVE_INFINITY;
  const end = (signal: NodeJS.Signals): void => {
    const exitCode = 128 + constants.signals[signal];
    if (performance.now() - since > ECHO) process.exit(exitCode);
    since = Math.min(since, performance.now());
    stop.abort(new CommandError(`interrupted: ${words}`, exitCode));
  };
  const ask = (): void => end('SIGINT');
  for (const signal of SIGNALS) process.on(signal, end);
  interrupted?.addEventListener('abort', ask);
  try {
    return await work(stop.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
    interrupted?.removeEventListener('abort', ask);
  }
}
