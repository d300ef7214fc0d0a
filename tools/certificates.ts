// Certificates for tests, the demo and control planes: an authority in memory, validity in days.
import type { KeyPair, LeafRequest, Period } from '../src/cluster/certificate-issuer.ts';
import { createAuthority, createSigningKey, issueLeaf } from '../src/cluster/certificate-issuer.ts';

export type { KeyPair } from '../src/cluster/certificate-issuer.ts';
export const makeSigningKey = createSigningKey;

export interface Authority extends KeyPair {
  issue(request: Omit<LeafRequest, 'period'> & { readonly days?: number }): Promise<KeyPair>;
}

const DAY = 86_400_000;
// Clocks of a container and its host differ by seconds; a certificate from the future is refused.
const BACKDATE = 60_000;

/** A certificate authority of one's own, whose key lives in memory as long as the caller keeps it. */
export async function makeAuthority(name: string, days = 30): Promise<Authority> {
  const pair = await createAuthority(name, period(days));
  return {
    ...pair,
    issue: ({ days: leafDays = 30, ...request }) => issueLeaf(pair, { ...request, period: period(leafDays) }),
  };
}

function period(days: number): Period {
  const now = Date.now();
  return { notBefore: now - BACKDATE, notAfter: now + days * DAY };
}
