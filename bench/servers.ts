/** The measured processes: the webhook as it is shipped, and the bare handler. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

export interface MeasuredWebhook extends Measured {
  readonly opsPort: number;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const PROBE = ['--import', `${root}bench/cpu-probe.mjs`];
const READY_WITHIN = 20_000;

/** A pair for TLS, and what a pod's service account has. */
export function writeFiles(directory: string, pair: KeyPair, ca: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'ca.crt'), ca);
  writeFileSync(join(directory, 'token'), 'bench');
  writeFileSync(join(directory, 'tls.crt'), pair.certPem);
  writeFileSync(join(directory, 'tls.key'), pair.keyPem);
}

export async function startBare(certDir: string): Promise<Measured> {
  const started = Date.now();
  const child = fork(`${root}bench/bare-server.ts`, [certDir], { execArgv: [...runtimeFlags(), ...PROBE] });
  const port = await new Promise<number>((resolve) => {
    child.once('message', (message: { port: number }) => resolve(message.port));
  });
  return measured(child, port, Date.now() - started);
}

/** The webhook as a pod runs it, with its API server at `api`. */
export async function startWebhook(
  certDir: string,
  api: string,
  flags: readonly string[] = [],
): Promise<MeasuredWebhook> {
  const [port, opsPort] = [await freePort(), await freePort()];
  const started = Date.now();
  const args = [
    'serve',
    '--cert-dir',
    certDir,
    '--port',
    String(port),
    '--ops-port',
    String(opsPort),
    ...flags,
  ];
  const { hostname, port: apiPort } = new URL(api);
  const env = {
    ...process.env,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: apiPort,
    FLOE_BENCH_POD: certDir,
    KUBECONFIG: '',
  };
  // Its log goes where a container's would: through a pipe, which this process empties.
  const execArgv = [...runtimeFlags(), ...PROBE, '--import', `${root}bench/in-pod.mjs`];
  const child = fork(`${root}dist/cli.mjs`, args, { execArgv, env, silent: true });
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
  return { ...measured(child, port, Date.now() - started), opsPort };
}

/** The runtime's flags as `npm start` has them. */
function runtimeFlags(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start.split(' ').filter((word) => word.startsWith('--'));
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
