import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/cluster/api-error.ts';
import type { CertificateAnnouncer, CertificateNews } from '../../src/cluster/certificate-events.ts';
import { announceCertificates } from '../../src/cluster/certificate-events.ts';
import type { Events } from '../../src/cluster/events.ts';
import { createEvents } from '../../src/cluster/events.ts';
import { makeAuthority } from '../../tools/certificates.ts';

const CEILING = { timeout: 60_000, interval: 5 };
const DAY = 24 * 3_600_000;
const DEPLOYMENT = '/apis/apps/v1/namespaces/floe-secrets-system/deployments/floe-secrets-webhook';
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/floe-secrets-system/leases/floe-secrets-webhook';

const authority = await makeAuthority('floe test', 90);
const { certPem } = await authority.issue({ names: ['localhost'], days: 90 });

interface Sent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly uid: string };
  readonly count: number;
}

let sent: Sent[];
let objects: Record<string, string | ApiError>;
let reads: string[];
let now: number;
let events: Events;
let announcer: CertificateAnnouncer | undefined;

beforeEach(() => {
  sent = [];
  reads = [];
  objects = { [DEPLOYMENT]: 'u-deployment', [LEASE]: 'u-lease' };
  now = Date.now();
  events = createEvents({
    client: {
      async send(_method, _path, body) {
        sent.push(body as unknown as Sent);
        return {};
      },
    },
    telemetry: { count: () => undefined },
    now: () => now,
    failed: () => undefined,
  });
});
afterEach(async () => {
  announcer?.stop();
  await events.stop();
});

function announce(every = 3_600_000): (news: CertificateNews) => void {
  const client = {
    async get(path: string) {
      reads.push(path);
      const uid = objects[path] ?? new ApiError(404, 'NotFound', 'not found');
      if (uid instanceof ApiError) throw uid;
      return { metadata: { uid } };
    },
  };
  const place = { namespace: 'floe-secrets-system', name: 'floe-secrets-webhook' };
  announcer = announceCertificates({
    client,
    events,
    ...place,
    served: () => certPem,
    now: () => now,
    every,
  });
  return announcer.told;
}

const sentAre = async (count: number) => vi.waitFor(() => expect(sent).toHaveLength(count), CEILING);
const quiet = async () => new Promise((resolve) => setTimeout(resolve, 50));

describe('news of certificates', () => {
  it.each<[CertificateNews, string, string, RegExp]>([
    [
      { event: 'issued', why: 'the authority is a new one' },
      'Normal',
      'CertificateIssued',
      /: the authority is a new one$/,
    ],
    [
      { event: 'authority-created', why: 'there is none' },
      'Normal',
      'CertificateAuthorityCreated',
      /: there is none$/,
    ],
    [
      { event: 'failed', why: 'cannot patch secrets (RBAC)' },
      'Warning',
      'CertificateRotationFailed',
      /cannot patch secrets \(RBAC\)$/,
    ],
    [
      { event: 'refused', why: '/certs/tls.key is not the key' },
      'Warning',
      'CertificateRefused',
      /stays: \/certs\/tls\.key/,
    ],
  ])('%j is an Event on the Deployment', async (news, type, reason, message) => {
    announce()(news);
    await sentAre(1);
    expect(sent[0]).toMatchObject({
      type,
      reason,
      message: expect.stringMatching(message),
      involvedObject: { kind: 'Deployment', uid: 'u-deployment' },
    });
  });

  it('is on the Lease where no Deployment runs the webhook, and nowhere where neither can be read', async () => {
    delete objects[DEPLOYMENT];
    const told = announce();
    told({ event: 'failed', why: 'one' });
    await sentAre(1);
    expect(sent[0]?.involvedObject).toMatchObject({ kind: 'Lease', uid: 'u-lease' });
    objects[DEPLOYMENT] = new ApiError(403, 'Forbidden', 'no');
    told({ event: 'failed', why: 'two' });
    await quiet();
    expect(sent).toHaveLength(1);
  });

  it('adds up where it is the same', async () => {
    const told = announce();
    for (let count = 0; count < 3; count += 1) told({ event: 'failed', why: 'the same' });
    await vi.waitFor(() => expect(reads).toHaveLength(3), CEILING);
    await sentAre(1);
    expect(sent[0]?.reason).toBe('CertificateRotationFailed');
  });

  it('of a caBundle is one only where somebody keeps resetting it', async () => {
    const told = announce();
    const publish = (name: string) =>
      told({ event: 'published', why: `the caBundle of ${name} was another` });
    // A rotation: twice in each configuration.
    for (const name of ['Mutating a', 'Validating a', 'Mutating a', 'Validating a']) publish(name);
    publish('Mutating a');
    await quiet();
    expect(sent).toEqual([]);
    publish('Mutating a');
    await sentAre(1);
    expect(sent[0]).toMatchObject({ type: 'Warning', reason: 'CABundleReset' });
    expect(sent[0]?.message).toContain('the caBundle of Mutating a was another. Tell Helm or Argo CD');
    now += 3_600_000;
    publish('Validating a');
    publish('Validating a');
    await quiet();
    expect(sent).toHaveLength(1);
  });

  it('of what is forgotten is none, and floods are bounded', async () => {
    const told = announce();
    told({ event: 'authority-forgotten', why: 'nobody' });
    for (let count = 0; count < 1_000; count += 1) told({ event: 'failed', why: `trouble ${count}` });
    await sentAre(10);
    expect(reads.length).toBeLessThanOrEqual(10);
  });
});

describe('a certificate that was not replaced', () => {
  it.each([
    [30, undefined],
    [8, undefined],
    [6, /expires at \d{4}-\d\d-\d\dT[^ ]+, and was not replaced$/],
    [-1, /expired at \d{4}-/],
  ])('with %i days left: %s', async (days, message) => {
    now = Date.now() + (90 - days) * DAY;
    announce(20);
    if (message === undefined) {
      await quiet();
      expect(sent).toEqual([]);
      return;
    }
    await sentAre(1);
    expect(sent[0]).toMatchObject({ reason: 'CertificateExpiring', message: expect.stringMatching(message) });
    await quiet();
    // Looked at again, and one series.
    expect(sent.filter(({ reason }) => reason !== undefined)).toHaveLength(1);
  });
});
