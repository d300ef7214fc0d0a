/** Wires the serving certificate: files of a directory, or the Secret that the leader keeps (`certificates.mode`). */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CertificatePolicy } from './cluster/certificate-plan.ts';
import type { CertificateReport } from './cluster/certificate-keeper.ts';
import { keepBundle, keepCertificates } from './cluster/certificate-keeper.ts';
import type { CertificateSecret } from './cluster/certificate-secret.ts';
import { watchCertificateSecret } from './cluster/certificate-secret.ts';
import type { Client } from './cluster/client.ts';
import type { FailClosedReport } from './cluster/fail-closed.ts';
import { keepFailClosed } from './cluster/fail-closed.ts';
import type { Pause } from './cluster/pause.ts';
import { homeOf } from './cluster/home.ts';
import { createPause } from './cluster/pause.ts';
import type { Registrations } from './cluster/registrations.ts';
import { distrusting, watchRegistrations } from './cluster/registrations.ts';
import type { WatchReport } from './cluster/watch.ts';
import type { Config } from './config/config.ts';
import { ConfigError } from './config/error.ts';
import type { Log } from './server/log.ts';
import type { Certificates, PairSource, TlsOptions } from './server/tls.ts';
import { followCertificates, openCertificates } from './server/tls.ts';

export interface Serving {
  /** Resolves with the first pair that can be served. */
  readonly opened: Promise<Certificates>;
  /** Milliseconds since the epoch; 0 before there is a certificate. */
  expiresAt(): number;
  /** What keeps the API server from accepting this replica's certificate. */
  waiting(): readonly string[];
  /** What the holder of the Lease does for the certificates, until the signal is aborted. */
  lead(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export interface ServingParts {
  readonly config: Config;
  /** Undefined where a folder of manifests stands for the cluster. */
  readonly client: Client | undefined;
  readonly log: Log;
  readonly report: (report: WatchReport) => void;
}

/** API servers read a changed configuration within a second or two. */
const PROPAGATION = 5_000;

/** Throws ConfigError where files cannot be served, or there is nowhere to keep a certificate. */
export function openServing(parts: ServingParts): Serving {
  const { config, client } = parts;
  if (config.server.certDir !== '') return ofFiles(parts, resolve(config.server.certDir));
  if (client !== undefined && config.certificates.mode === 'self') return ofSecret({ ...parts, client });
  throw new ConfigError(
    'no serving certificate: give --cert-dir a directory with tls.crt and tls.key ' +
      '(the scripts in certs/ make one for development)',
  );
}

/** The installation's Secret of certificates. */
export function certificateSecretName(config: Config): string {
  return `${config.webhook.name}-certificates`;
}

function ofFiles(parts: ServingParts, directory: string): Serving {
  const { config, client } = parts;
  const certificates = openCertificates({ directory, ...tlsOptions(parts) });
  const authorities = join(directory, 'ca.crt');
  const injected = config.certificates.mode === 'cert-manager';
  const bundle = (): string =>
    injected || !existsSync(authorities) ? '' : readFileSync(authorities, 'utf8');
  const opened = Promise.resolve(certificates);
  // Of files alone nobody says how they are registered; then nothing is watched.
  if (client === undefined || !(injected || existsSync(authorities))) {
    const stop = async (): Promise<void> => certificates.stop();
    return {
      opened,
      expiresAt: certificates.expiresAt,
      waiting: () => [],
      lead: async () => undefined,
      stop,
    };
  }
  const registered = followRegistrations({ ...parts, client });
  const keeper = { client, report: reporter(parts.log), pause: registered.pause() };
  return {
    opened,
    expiresAt: certificates.expiresAt,
    waiting: () => registered.waiting(certificates.current().cert),
    lead: async (signal) => {
      const { registrations } = registered;
      await Promise.all([
        keepBundle({ ...keeper, registrations }, bundle, signal),
        registered.failClosed(signal),
      ]);
    },
    stop: async () => {
      certificates.stop();
      await registered.stop();
    },
  };
}

function ofSecret(parts: ServingParts & { readonly client: Client }): Serving {
  const { config, client, report } = parts;
  const registered = followRegistrations(parts);
  const secret = watchCertificateSecret(client, {
    namespace: homeOf(client),
    name: certificateSecretName(config),
    report,
    changed: registered.changed,
  });
  let certificates: Certificates | undefined;
  const opened = firstOf(secretSource(secret, registered), parts).then((first) => (certificates = first));
  const keeper = { client, secret, policy: policyOf(config, homeOf(client)), now: Date.now };
  const [pause, keeperReport] = [registered.pause(), reporter(parts.log)];
  return {
    opened,
    expiresAt: () => certificates?.expiresAt() ?? 0,
    waiting: () =>
      certificates === undefined ? [whyNone(secret)] : registered.waiting(certificates.current().cert),
    lead: async (signal) => {
      const { registrations } = registered;
      await Promise.all([
        keepCertificates({ ...keeper, registrations, report: keeperReport, pause }, signal),
        registered.failClosed(signal),
      ]);
    },
    stop: async () => {
      certificates?.stop();
      await Promise.all([secret.stop(), registered.stop()]);
    },
  };
}

/** The configurations of this installation, and who wants to hear of their changes. */
interface Registered {
  readonly registrations: Registrations;
  /** A pause that ends when something has changed. */
  pause(): Pause;
  readonly listeners: Set<() => void>;
  changed(): void;
  waiting(chain: string): readonly string[];
  failClosed(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

function followRegistrations({
  config,
  client,
  log,
  report,
}: ServingParts & { readonly client: Client }): Registered {
  const { name } = config.webhook;
  const listeners = new Set<() => void>();
  const changed = (): void => listeners.forEach((listener) => listener());
  const registrations = watchRegistrations(client, name, { report, changed });
  const pause = (): Pause => {
    const made = createPause();
    listeners.add(made.wake);
    return made;
  };
  const closing = { client, registrations, namespace: homeOf(client), name, pause: pause() };
  return {
    registrations,
    pause,
    listeners,
    changed,
    waiting: (chain) => waitingFor(registrations, chain),
    failClosed: async (signal) => {
      if (!config.webhook.failClosed) return;
      const told = ({ event, message }: FailClosedReport): void =>
        log[event === 'not-reached' ? 'warn' : 'info']({ event, message }, 'strict webhooks');
      await keepFailClosed({ ...closing, report: told }, signal);
    },
    stop: registrations.stop,
  };
}

function waitingFor(registrations: Registrations, chain: string): readonly string[] {
  if (!registrations.settled()) return ['the webhook configurations'];
  const trouble = registrations.trouble();
  if (trouble !== '') return [`the webhook configurations: ${trouble}`];
  return distrusting(registrations.all(), chain, Date.now()).map(
    (webhook) => `the caBundle of ${webhook} to accept the serving certificate`,
  );
}

function whyNone(secret: CertificateSecret): string {
  const trouble = secret.trouble();
  return `a certificate in the Secret ${secret.name}${trouble === '' ? '' : `: ${trouble}`}`;
}

/** The pair that the Secret holds, as the TLS server reads it. */
function secretSource(secret: CertificateSecret, { listeners }: Registered): PairSource {
  const name = `Secret ${secret.namespace}/${secret.name}`;
  return {
    read: () => {
      const held = secret.held();
      if (held === undefined) throw new ConfigError(`${name} is not there`);
      const { leaf, leafKey } = held.data;
      return { cert: leaf, key: leafKey, certName: `tls.crt of ${name}`, keyName: `tls.key of ${name}` };
    },
    watch: (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
  };
}

/** Waits for a pair that can be served: at an installation's start the leader has yet to make one. */
async function firstOf(source: PairSource, parts: ServingParts): Promise<Certificates> {
  const attempt = (): Certificates | undefined => {
    try {
      return followCertificates(source, tlsOptions(parts));
    } catch (error) {
      if (error instanceof ConfigError) return undefined;
      throw error;
    }
  };
  const { promise, resolve: open } = Promise.withResolvers<Certificates>();
  const stop = source.watch(() => {
    const certificates = attempt();
    if (certificates === undefined) return;
    stop();
    open(certificates);
  });
  return promise;
}

function tlsOptions({ config, log }: ServingParts): TlsOptions {
  const { clientCA } = config.webhook;
  return { clientCA: clientCA === '' ? '' : resolve(clientCA), log };
}

function policyOf({ certificates, webhook: { name } }: Config, namespace: string): CertificatePolicy {
  const { caValidity, leafValidity, overlap } = certificates;
  const service = `${name}.${namespace}.svc`;
  const names = [service, `${name}.${namespace}`, name, `${service}.cluster.local`];
  return { caValidity, leafValidity, overlap, propagation: PROPAGATION, names };
}

function reporter(log: Log): (report: CertificateReport) => void {
  return ({ event, why }) => log[event === 'failed' ? 'error' : 'info']({ event, why }, 'certificates');
}
