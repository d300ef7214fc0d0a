/** How the sync of a Secret stands, by its sync resources alone: no Secret is read for it. */
import { reportOf } from './claim-words.ts';
import type { Claim } from './claims.ts';
import { claimsOf, isUnhealthy, pluginOf } from './claims.ts';
import type { Inquiry } from './inquiry.ts';
import { lastGoodSync } from './resolve.ts';

export interface SyncState {
  readonly secret: string;
  /** `unclaimed`: nothing that counts targets it. */
  readonly health: 'good' | 'failing' | 'unclaimed';
  readonly plugin: string;
  /** Why it fails, in its operator's cleaned words. */
  readonly why?: string;
  /** Milliseconds since the epoch, where one is known. */
  readonly lastSync?: number;
}

export function syncStateOf(inquiry: Inquiry, secret: string): SyncState {
  const { trusted } = claimsOf(inquiry, secret);
  const [first] = trusted;
  if (first === undefined) return { secret, health: 'unclaimed', plugin: '' };
  const bad = trusted.find((claim) => isBad(claim, inquiry));
  const times = trusted.map(lastGoodSync).filter((time) => time !== undefined);
  return {
    secret,
    health: bad === undefined ? 'good' : 'failing',
    plugin: pluginOf(bad ?? first)?.id ?? '',
    ...(bad === undefined ? {} : { why: reportOf(bad, inquiry.namespace) }),
    ...(times.length === 0 ? {} : { lastSync: Math.max(...times) }),
  };
}

function isBad(claim: Claim, { settings, now }: Inquiry): boolean {
  const { verdict } = claim.health;
  return verdict === 'failing' || isUnhealthy(claim, now, settings.config.sync.pendingGrace);
}
