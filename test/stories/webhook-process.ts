/** The webhook as a process of its own: started, asked where it listens, stopped. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { Authority } from '../../tools/certificates.ts';
import { asShort } from './manifest.ts';
import { programFile } from './program.ts';

/** The name of the Service, in its certificate and in what the API server dials. */
export const SERVICE_NAME = 'floe-secrets-webhook.floe-secrets-system.svc';

export interface WebhookOptions {
  readonly config: Readonly<Record<string, unknown>>;
  /** Issues its certificate; without one it keeps its own in the cluster. */
  readonly authority?: Authority;
  /** `--world DIR` or `--kubeconfig FILE`, and any other flag. */
  readonly args: readonly string[];
  /** A fixed port, where the API server must find it again. */
  readonly port?: number;
  /** Of the process, besides what it always has. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface WebhookProcess {
  readonly port: number;
  readonly opsPort: number;
  readonly child: ChildProcess;
  /** What it logged so far. */
  log(): string;
  /** What its config file says from now on, as a mounted ConfigMap changes under a process. */
  rewrite(config: WebhookOptions['config']): void;
  /** SIGTERM, and waits for the end; gives the exit code. */
  stop(): Promise<number | null>;
}

/** Starts the webhook, and resolves when it is ready. */
export async function startWebhook(options: WebhookOptions): Promise<WebhookProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'floe-webhook-'));
  await writePair(folder, options.authority);
  writeConfig(folder, options.config);
  const certificates =
    options.authority === undefined ? [] : ['--cert-dir', folder, '--certificates-mode', 'files'];
  const files = ['--config', join(folder, 'config.yaml'), ...certificates];
  const ports = ['--port', String(options.port ?? 0), '--ops-port', '0'];
  const child = spawn(process.execPath, [programFile(), 'serve', ...files, ...ports, ...options.args], {
    env: { PATH: process.env['PATH'], ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  const listening = await listeningPorts(child, lines);
  const started = {
    ...listening,
    child,
    log: () => lines.join('\n'),
    rewrite: (config: WebhookOptions['config']) => writeConfig(folder, config),
    stop: () => stop(child, folder),
  };
  await untilReady(started);
  return started;
}

async function writePair(folder: string, authority: Authority | undefined): Promise<void> {
  if (authority !== undefined) {
    const { certPem, keyPem } = await authority.issue({
      names: [SERVICE_NAME, 'localhost'],
      ips: ['127.0.0.1'],
    });
    writeFileSync(join(folder, 'tls.crt'), certPem);
    writeFileSync(join(folder, 'tls.key'), keyPem);
  }
}

function writeConfig(folder: string, config: WebhookOptions['config']): void {
  const head = { apiVersion: 'floe.dev/v1alpha1', kind: 'SecretsWebhookConfig' };
  const server = { drain: '0s', ...asShort(config['server']) };
  writeFileSync(join(folder, 'config.yaml'), stringify({ ...head, ...config, server }));
}

/** The process logs where it listens, for the kernel chose the ports. */
function listeningPorts(
  child: ChildProcess,
  lines: string[],
): Promise<{ readonly port: number; readonly opsPort: number }> {
  return new Promise((resolve, reject) => {
    if (child.stderr === null) throw new Error('no output');
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      const { port, opsPort } = asShort(line.startsWith('{') ? JSON.parse(line) : undefined);
      if (typeof port === 'number' && typeof opsPort === 'number') resolve({ port, opsPort });
    });
    child.once('exit', (code) => reject(new Error(`the webhook ended with ${code}:\n${lines.join('\n')}`)));
  });
}

async function untilReady({ opsPort, child, log }: WebhookProcess): Promise<void> {
  for (let tries = 0; child.exitCode === null; tries++) {
    const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    if (tries > 600) throw new Error(`not ready: ${await answer?.text()}\n${log()}`);
    await sleep(50);
  }
  throw new Error(`the webhook ended:\n${log()}`);
}

async function stop(child: ChildProcess, folder: string): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
  return child.exitCode;
}
