/** Wires the serving certificate: files of a directory, or the Secret that the leader keeps (`certificates.mode`). */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createBundleOverlap } from './cluster/bundle-overlap.ts';
import type { CertificateNews } from './cluster/certificate-events.ts';
import type { CertificatePolicy } from './cluster/certificate-plan.ts';
import type { CertificateReport } from './cluster/certificate-keeper.ts';
import { keepBundle, keepCertificates } from './cluster/certificate-keeper.ts';
import type { CertificateSecret } from './cluster/certificate-secret.ts';
import { watchCertificateSecret } from './cluster/certificate-secret.ts';
import type { Client } from './cluster/client.ts';
import type { FailClosedReport } from './cluster/fail-closed.ts';
import { homeOf } from './cluster/home.ts';
import type { Registered } from './cluster/registered.ts';
import { followRegistrations } from './cluster/registered.ts';
import { liveBundles } from './cluster/registrations.ts';
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
  /** The certificate (PEM) that is served; '' before there is one. */
  served(): string;
  /** What keeps the API server from accepting this replica's certificate. */
  waiting(): readonly string[];
  /** Calls back with what happens to certificates. */
  follow(told: (news: CertificateNews) => void): void;
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

/** What is told of to whoever follows. */
interface Parts extends ServingParts {
  readonly told: (news: CertificateNews) => void;
}

type Opened = Omit<Serving, 'follow'>;

/** Throws ConfigError where files cannot be served, or there is nowhere to keep a certificate. */
export function openServing(parts: ServingParts): Serving {
  const followers = new Set<Parts['told']>();
  const told: Parts['told'] = (news) => followers.forEach((follower) => follower(news));
  return { ...openSource({ ...parts, told }), follow: (follower) => void followers.add(follower) };
}

function openSource(parts: Parts): Opened {
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

function ofFiles(parts: Parts, directory: string): Opened {
  const { config, client } = parts;
  const authorities = join(directory, 'ca.crt');
  const issued = (): string => (existsSync(authorities) ? readFileSync(authorities, 'utf8') : '');
  // Of files alone nobody says how they are registered; then nothing is watched.
  if (client === undefined || (issued() === '' && config.certificates.mode !== 'cert-manager')) {
    const certificates = openCertificates({ directory, ...tlsOptions(parts) });
    return {
      opened: Promise.resolve(certificates),
      expiresAt: certificates.expiresAt,
      served: () => certificates.current().cert,
      waiting: () => [],
      lead: async () => undefined,
      stop: async () => certificates.stop(),
    };
  }
  const registered = register(parts, client);
  const mayReplace = registered.handover(PROPAGATION);
  const certificates = openCertificates({ directory, ...tlsOptions(parts), mayReplace });
  const keeper = { client, report: reporter(parts), pause: registered.pause() };
  return {
    opened: Promise.resolve(certificates),
    expiresAt: certificates.expiresAt,
    served: () => certificates.current().cert,
    waiting: () => registered.waiting(certificates.current().cert),
    lead: async (signal) => {
      const { registrations } = registered;
      const overlapping = createBundleOverlap({
        overlap: config.certificates.overlap,
        now: client.serverTime,
      });
      const bundle = (): string => overlapping(issued(), liveBundles(registrations));
      await Promise.all([
        keepBundle({ ...keeper, registrations }, bundle, signal),
        closeStrict(config, registered, signal),
      ]);
    },
    stop: async () => {
      certificates.stop();
      await registered.stop();
    },
  };
}

function ofSecret(parts: Parts & { readonly client: Client }): Opened {
  const { config, client, report } = parts;
  const registered = register(parts, client);
  const secret = watchCertificateSecret(client, {
    namespace: homeOf(client),
    name: certificateSecretName(config),
    report,
    changed: registered.changed,
  });
  let certificates: Certificates | undefined;
  // Here the leader has waited until API servers know a new authority, before it issued.
  const options = { ...tlsOptions(parts), mayReplace: registered.handover(0) };
  const opened = firstOf(secretSource(secret, registered), options).then((first) => (certificates = first));
  const keeper = { client, secret, policy: policyOf(config, homeOf(client)), now: client.serverTime };
  const [pause, keeperReport] = [registered.pause(), reporter(parts)];
  return {
    opened,
    expiresAt: () => certificates?.expiresAt() ?? 0,
    served: () => certificates?.current().cert ?? '',
    waiting: () =>
      certificates === undefined ? [whyNone(secret)] : registered.waiting(certificates.current().cert),
    lead: async (signal) => {
      const { registrations } = registered;
      await Promise.all([
        keepCertificates({ ...keeper, registrations, report: keeperReport, pause }, signal),
        closeStrict(config, registered, signal),
      ]);
    },
    stop: async () => {
      certificates?.stop();
      await Promise.all([secret.stop(), registered.stop()]);
    },
  };
}

function register({ config, log, report }: ServingParts, client: Client): Registered {
  const closing = ({ event, message }: FailClosedReport): void =>
    log[event === 'not-reached' ? 'warn' : 'info']({ outcome: event, message }, 'strict webhooks');
  return followRegistrations({ client, name: config.webhook.name, report, closing });
}

async function closeStrict({ webhook }: Config, registered: Registered, signal: AbortSignal): Promise<void> {
  if (webhook.failClosed) await registered.failClosed(signal);
}

function whyNone(secret: CertificateSecret): string {
  const trouble = secret.trouble();
  return `a certificate in the Secret ${secret.name}${trouble === '' ? '' : `: ${trouble}`}`;
}

/** The pair that the Secret holds, as the TLS server reads it. */
function secretSource(secret: CertificateSecret, { listen }: Registered): PairSource {
  const name = `Secret ${secret.namespace}/${secret.name}`;
  return {
    read: () => {
      const held = secret.held();
      if (held === undefined) throw new ConfigError(`${name} is not there`);
      const { leaf, leafKey } = held.data;
      return { cert: leaf, key: leafKey, certName: `tls.crt of ${name}`, keyName: `tls.key of ${name}` };
    },
    watch: listen,
  };
}

/** Waits for a pair that can be served: at an installation's start the leader has yet to make one. */
async function firstOf(source: PairSource, options: TlsOptions): Promise<Certificates> {
  const attempt = (): Certificates | undefined => {
    try {
      return followCertificates(source, options);
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

function tlsOptions({ config, client, log, told }: Parts): TlsOptions {
  const { clientCA } = config.webhook;
  return {
    clientCA: clientCA === '' ? '' : resolve(clientCA),
    log,
    now: client?.serverTime ?? Date.now,
    refused: (why) => told({ event: 'refused', why }),
  };
}

function policyOf({ certificates, webhook: { name } }: Config, namespace: string): CertificatePolicy {
  const { caValidity, leafValidity, overlap } = certificates;
  const service = `${name}.${namespace}.svc`;
  const names = [service, `${name}.${namespace}`, name, `${service}.cluster.local`];
  return { caValidity, leafValidity, overlap, propagation: PROPAGATION, names };
}

function reporter({ log, told }: Parts): (report: CertificateReport) => void {
  return ({ event, why }) => {
    log[event === 'failed' ? 'error' : 'info']({ outcome: event, why }, 'certificates');
    told({ event, why });
  };
}
