/**
 * The leader's work on certificates: makes, publishes, replaces and forgets them step by step, and gives back every
 * caBundle that Helm, Argo CD or a hand has reset.
 */
import { certificatesIn } from './certificate-chain.ts';
import type { CertificateData, CertificatePolicy, Step } from './certificate-plan.ts';
import { BACKDATE, nextStep } from './certificate-plan.ts';
import type { CertificateSecret, HeldCertificates } from './certificate-secret.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { backoff, takeTurns } from './pause.ts';
import type { Pause } from './pause.ts';
import type { Registrations } from './registrations.ts';
import { liveBundles, publishBundle } from './registrations.ts';

/** Something that a log line or an Event may tell. */
export interface CertificateReport {
  readonly event: 'authority-created' | 'published' | 'issued' | 'authority-forgotten' | 'failed';
  readonly why: string;
}

export interface KeeperParts {
  readonly client: Client;
  readonly secret: CertificateSecret;
  readonly registrations: Registrations;
  readonly policy: CertificatePolicy;
  readonly now: () => number;
  readonly report: (report: CertificateReport) => void;
  /** Woken whenever the Secret or a configuration has changed. */
  readonly pause: Pause;
}

/** How soon a watch is asked again whether it has seen what was written. */
const LOOK = 50;
/** Nothing is due for long, but a watch may have missed its wake. */
const LONGEST_REST = 60_000;
/** How often a file with authorities is read. */
const BUNDLE_POLL = 5_000;
const BACKOFF = { base: 500, max: 30_000 };

/** Keeps the certificates until the signal is aborted. Never rejects. */
export async function keepCertificates(parts: KeeperParts, signal: AbortSignal): Promise<void> {
  await takeTurns(withoutFaults(parts, createKeeper(parts)), { pause: parts.pause, signal });
}

/** Keeps this bundle in every configuration of ours; '' leaves them alone. Never rejects. */
export async function keepBundle(
  parts: Pick<KeeperParts, 'client' | 'registrations' | 'report' | 'pause'>,
  bundle: () => string,
  signal: AbortSignal,
): Promise<void> {
  const turn = async (): Promise<number> => {
    const wanted = bundle();
    if (wanted !== '') await publish(parts, wanted);
    return BUNDLE_POLL;
  };
  await takeTurns(withoutFaults(parts, turn), { pause: parts.pause, signal });
}

/** A turn that fails is tried again, later each time, and its trouble is told once. */
function withoutFaults(
  { report }: Pick<KeeperParts, 'report'>,
  turn: () => Promise<number>,
): () => Promise<number> {
  let failures = 0;
  let trouble = '';
  return async () => {
    try {
      const milliseconds = await turn();
      failures = 0;
      trouble = '';
      return milliseconds;
    } catch (fault) {
      const why = fault instanceof Error ? fault.message : String(fault);
      // A conflict says that what was planned from is old: the watch will bring what is new.
      if (errorOfFault(fault).status !== 409 && why !== trouble) report({ event: 'failed', why });
      trouble = why;
      return backoff(failures++, BACKOFF);
    }
  };
}

/** One step each call; gives the pause until the next. */
function createKeeper(parts: KeeperParts): () => Promise<number> {
  const { secret, registrations, policy, now } = parts;
  // On the watches' word, not the write's: what is published is what was read back.
  let publishedSince: number | undefined;
  let replaced: HeldCertificates | undefined;
  return async () => {
    if (!secret.settled() || !registrations.settled()) return LOOK;
    const trouble = registrations.trouble();
    if (trouble !== '') throw new Error(trouble);
    const held = secret.held();
    if (held === undefined) throw new Error(missing(secret));
    if (held === replaced) return LOOK;
    publishedSince = isPublished(registrations, held.data) ? (publishedSince ?? now()) : undefined;
    const step = nextStep({ held: held.data, publishedSince, now: now() }, policy);
    if (step.do === 'rest') return Math.min(Math.max(step.until - now(), LOOK), LONGEST_REST);
    await take(parts, step, held);
    if (step.do !== 'publish') replaced = held;
    return LOOK;
  };
}

function missing({ namespace, name, trouble }: CertificateSecret): string {
  const why = trouble();
  return `no Secret ${name} in namespace ${namespace} to keep certificates in; ${why === '' ? 'install the chart again' : why}`;
}

function isPublished(registrations: Registrations, { authorities }: CertificateData): boolean {
  return registrations
    .all()
    .every(({ injected, entries }) => injected || entries.every(({ caBundle }) => caBundle === authorities));
}

async function take(parts: KeeperParts, step: Step, held: HeldCertificates): Promise<void> {
  const { secret, report } = parts;
  if (step.do === 'create-authority') {
    await secret.write(held, await newAuthority(parts, step.keep));
    report({ event: 'authority-created', why: step.why });
  }
  if (step.do === 'publish') await publish(parts, held.data.authorities);
  if (step.do === 'issue') {
    await secret.write(held, await newLeaf(parts, held.data));
    report({ event: 'issued', why: step.why });
  }
  if (step.do === 'forget') {
    await secret.write(held, { authorities: step.authorities });
    report({ event: 'authority-forgotten', why: 'nobody serves a certificate of it any more' });
  }
}

async function publish(
  { client, registrations, report }: Pick<KeeperParts, 'client' | 'registrations' | 'report'>,
  bundle: string,
): Promise<void> {
  const others = registrations
    .all()
    .filter(({ injected, entries }) => !injected && entries.some(({ caBundle }) => caBundle !== bundle));
  // At once: until a caBundle is back, nothing of its webhooks is judged.
  await Promise.all(
    others.map(async (one) => {
      await publishBundle(client, one, bundle);
      report({ event: 'published', why: `the caBundle of ${one.kind.kind} ${one.name} was another` });
    }),
  );
}

async function newAuthority(parts: KeeperParts, keep: string): Promise<Partial<CertificateData>> {
  const { createAuthority } = await import('./certificate-issuer.ts');
  const { secret, policy, now } = parts;
  const made = await createAuthority(
    `${secret.name} ${new Date(now()).toISOString()}`,
    periodOf(now(), policy.caValidity),
  );
  // Where the Secret was emptied, replicas go on with certificates that only the live caBundle still knows.
  const others = keep === '' ? liveAuthorities(parts) : keep;
  return { authorities: made.certPem + others, authorityKey: made.keyPem };
}

function liveAuthorities({ registrations }: KeeperParts): string {
  return [...new Set(liveBundles(registrations).flatMap(certificatesIn).map(String))].join('');
}

async function newLeaf(
  { policy, now }: KeeperParts,
  data: CertificateData,
): Promise<Partial<CertificateData>> {
  const { issueLeaf } = await import('./certificate-issuer.ts');
  const [issuing] = certificatesIn(data.authorities);
  if (issuing === undefined) throw new Error('no authority to issue a certificate');
  const period = periodOf(now(), policy.leafValidity);
  const made = await issueLeaf(
    { certPem: issuing.toString(), keyPem: data.authorityKey },
    {
      names: policy.names,
      // No certificate outlives its authority.
      period: { ...period, notAfter: Math.min(period.notAfter, issuing.validToDate.getTime()) },
    },
  );
  return { leaf: made.certPem, leafKey: made.keyPem };
}

function periodOf(now: number, validity: number): { readonly notBefore: number; readonly notAfter: number } {
  return { notBefore: now - BACKDATE, notAfter: now + validity };
}
