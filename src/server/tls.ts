/** The serving certificate: read from a directory, checked, and swapped in a running server. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync, watch } from 'node:fs';
import { basename, join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../config/error.ts';
import type { Log } from './log.ts';

/** What a TLS server is made of; with a client CA it asks callers for a certificate of it. */
interface ServingOptions extends SecureContextOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
}

export interface Certificates {
  /** The newest pair that passed the checks. */
  current(): ServingOptions;
  /** Milliseconds since the epoch. */
  expiresAt(): number;
  /** Hands over every later pair, as soon as it passed the checks. */
  follow(apply: (options: ServingOptions) => void): void;
  stop(): void;
}

/** Where pairs come from: a directory, or a Secret that is watched. */
export interface PairSource {
  /** The newest pair as it stands, not checked yet. Throws ConfigError where there is none. */
  read(): Pair;
  /** Calls back whenever there may be another; gives the way to stop that. */
  watch(changed: () => void): () => void;
}

/** PEM, and how people find them. */
interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly certName: string;
  readonly keyName: string;
}

export interface TlsOptions {
  /** PEM file of the CA that callers must be of; '' asks callers for nothing. */
  readonly clientCA: string;
  readonly log: Log;
  /** The clock by which certificates count; default this machine's. */
  readonly now?: () => number;
  /** Whether a later certificate (PEM) may take the place of the present one already; default: at once. */
  readonly mayReplace?: (current: string, next: string) => boolean;
  /** Told once why a later pair cannot be served. */
  readonly refused?: (reason: string) => void;
}

export interface DirectoryOptions extends TlsOptions {
  /** Directory with `tls.crt` (the leaf first) and `tls.key`, as a Secret of type kubernetes.io/tls is mounted. */
  readonly directory: string;
  /** How often the files are read whether or not a change was noticed. */
  readonly pollMs?: number;
}

interface Loaded {
  readonly options: ServingOptions;
  readonly expiresAt: number;
}

const POLL = 5_000;
// The two files of a pair are often written one after the other.
const SETTLE = 100;

/** The pair of a directory, followed as its files change. */
export function openCertificates(options: DirectoryOptions): Certificates {
  return followCertificates(directorySource(options), options);
}

/**
 * Reads the pair and follows its source. Throws ConfigError where the first pair is missing (exit code 3) or
 * unusable; a later one that is unusable is logged once, and the last good one stays.
 */
export function followCertificates(source: PairSource, options: TlsOptions): Certificates {
  const { log } = options;
  let loaded = load(source, options);
  let complaint = '';
  let awaited = '';
  const followers: ((options: ServingOptions) => void)[] = [];
  const reload = (): void => {
    try {
      const next = load(source, options);
      complaint = '';
      if (sameFiles(next.options, loaded.options)) return;
      if (options.mayReplace?.(loaded.options.cert, next.options.cert) === false) {
        if (next.options.cert !== awaited) log.info('new certificate waits until the API server accepts it');
        awaited = next.options.cert;
        return;
      }
      for (const apply of followers) apply(next.options);
      loaded = next;
      log.info({ expires: isoTime(next.expiresAt) }, 'serving certificate replaced');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === complaint) return;
      complaint = reason;
      log.error({ reason, expires: isoTime(loaded.expiresAt) }, 'new certificate refused, old one stays');
      options.refused?.(reason);
    }
  };
  const stop = source.watch(reload);
  return {
    current: () => loaded.options,
    expiresAt: () => loaded.expiresAt,
    follow: (apply) => void followers.push(apply),
    stop,
  };
}

function directorySource(options: DirectoryOptions): PairSource {
  const { directory } = options;
  const [certName, keyName] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
  return {
    read: () => ({
      cert: read(certName, 'server.certDir'),
      key: read(keyName, 'server.certDir'),
      certName,
      keyName,
    }),
    watch: (changed) => onChange(options, changed),
  };
}

/** Calls back some time after a change in the directory, and at every poll. */
function onChange({ directory, pollMs, log }: DirectoryOptions, changed: () => void): () => void {
  let settling: NodeJS.Timeout | undefined;
  const poll = setInterval(changed, pollMs ?? POLL);
  poll.unref();
  // Watching the directory sees a mounted Secret's `..data` link swapped; the files themselves never change.
  const watcher = watch(directory, { persistent: false }, () => {
    clearTimeout(settling);
    settling = setTimeout(changed, SETTLE);
    settling.unref();
  });
  watcher.on('error', () => {
    log.warn({ directory }, 'certificate directory not watched, polling only');
    watcher.close();
  });
  return () => {
    clearInterval(poll);
    clearTimeout(settling);
    watcher.close();
  };
}

function load(source: PairSource, { clientCA, now = Date.now }: TlsOptions): Loaded {
  const pair = source.read();
  const { cert, key } = pair;
  const client = clientCA === '' ? undefined : read(clientCA, 'webhook.clientCA');
  const expiresAt = checkPair(pair, now());
  if (client === undefined) return { options: { cert, key }, expiresAt };
  check(clientCA, 'holds no certificate that can be read', () => new X509Certificate(client));
  return { options: { cert, key, ca: client, requestCert: true, rejectUnauthorized: true }, expiresAt };
}

function read(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ConfigError(`${file} cannot be read (${code}); it is part of ${setting}`, 3);
  }
}

/** When the pair expires. Throws ConfigError where a server could not serve with it. */
function checkPair({ cert, key, certName, keyName }: Pair, now: number): number {
  const leaf = check(certName, 'holds no certificate that can be read', () => new X509Certificate(cert));
  const secret = check(keyName, 'holds no private key that can be read', () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(secret)) {
    throw new ConfigError(`${keyName} is not the key of the first certificate in ${basename(certName)}`);
  }
  const expiresAt = leaf.validToDate.getTime();
  if (expiresAt <= now) throw new ConfigError(`${certName} expired at ${isoTime(expiresAt)}`);
  check(certName, `and ${basename(keyName)} cannot be used by TLS`, () => createSecureContext({ cert, key }));
  return expiresAt;
}

function check<T>(file: string, problem: string, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    // OpenSSL's words name the format's fault and never quote the file.
    throw new ConfigError(`${file} ${problem} (${error instanceof Error ? error.message : String(error)})`);
  }
}

function sameFiles(left: ServingOptions, right: ServingOptions): boolean {
  return left.cert === right.cert && left.key === right.key && left.ca === right.ca;
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
