import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LOG_LIMIT = 1_000_000;
const STOP_WITHIN = 5000;

// Upstream's etcd and kube-apiserver do not care who started them. This shell does: it holds our end of
// a pipe, and when we close it, or are killed, it ends its child and, unless told to keep it, the directory.
const WATCHDOG = `
directory=$1 name=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
echo $child > "$directory/$name.pid"
{
  keep=
  while read -r line <&3; do [ "$line" = keep ] && keep=1; done
  trap '' TERM
  kill -9 $child 2>/dev/null
  # Its own children, e.g. compilers, are in our process group.
  kill 0
  [ -n "$keep" ] && exit
  sleep 0.1
  # A node's control groups have the directory's name, and can be removed when those in there are gone. Where they
  # take longer than this, the directory stays: it reminds the next run to remove both.
  attempt=0
  while groups=$(find /sys/fs/cgroup -depth -type d -path "*/\${directory##*/}*" 2>/dev/null); [ -n "$groups" ]; do
    [ $attempt -lt 100 ] || exit
    attempt=$((attempt + 1))
    rmdir $groups 2>/dev/null || sleep 0.3
  done
  rm -rf "$directory"
} &
watcher=$!
wait $child
code=$?
kill $watcher 2>/dev/null
exit $code
`;

export interface GuardedProcess {
  readonly name: string;
  readonly pid: number;
  /** Settles when the process ends, with the words to report. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  succeeded(): boolean;
  log(): string;
  /** Ends it; the directory stays for whoever started it. */
  stop(): Promise<void>;
}

export interface GuardedCommand {
  readonly name: string;
  readonly directory: string;
  readonly file: string;
  readonly args: readonly string[];
  /** For a program that ends by itself when its standard input does; written there first. */
  readonly settings?: unknown;
  readonly env?: NodeJS.ProcessEnv;
  readonly onOutput?: (text: string) => void;
}

/** Starts a program that cannot outlive this process, however this process ends. */
export function startGuarded(command: GuardedCommand): GuardedProcess {
  const { name, directory, file, args, settings, env = process.env } = command;
  const child =
    settings === undefined
      ? spawn('/bin/sh', ['-c', WATCHDOG, 'sh', directory, name, file, ...args], { detached: true, env })
      : spawn(file, [...args], { detached: true, env });
  if (settings !== undefined) writeFileSync(join(directory, `${name}.pid`), `${child.pid ?? 0}\n`);
  const log = keepLog(child, command.onOutput);
  let over = false;
  let exitCode: number | null = null;
  const ended = new Promise<string>((resolve) => {
    const finish = (words: string): void => {
      over = true;
      resolve(`${name} ${words}`);
    };
    child.once('error', (error) => finish(`could not be started: ${error.message}`));
    // Not 'exit': the last lines of the log, often the reason, arrive after it.
    child.once('close', (code, signal) => {
      exitCode = code;
      finish(`ended with ${signal ?? `code ${code ?? '?'}`}`);
    });
  });
  // Writing to a process that just died is not an error of ours; `ended` tells.
  child.stdin.on('error', () => undefined);
  if (settings !== undefined) child.stdin.write(`${JSON.stringify(settings)}\n`);
  return {
    name,
    pid: child.pid ?? 0,
    ended,
    hasEnded: () => over,
    succeeded: () => exitCode === 0,
    log,
    stop: () => stop(child, ended),
  };
}

async function stop(child: ChildProcessWithoutNullStreams, ended: Promise<string>): Promise<void> {
  child.stdin.end('keep\n');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN);
  await ended;
  clearTimeout(timer);
}

function keepLog(child: ChildProcessWithoutNullStreams, onOutput?: (text: string) => void): () => string {
  let text = '';
  const add = (chunk: string): void => {
    text = (text + chunk).slice(-LOG_LIMIT);
    onOutput?.(chunk);
  };
  child.stdout.setEncoding('utf8').on('data', add);
  child.stderr.setEncoding('utf8').on('data', add);
  return () => text;
}
