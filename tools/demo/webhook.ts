import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { text } from '../../src/kube/json.ts';
import { makeAuthority } from '../certificates.ts';
import { startGuarded } from '../control-plane/guarded-process.ts';
import type { GuardedProcess } from '../control-plane/guarded-process.ts';

export const SERVICE = { namespace: 'floe-secrets-system', name: 'floe-secrets-webhook' } as const;
/** The name under which an API server calls the webhook, which its certificate must show. */
export const HOST = `${SERVICE.name}.${SERVICE.namespace}.svc`;

const PROGRAM = fileURLToPath(new URL('../../bin/floe-secrets.js', import.meta.url));
const LEASH = new URL('leash.ts', import.meta.url).href;
const READY_WITHIN = 120_000;

export interface WebhookFiles {
  readonly directory: string;
  /** PEM of the authority that signed the serving certificate; also written to certs/ca.crt. */
  readonly ca: string;
}

/** A certificate and a settings file of the demo's own, in its directory. */
export async function writeWebhookFiles(directory: string): Promise<WebhookFiles> {
  const authority = await makeAuthority('floe demo', 1);
  const pair = await authority.issue({ names: [HOST, 'localhost'], ips: ['127.0.0.1'], days: 1 });
  const certs = join(directory, 'certs');
  mkdirSync(certs);
  writeFileSync(join(certs, 'ca.crt'), authority.certPem);
  writeFileSync(join(certs, 'tls.crt'), pair.certPem);
  writeFileSync(join(certs, 'tls.key'), pair.keyPem, { mode: 0o600 });
  // With a file of its own the demo does not depend on one that the machine may have.
  writeFileSync(
    join(directory, 'config.yaml'),
    'apiVersion: floe.dev/v1alpha1\nkind: SecretsWebhookConfig\nserver: { drain: 0s }\n' +
      // Nobody wants to wait as long as a busy cluster should.
      'reload: { quiet: 1s, pollInterval: 1s }\nsecrets: { cacheTtl: 1s }\n',
  );
  return { directory, ca: authority.certPem };
}

export interface Webhook {
  readonly port: number;
  logs(): string;
  stop(): Promise<void>;
}

/** Runs `floe-secrets serve` on ports of the kernel's choosing and waits until it can judge. */
export async function startWebhook(
  { directory }: WebhookFiles,
  cluster: readonly string[],
): Promise<Webhook> {
  const own = ['--config', join(directory, 'config.yaml'), '--cert-dir', join(directory, 'certs')];
  const child = startGuarded({
    name: 'webhook',
    directory,
    file: process.execPath,
    args: ['--import', LEASH, PROGRAM, 'serve', ...own, '--port', '0', '--ops-port', '0', ...cluster],
    // Told so, the guard keeps the child's standard input open and closes it at the end: the leash's other end.
    settings: {},
    env: plainEnvironment(),
  });
  try {
    const port = await portOnceReady(child);
    return { port, logs: child.log, stop: child.stop };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** Without settings that somebody made for a webhook of theirs. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(FLOE_SECRETS_|OTEL_)/.test(name)),
  );
}

async function portOnceReady(child: GuardedProcess): Promise<number> {
  const deadline = Date.now() + READY_WITHIN;
  for (let waiting = 'it does not listen'; ; await sleep(25)) {
    if (child.hasEnded()) throw new Error(`the webhook did not start: ${await child.ended}\n${child.log()}`);
    const ports = listening(child.log());
    if (ports !== undefined) {
      const { statusCode, body } = await request(`http://127.0.0.1:${ports.opsPort}/readyz`);
      waiting = await body.text();
      if (statusCode === 200) return ports.port;
    }
    if (Date.now() > deadline) throw new Error(`the webhook is not ready: ${waiting}\n${child.log()}`);
  }
}

/** The ports in the line that the webhook logs when it listens. */
function listening(log: string): { readonly port: number; readonly opsPort: number } | undefined {
  for (const line of log.split('\n').filter((one) => one.includes('"listening"'))) {
    try {
      const entry: unknown = JSON.parse(line);
      if (text(entry, 'event') === 'listening') return entry as { port: number; opsPort: number };
    } catch {
      // The line is still being written; the next look has all of it.
    }
  }
  return undefined;
}
