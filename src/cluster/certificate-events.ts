/**
 * Events for what happens to the serving certificate, where people look when admission fails: on the webhook's
 * Deployment, or on its Lease where it runs outside of one.
 */
import { DEPLOYMENT, LEASE, apiVersionOf, uidOf } from '../kube/object.ts';
import { errorOfFault } from './api-error.ts';
import { readCertificate } from './certificate-chain.ts';
import type { CertificateReport } from './certificate-keeper.ts';
import type { Client } from './client.ts';
import type { EventDraft, Events, Regarding } from './events.ts';
import { METADATA } from './media-types.ts';
import { objectPath } from './paths.ts';

/** What the leader did or could not do; `refused`: a replica was given a certificate that it cannot serve. */
export type CertificateNews = CertificateReport | { readonly event: 'refused'; readonly why: string };

export interface CertificateAnnouncer {
  /** Never fails and never waits. */
  told(news: CertificateNews): void;
  stop(): void;
}

export interface CertificateAnnouncerOptions {
  readonly client: Pick<Client, 'get'>;
  readonly events: Pick<Events, 'emit'>;
  /** The namespace and name of the installation. */
  readonly namespace: string;
  readonly name: string;
  /** The certificate that is served (PEM), '' before there is one. */
  readonly served: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds between two looks at what is served; default an hour, in which the API server forgets Events. */
  readonly every?: number;
}

type Message = Omit<EventDraft, 'regarding'>;

const EVERY = 3_600_000;
/** Soon after the start, when there is something to look at. */
const FIRST = 60_000;
const TIMEOUT = 2_000;
/** Messages whose object is being read; more are dropped. */
const MOST = 10;
/** A rotation writes a caBundle twice. Who writes it more often within this time is undone by somebody. */
const RESETS = { count: 4, within: 600_000 };
const WEEK = 7 * 24 * 3_600_000;
/** The last part of its life, in which a certificate should have been replaced long ago. */
const LAST_PART = 6;

export function announceCertificates(options: CertificateAnnouncerOptions): CertificateAnnouncer {
  const { events, served, now, every = EVERY } = options;
  const published = new Map<string, readonly number[]>();
  let waiting = 0;

  async function say(message: Message | undefined): Promise<void> {
    if (message === undefined || waiting >= MOST) return;
    waiting += 1;
    try {
      const regarding = await installation(options);
      if (regarding !== undefined) events.emit({ regarding, ...message });
    } catch {
      // Who could not be read is not told of; the log has it all.
    } finally {
      waiting -= 1;
    }
  }

  /** How often this was published lately, this time included. */
  function timesPublished(why: string): number {
    const times = [...(published.get(why) ?? []), now()].filter((time) => now() - time < RESETS.within);
    published.set(why, times);
    return times.length;
  }

  const look = (): void => void say(expiryOf(served(), now()));
  const timers = [setTimeout(look, Math.min(FIRST, every)), setInterval(look, every)];
  for (const timer of timers) timer.unref();
  return {
    told(news) {
      if (news.event === 'published' && timesPublished(news.why) < RESETS.count) return;
      void say(messageOf(news));
    },
    stop: () => timers.forEach((timer) => clearTimeout(timer)),
  };
}

interface Wording {
  readonly type: Message['type'];
  readonly reason: string;
  say(why: string): string;
}

/** What is told of each; the end of an old CA is worth a line of the log alone. */
const WORDINGS: Readonly<Partial<Record<CertificateNews['event'], Wording>>> = {
  issued: {
    type: 'Normal',
    reason: 'CertificateIssued',
    say: (why) => `A new serving certificate: ${why}`,
  },
  'authority-created': {
    type: 'Normal',
    reason: 'CertificateAuthorityCreated',
    say: (why) => `A new CA: ${why}`,
  },
  failed: {
    type: 'Warning',
    reason: 'CertificateRotationFailed',
    say: (why) => `Certificates cannot be kept: ${why}`,
  },
  refused: {
    type: 'Warning',
    reason: 'CertificateRefused',
    say: (why) => `A certificate cannot be served, the one before it stays: ${why}`,
  },
  published: {
    type: 'Warning',
    reason: 'CABundleReset',
    say: (why) =>
      `Something keeps resetting it: ${why}. Tell Helm or Argo CD to leave webhooks[].clientConfig.caBundle alone`,
  },
};

function messageOf({ event, why }: CertificateNews): Message | undefined {
  const wording = WORDINGS[event];
  return wording === undefined
    ? undefined
    : { type: wording.type, reason: wording.reason, message: wording.say(why) };
}

/** The warning that a certificate has not been replaced; its date is the same as long as it is the same. */
function expiryOf(chain: string, now: number): Message | undefined {
  const leaf = readCertificate(chain);
  if (leaf === undefined) return undefined;
  const end = leaf.validToDate.getTime();
  if (end - now > Math.min(WEEK, (end - leaf.validFromDate.getTime()) / LAST_PART)) return undefined;
  const message = `The serving certificate ${end > now ? 'expires' : 'expired'} at ${leaf.validToDate.toISOString()}`;
  return { type: 'Warning', reason: 'CertificateExpiring', message: `${message}, and was not replaced` };
}

async function installation(options: CertificateAnnouncerOptions): Promise<Regarding | undefined> {
  const { client, namespace, name } = options;
  for (const kind of [DEPLOYMENT, LEASE]) {
    const path = objectPath(kind, namespace, name);
    if (path === undefined) return undefined;
    try {
      const uid = uidOf(await client.get(path, { accept: METADATA, timeoutMs: TIMEOUT }));
      return { apiVersion: apiVersionOf(kind), kind: kind.kind, namespace, name, uid };
    } catch (fault) {
      if (errorOfFault(fault).status !== 404) throw fault;
    }
  }
  return undefined;
}
