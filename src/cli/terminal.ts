/** What a command speaks with: streams, environment and working directory, handed in so that tests can capture. */
import { printableLines } from './printable.ts';

/** A stream that text is written to; a terminal says so itself. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** How wide the terminal is. */
  readonly columns?: number;
}

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Read where a command is given `-` for a file. */
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Ends what would go on for ever; without it the process's own signals do. */
  readonly interrupted?: AbortSignal;
}

/** Exit codes, floe's own (contract, section 7). */
export const EXIT = {
  ok: 0,
  general: 1,
  usage: 2,
  fileNotFound: 3,
  permission: 4,
  findings: 5,
  network: 8,
} as const;

/** A command that cannot go on: a sentence for stderr and the exit code that goes with it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Where several codes apply, the smallest of 2, 3, 4, 8 wins over 1, and findings come last. */
export function worstExit(codes: readonly number[]): number {
  const order: readonly number[] = [EXIT.usage, EXIT.fileNotFound, EXIT.permission, EXIT.network];
  return [...order, EXIT.general, EXIT.findings].find((code) => codes.includes(code)) ?? EXIT.ok;
}

/** Runs a command: what it throws becomes one line on stderr and an exit code. */
export async function guarded(terminal: Terminal, command: () => Promise<number>): Promise<number> {
  try {
    return await command();
  } catch (error) {
    terminal.stderr.write(`Error: ${printableLines(messageOf(error))}\n`);
    return exitCodeOf(error);
  }
}

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is no directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
};

/** By the status of an answer of the API server; 0 is none. */
export const ADVICE: Readonly<Record<number, string>> = {
  0: 'check --kubeconfig and --context',
  401: 'log in again, or check --kubeconfig and --context',
  403: 'ask for this permission, or use another --context',
};

/** What a person reads of a failure; the file system's own messages name calls and codes. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'ApiError') {
    const advice = ADVICE[Number(factsOf(error).status)];
    return `the Kubernetes API server: ${error.message}${advice === undefined ? '' : `; ${advice}`}`;
  }
  const { code, path } = error as NodeJS.ErrnoException;
  const problem = code === undefined ? undefined : FILE_PROBLEMS[code];
  return problem === undefined || path === undefined ? error.message : `cannot read ${path}: ${problem}`;
}

/** The exit code of a failure: its own, or by what the file system, the network or the API server answered. */
export function exitCodeOf(error: unknown): number {
  const { exitCode, code, status } = factsOf(error);
  if (typeof exitCode === 'number') return exitCode;
  if (code === 'ENOENT' || code === 'ENOTDIR') return EXIT.fileNotFound;
  if (code === 'EACCES' || code === 'EPERM') return EXIT.permission;
  if (status === 401 || status === 403) return EXIT.permission;
  // An ApiError without a status is a call that nobody answered.
  if (status === 0 || isNetworkCode(code)) return EXIT.network;
  return EXIT.general;
}

interface Facts {
  readonly exitCode?: unknown;
  readonly code?: unknown;
  readonly status?: unknown;
}

function factsOf(error: unknown): Facts {
  if (!(error instanceof Error)) return {};
  const facts = error as Error & Facts;
  const known = [facts.exitCode, facts.code, facts.status].some((fact) => fact !== undefined);
  return known ? facts : factsOf(error.cause);
}

function isNetworkCode(code: unknown): boolean {
  return (
    typeof code === 'string' &&
    /^(ECONN|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|UND_ERR|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(
      code,
    )
  );
}
