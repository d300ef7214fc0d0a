/**
 * What the holder of the Lease has to do next for the webhook's certificates: decided from the Secret's content, the
 * live caBundles and the time alone, so that a leader that is lost in the middle leaves nothing to guess.
 *
 * A new authority is trusted by every caBundle before a certificate of it is served, and an old one stays trusted
 * until nobody can be serving a certificate of it any more.
 */
import type { X509Certificate } from 'node:crypto';
import { createPrivateKey } from 'node:crypto';
import { certificatesIn, isIssuedBy, isValidAt, readCertificate } from './certificate-chain.ts';

/** The Secret's entries as text; '' where one is not there. */
export interface CertificateData {
  /** Every authority that is to be trusted, the issuing one first. */
  readonly authorities: string;
  /** The key of the first authority. */
  readonly authorityKey: string;
  readonly leaf: string;
  readonly leafKey: string;
}

/** Milliseconds. */
export interface CertificatePolicy {
  readonly caValidity: number;
  readonly leafValidity: number;
  /** How long an old authority stays trusted after its last certificate was replaced. */
  readonly overlap: number;
  /** How long API servers may take to read a changed caBundle. */
  readonly propagation: number;
  /** The names that the API server calls the webhook by. */
  readonly names: readonly string[];
}

export interface Situation {
  readonly held: CertificateData;
  /** Since when every caBundle of ours has been exactly `held.authorities`; undefined where one is not. */
  readonly publishedSince: number | undefined;
  readonly now: number;
}

export type Step =
  | { readonly do: 'create-authority'; readonly why: string; readonly keep: string }
  | { readonly do: 'publish' }
  | { readonly do: 'issue'; readonly why: string }
  | { readonly do: 'forget'; readonly authorities: string }
  | { readonly do: 'rest'; readonly until: number };

/** Certificates are valid from this long before they are made: clocks differ. */
export const BACKDATE = 3_600_000;
/** A certificate is replaced when this share of its life is over. */
const RENEW_AT = 2 / 3;

export function nextStep({ held, publishedSince, now }: Situation, policy: CertificatePolicy): Step {
  const authorities = certificatesIn(held.authorities).filter((one) => isValidAt(one, now));
  const [issuing, ...old] = authorities;
  const whyAuthority = whyNewAuthority(held, issuing, now);
  if (issuing === undefined || whyAuthority !== undefined) {
    return { do: 'create-authority', why: whyAuthority ?? 'there is none', keep: pems(authorities) };
  }
  if (publishedSince === undefined) return { do: 'publish' };

  const leaf = usableLeaf(held);
  const whyLeaf = whyNewLeaf(leaf, issuing, { now, policy });
  if (whyLeaf !== undefined) {
    const settled = publishedSince + policy.propagation;
    // With an old authority around, somebody may be serving a certificate of it.
    return old.length > 0 && now < settled ? { do: 'rest', until: settled } : { do: 'issue', why: whyLeaf };
  }
  const forgotten = validFrom(leaf!) + BACKDATE + policy.overlap;
  if (old.length > 0 && now >= forgotten) return { do: 'forget', authorities: pems([issuing]) };
  const dates = [renewalOf(issuing), renewalOf(leaf!), ...(old.length > 0 ? [forgotten] : [])];
  return { do: 'rest', until: Math.min(...dates) };
}

/** When a certificate is to be replaced. */
export function renewalOf(certificate: X509Certificate): number {
  const from = validFrom(certificate);
  return from + (certificate.validToDate.getTime() - from) * RENEW_AT;
}

function whyNewAuthority(
  held: CertificateData,
  issuing: X509Certificate | undefined,
  now: number,
): string | undefined {
  if (issuing === undefined) return 'there is no authority that is valid now';
  if (!isKeyOf(issuing, held.authorityKey)) return "the authority's key is missing, or another's";
  return now >= renewalOf(issuing) ? `the authority expires at ${issuing.validTo}` : undefined;
}

function whyNewLeaf(
  leaf: X509Certificate | undefined,
  issuing: X509Certificate,
  { now, policy }: { readonly now: number; readonly policy: CertificatePolicy },
): string | undefined {
  if (leaf === undefined) return 'there is no certificate that can be used';
  if (!isIssuedBy(leaf, issuing)) return 'the authority is a new one';
  if (policy.names.some((name) => leaf.checkHost(name) === undefined)) return 'it names other hosts';
  return now >= renewalOf(leaf) ? `the certificate expires at ${leaf.validTo}` : undefined;
}

function usableLeaf({ leaf, leafKey }: CertificateData): X509Certificate | undefined {
  const certificate = readCertificate(leaf);
  return certificate !== undefined && isKeyOf(certificate, leafKey) ? certificate : undefined;
}

function isKeyOf(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function validFrom(certificate: X509Certificate): number {
  return certificate.validFromDate.getTime();
}

function pems(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}
