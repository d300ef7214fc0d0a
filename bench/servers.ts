/** The measured processes: the webhook as it is shipped, and the bare handler. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KeyPair } from '../tools/certificates.ts';

export interface Usage {
  /** User and system time, in microseconds. */
  readonly cpu: number;
  /** Bytes. */
  readonly rss: number;
}

export interface Measured {
  readonly port: number;
  /** Milliseconds from the fork to the first ready answer. */
  readonly readyAfter: number;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const PROBE = ['--import', `${root}bench/cpu-probe.ts`];
const READY_WITHIN = 20_000;

export function writePair(directory: string, pair: KeyPair): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'tls.crt'), pair.certPem);
  writeFileSync(join(directory, 'tls.key'), pair.keyPem);
}

export async function startBare(certDir: string): Promise<Measured> {
  const started = Date.now();
  const child = fork(`${root}bench/bare-server.ts`, [certDir], { execArgv: PROBE });
  const port = await new Promise<number>((resolve) => {
    child.once('message', (message: { port: number }) => resolve(message.port));
  });
  return measured(child, port, Date.now() - started);
}

export async function startWebhook(
  certDir: string,
  kubeconfig: string,
  flags: readonly string[] = [],
): Promise<Measured> {
  const [port, opsPort] = [await freePort(), await freePort()];
  const started = Date.now();
  const args = ['serve', '--cert-dir', certDir, '--kubeconfig', kubeconfig];
  const ports = ['--port', String(port), '--ops-port', String(opsPort)];
  // Its log goes where a container's would: through a pipe, which this process empties.
  const child = fork(`${root}dist/cli.mjs`, [...args, ...ports, ...flags], { execArgv: PROBE, silent: true });
  child.stdout?.resume();
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-2000)));
  while (!(await isReady(opsPort))) {
    if (child.exitCode !== null || Date.now() - started > READY_WITHIN) {
      child.kill('SIGKILL');
      throw new Error(`the webhook did not become ready: ${complaints}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return measured(child, port, Date.now() - started);
}

async function isReady(opsPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok;
  } catch {
    return false;
  }
}

function measured(child: ChildProcess, port: number, readyAfter: number): Measured {
  return {
    port,
    readyAfter,
    usage: () =>
      new Promise((resolve) => {
        child.once('message', (usage: Usage) => resolve(usage));
        child.send('usage');
      }),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
