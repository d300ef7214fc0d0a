/** The process's own log: JSON lines on stderr with the field names that floe's Python services use. */
import { hostname } from 'node:os';
import type { DestinationStream, Logger } from 'pino';
import { pino } from 'pino';

export type Log = Logger;

// floe logs with structlog, whose names for two of pino's levels differ.
const LEVEL_NAMES: Readonly<Record<string, string>> = { warn: 'warning', fatal: 'critical' };

// The last guard only: log calls name the fields they write, and never hand over a Kubernetes object.
const REDACTED = ['data', 'stringData', 'token', 'authorization', 'headers', 'body', 'object', 'patch'];

/** A logger for static messages and named fields; `destination` defaults to stderr. */
export function createLog(level: string, destination: DestinationStream = pino.destination(2)): Log {
  return pino(
    {
      level,
      base: { logger: 'floe.secrets', host: hostname() },
      messageKey: 'event',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: LEVEL_NAMES[label] ?? label }) },
      serializers: { err: errorFields },
      redact: { paths: REDACTED.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
    },
    destination,
  );
}

/** Takes whole lines and writes them out together: one write a line would cost more than the review it is about. */
export interface LineWriter {
  write(line: string): void;
  /** Writes out what is still held. */
  flush(): void;
}

const GATHERED = 65_536;
const LONGEST_WAIT = 1000;
// Where nobody reads what is written, lines are dropped before memory runs out.
const HELD_BYTES = 64 * 1024 * 1024;

/** Opens a file descriptor for lines. They appear after a second at the latest, and when the process exits. */
export function openLines(fd: number): LineWriter {
  const stream = pino.destination({ dest: fd, sync: false, maxLength: HELD_BYTES });
  let held: string[] = [];
  let length = 0;
  const pass = (): void => {
    if (length === 0) return;
    stream.write(held.join(''));
    held = [];
    length = 0;
  };
  const flush = (): void => {
    pass();
    stream.flushSync();
  };
  setInterval(pass, LONGEST_WAIT).unref();
  process.once('exit', flush);
  return {
    write: (line) => {
      held.push(line);
      length += line.length;
      if (length >= GATHERED) pass();
    },
    flush,
  };
}

/** What is logged of an error: HTTP clients hang whole requests and answers on theirs. */
function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error).slice(0, 500) };
  const stack = error.stack?.slice(error.stack.indexOf('\n    at ') + 1, 2000);
  return { type: error.name, message: error.message.slice(0, 500), stack };
}
