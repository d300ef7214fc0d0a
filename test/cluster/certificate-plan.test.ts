// The order of a rotation, told by what a leader would do next; every situation is one that a lost leader may leave.
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { isTrusted } from '../../src/cluster/certificate-chain.ts';
import type { KeyPair } from '../../src/cluster/certificate-issuer.ts';
import { createAuthority, issueLeaf } from '../../src/cluster/certificate-issuer.ts';
import type { CertificateData, CertificatePolicy, Step } from '../../src/cluster/certificate-plan.ts';
import { BACKDATE, nextStep } from '../../src/cluster/certificate-plan.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse('2026-05-01T00:00:00Z');
const NAME = 'floe-secrets-webhook.floe-secrets-system.svc';
const POLICY: CertificatePolicy = {
  caValidity: 365 * DAY,
  leafValidity: 90 * DAY,
  overlap: HOUR,
  propagation: 5_000,
  names: [NAME],
};
const NOTHING: CertificateData = { authorities: '', authorityKey: '', leaf: '', leafKey: '' };

let old: KeyPair;
let newer: KeyPair;
let oldLeaf: KeyPair;
let newLeaf: KeyPair;

const authorityAt = (made: number) =>
  createAuthority('ca', { notBefore: made - BACKDATE, notAfter: made + POLICY.caValidity });
const leafAt = (issuer: KeyPair, made: number, names = [NAME]) =>
  issueLeaf(issuer, { names, period: { notBefore: made - BACKDATE, notAfter: made + POLICY.leafValidity } });

beforeAll(async () => {
  old = await authorityAt(START);
  newer = await authorityAt(START + 10 * DAY);
  oldLeaf = await leafAt(old, START);
  newLeaf = await leafAt(newer, START + 10 * DAY);
});

/** What the leader does with this in the Secret; the caBundles have been right since `publishedSince`. */
function next(held: Partial<CertificateData>, now: number, publishedSince: number | undefined = START): Step {
  return nextStep({ held: { ...NOTHING, ...held }, publishedSince, now }, POLICY);
}

const leaf = (pair: KeyPair) => ({ leaf: pair.certPem, leafKey: pair.keyPem });
const oneAuthority = () => ({ authorities: old.certPem, authorityKey: old.keyPem });
const bothAuthorities = () => ({ authorities: newer.certPem + old.certPem, authorityKey: newer.keyPem });

describe('an installation', () => {
  it('makes an authority, publishes it, and only then issues a certificate', () => {
    expect(next({}, START)).toMatchObject({ do: 'create-authority', keep: '' });
    expect(
      nextStep({ held: { ...NOTHING, ...oneAuthority() }, publishedSince: undefined, now: START }, POLICY),
    ).toEqual({ do: 'publish' });
    expect(next(oneAuthority(), START)).toMatchObject({ do: 'issue' });
  });

  it('rests until two thirds of the certificate are over', () => {
    const step = next({ ...oneAuthority(), ...leaf(oldLeaf) }, START + DAY);
    expect(step.do).toBe('rest');
    const until = step.do === 'rest' ? step.until : 0;
    expect(until).toBeGreaterThan(START + 59 * DAY);
    expect(until).toBeLessThan(START + 61 * DAY);
    expect(next({ ...oneAuthority(), ...leaf(oldLeaf) }, START + 61 * DAY)).toMatchObject({ do: 'issue' });
  });
});

describe('a caBundle that somebody reset', () => {
  it('is published again before anything else', () => {
    const held = { ...NOTHING, ...oneAuthority(), ...leaf(oldLeaf) };
    const now = START + 61 * DAY;
    expect(nextStep({ held, publishedSince: undefined, now }, POLICY)).toEqual({ do: 'publish' });
  });
});

describe('a new authority', () => {
  it('is made at two thirds of the old one, which stays trusted', () => {
    const step = next({ ...oneAuthority(), ...leaf(oldLeaf) }, START + 250 * DAY);
    expect(step).toMatchObject({ do: 'create-authority', keep: old.certPem });
  });

  it('issues nothing before API servers had the time to read it', () => {
    const now = START + 11 * DAY;
    const held = { ...bothAuthorities(), ...leaf(oldLeaf) };
    expect(nextStep({ held: { ...NOTHING, ...held }, publishedSince: undefined, now }, POLICY)).toEqual({
      do: 'publish',
    });
    expect(next(held, now, now)).toEqual({ do: 'rest', until: now + POLICY.propagation });
    expect(next(held, now + POLICY.propagation, now)).toMatchObject({ do: 'issue' });
  });

  it('waits as well where the certificate is missing: somebody may serve one of the old authority', () => {
    const now = START + 11 * DAY;
    expect(next(bothAuthorities(), now, now)).toMatchObject({ do: 'rest' });
  });

  it('is alone again when the overlap after the swap is over', () => {
    const swapped = START + 10 * DAY;
    const held = { ...bothAuthorities(), ...leaf(newLeaf) };
    expect(next(held, swapped + 1_000)).toEqual({ do: 'rest', until: swapped + POLICY.overlap });
    expect(next(held, swapped + POLICY.overlap)).toEqual({ do: 'forget', authorities: newer.certPem });
  });

  it('is made where the key of the old one is lost or is another', () => {
    const held = { authorities: old.certPem, ...leaf(oldLeaf) };
    expect(next(held, START)).toMatchObject({ do: 'create-authority', keep: old.certPem });
    expect(next({ ...held, authorityKey: newer.keyPem }, START)).toMatchObject({ do: 'create-authority' });
  });

  it('does not keep one that has expired', () => {
    expect(next(oneAuthority(), START + 400 * DAY)).toMatchObject({ do: 'create-authority', keep: '' });
  });
});

describe('a certificate', () => {
  it.each([
    ['is missing', () => ({ leaf: '', leafKey: '' })],
    ['has no key', () => ({ ...leaf(oldLeaf), leafKey: '' })],
    ['has the key of another', () => ({ ...leaf(oldLeaf), leafKey: newLeaf.keyPem })],
    ['is of another authority', () => leaf(newLeaf)],
    ['cannot be read', () => ({ ...leaf(oldLeaf), leaf: 'nonsense' })],
  ])('is issued again where it %s', (_what, held) => {
    expect(next({ ...oneAuthority(), ...held() }, START)).toMatchObject({ do: 'issue' });
  });

  it('is issued again where the Service has another name', async () => {
    const named = await leafAt(old, START, ['other.floe-secrets-system.svc']);
    expect(next({ ...oneAuthority(), ...leaf(named) }, START)).toMatchObject({
      do: 'issue',
      why: 'it names other hosts',
    });
  });

  it('is valid for a clock that is behind, and trusted by its authority alone', () => {
    const certificate = new X509Certificate(oldLeaf.certPem);
    expect(certificate.checkHost(NAME)).toBe(NAME);
    expect(isTrusted(oldLeaf.certPem, old.certPem, START - HOUR / 2)).toBe(true);
    expect(isTrusted(oldLeaf.certPem, newer.certPem + old.certPem, START)).toBe(true);
    expect(isTrusted(oldLeaf.certPem, newer.certPem, START)).toBe(false);
    expect(isTrusted(oldLeaf.certPem, '', START)).toBe(false);
    expect(isTrusted(oldLeaf.certPem, old.certPem, START + 91 * DAY)).toBe(false);
    expect(isTrusted('', old.certPem, START)).toBe(false);
  });
});
