/** That something is going on: one line on a terminal's stderr, gone when it is over; nothing anywhere else. */
import { symbols } from './print.ts';
import type { Terminal } from './terminal.ts';

export interface Progress {
  /** What is being done now. */
  say(words: string): void;
  /** Makes room for a line of another's; the next frame comes back below it. */
  clear(): void;
  /** Takes the line away. */
  done(): void;
}

const SILENT: Progress = { say: () => undefined, clear: () => undefined, done: () => undefined };
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const ASCII_FRAMES = ['|', '/', '-', '\\'] as const;

/** A frame a tenth of a second: more would only flicker. */
const EVERY = 100;

/** What is quick shows nothing. */
const PATIENCE = 300;

/** Starts a line of progress; without a terminal, or where one is `dumb`, nothing is written. */
export function startProgress({ stderr, env }: Terminal): Progress {
  if (stderr.isTTY !== true || env['TERM'] === 'dumb' || env['CI']) return SILENT;
  const frames = symbols(env).isAscii ? ASCII_FRAMES : FRAMES;
  const began = Date.now();
  let words = '';
  let shown = false;
  const draw = (): void => {
    const passed = Date.now() - began;
    if (words === '' || passed < PATIENCE) return;
    const line = `${frames[Math.floor(passed / EVERY) % frames.length]} ${words}`;
    // A line that wraps could not be taken back.
    const fitting = Array.from(line).slice(0, (stderr.columns ?? Infinity) - 1);
    stderr.write(`\r\u001B[2K${fitting.join('')}`);
    shown = true;
  };
  const clear = (): void => {
    if (shown) stderr.write('\r\u001B[2K');
    shown = false;
  };
  const timer = setInterval(draw, EVERY).unref();
  return {
    say: (next) => {
      words = next;
    },
    clear,
    done: () => {
      clearInterval(timer);
      clear();
    },
  };
}

/** Runs a piece of work under a line of progress. */
export async function withProgress<T>(
  terminal: Terminal,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = startProgress(terminal);
  try {
    return await work(progress);
  } finally {
    progress.done();
  }
}
