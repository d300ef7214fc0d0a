/**
 * The `sops` program, which does the decrypting, so that every kind of key that it knows is known here. What it writes
 * comes through a pipe and stays in memory. Of its standard error nothing is ever shown: it quotes values there (3.13:
 * "Input string … does not match sops' data format"). It is only looked at for what is known to go wrong.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { UpstreamError } from './upstream-error.ts';

export interface SopsOptions {
  /** A path, or a name that PATH has. */
  readonly program: string;
  /** For SOPS to find keys by; credentials of Infisical are left out. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** For one file: somebody may have to type a passphrase. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface EncryptedFile {
  /** Absolute. */
  readonly path: string;
  /** As people named it. */
  readonly shown: string;
  readonly input: 'yaml' | 'json' | 'dotenv';
  readonly output: 'yaml' | 'json';
  /** For whom it is encrypted, for whoever lacks the key. */
  readonly recipients: readonly string[];
}

/** A Secret holds 1 MiB; a file of more than sixteen of them is none that people wrote. */
const MAX_OUTPUT = 16 * 1024 * 1024;
const MAX_STDERR = 64 * 1024;
/** From being asked to end to being ended. */
const GRACE = 2_000;

/** The decrypted text. Throws UpstreamError. */
export async function decryptWithSops(file: EncryptedFile, options: SopsOptions): Promise<string> {
  const { program, env, cwd, timeoutMs, signal } = options;
  const args = ['--decrypt', '--input-type', file.input, '--output-type', file.output, file.path];
  // Of its own process group it could not ask for a passphrase; its keys may be behind one.
  const child = spawn(program, args, { cwd, env: withoutOurs(env), stdio: ['ignore', 'pipe', 'pipe'] });
  const release = endWithUs(child);
  try {
    const ended = await endOf(child, { timeoutMs, signal });
    if (ended.kind === 'done' && ended.code === 0) return ended.stdout;
    throw failureOf(ended, file, options);
  } finally {
    release();
  }
}

/** What logs in to where values go is nothing to SOPS; Vault's token may be what it decrypts with. */
function withoutOurs(env: SopsOptions['env']): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('INFISICAL_')));
}

/** Where this process gives up, that one does too; where it is killed, nobody reads what that one writes. */
function endWithUs(child: ChildProcess): () => void {
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  return () => process.removeListener('exit', kill);
}

type Ended =
  | { readonly kind: 'done'; readonly code: number | null; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'notStarted'; readonly code: string }
  | { readonly kind: 'late' }
  | { readonly kind: 'interrupted' | 'tooMuch' | 'noText' };

interface Bounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

async function endOf(child: ChildProcess, { timeoutMs, signal }: Bounds): Promise<Ended> {
  const chunks: Buffer[] = [];
  let [size, stderr] = [0, ''];
  let stopped: 'late' | 'interrupted' | 'tooMuch' | undefined;
  const stop = (why: NonNullable<typeof stopped>): void => {
    stopped ??= why;
    end(child);
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_OUTPUT) stop('tooMuch');
    else chunks.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('latin1')).slice(0, MAX_STDERR);
  });
  const timer = setTimeout(() => stop('late'), timeoutMs);
  const onAbort = (): void => stop('interrupted');
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    const last = await new Promise<{ code: number | null } | { fault: string }>((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => resolve({ fault: error.code ?? 'UNKNOWN' }));
      // By what it left running its pipes may stay open; it has ended all the same.
      child.once('exit', (code) => setTimeout(() => resolve({ code }), PIPES_CLOSE));
      child.once('close', (code) => resolve({ code }));
    });
    if ('fault' in last) return { kind: 'notStarted', code: last.fault };
    if (stopped !== undefined) return { kind: stopped };
    const stdout = textOf(Buffer.concat(chunks));
    return stdout === undefined ? { kind: 'noText' } : { kind: 'done', code: last.code, stdout, stderr };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

/** How long what it wrote may take to arrive after its end. */
const PIPES_CLOSE = 1_000;

function end(child: ChildProcess): void {
  child.kill('SIGTERM');
  setTimeout(() => void child.kill('SIGKILL'), GRACE).unref();
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** For a shell: a repository may have any name for a file. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

const HOW_TO_GET = 'install it (https://getsops.io), or name it with --sops';

function failureOf(ended: Ended, { shown, recipients }: EncryptedFile, options: SopsOptions): UpstreamError {
  const [code, words, isTold] = reasonOf(ended, recipients, options);
  const again = isTold ? '' : `; sops --decrypt ${quoted(shown)} > /dev/null tells more`;
  return new UpstreamError(code, `${shown}: ${words}${again}`);
}

/** `isTold`: asking SOPS by hand would tell no more. */
type Reason = readonly [code: UpstreamError['upstream'], words: string, isTold?: true];

function reasonOf(ended: Ended, recipients: readonly string[], { program, timeoutMs }: SopsOptions): Reason {
  if (ended.kind === 'notStarted') {
    const why = ended.code === 'ENOENT' ? 'is not there' : `cannot be started (${ended.code})`;
    return ['notConfigured', `the program '${program}' ${why}: ${HOW_TO_GET}`, true];
  }
  if (ended.kind === 'late') return ['timeout', `sops gave no answer in ${timeoutMs / 1000} s`];
  if (ended.kind !== 'done') return STOPPED[ended.kind];
  const known = KNOWN.find(({ matches }) => matches(ended));
  if (known !== undefined) return [known.code, known.words(recipients)];
  return ['invalid', ended.code === null ? 'sops was killed' : `sops ended with code ${ended.code}`];
}

const STOPPED: Readonly<Record<'interrupted' | 'tooMuch' | 'noText', Reason>> = {
  interrupted: ['unavailable', 'interrupted before sops had decrypted it', true],
  tooMuch: ['invalid', `sops wrote more than ${MAX_OUTPUT >> 20} MiB`, true],
  noText: ['invalid', 'what sops decrypted is not text', true],
};

interface Known {
  readonly code: UpstreamError['upstream'];
  matches(ended: { readonly code: number | null; readonly stderr: string }): boolean;
  words(recipients: readonly string[]): string;
}

/** SOPS' own exit codes (cmd/sops/codes), and what they have in common with each other told apart by its words. */
const KNOWN: readonly Known[] = [
  {
    code: 'unavailable',
    matches: ({ code, stderr }) =>
      code === 128 && /dial tcp|i\/o timeout|no such host|connection refused/.test(stderr),
    words: (recipients) => `the service that holds its key cannot be reached${forWhom(recipients)}`,
  },
  {
    code: 'unauthorized',
    matches: ({ code }) => code === 128 || code === 111,
    words: (recipients) =>
      `no key at hand decrypts it${forWhom(recipients)}; give SOPS one, such as SOPS_AGE_KEY_FILE`,
  },
  {
    code: 'invalid',
    matches: ({ code }) => code === 51 || code === 52 || code === 24,
    words: () => 'somebody has changed it without SOPS: its MAC does not fit',
  },
  {
    code: 'invalid',
    matches: ({ code }) => code === 25,
    words: () => 'a value in it is not what SOPS has encrypted',
  },
  {
    code: 'invalid',
    matches: ({ code }) => code === 2 || code === 100,
    words: () => 'sops cannot read it',
  },
];

const MOST_NAMED = 3;

function forWhom(recipients: readonly string[]): string {
  if (recipients.length === 0) return '';
  const named = recipients.slice(0, MOST_NAMED).map((one) => one.slice(0, 120));
  const more = recipients.length - named.length;
  return ` (it is for ${named.join(', ')}${more === 0 ? '' : ` and ${more} more`})`;
}
