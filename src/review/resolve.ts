/** The state of one Secret: its presence first, the sync resources' word second (contract, section 4). */
import type { State } from '../contract/reasons.ts';
import { formatDuration } from '../kube/duration.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { ReadFailure } from '../kube/world.ts';
import { reportOf, reportOfAbsent, titleOf } from './claim-words.ts';
import type { Claim, Claims } from './claims.ts';
import { ageOf, claimsOf, isUnhealthy, isUnwilling } from './claims.ts';
import type { Inquiry } from './inquiry.ts';
import { askSecret, wantAllKeys } from './inquiry.ts';

/** What is known of one Secret before anybody's keys, chain or `optional` is looked at. */
export interface Resolution {
  readonly secret: string;
  readonly state: Exclude<State, 'Optional' | 'KeysMissing' | 'Unmanaged'>;
  readonly record?: SecretRecord | undefined;
  readonly claims: Claims;
  readonly failure?: ReadFailure | undefined;
  /** Whether somebody's sync stands behind a Secret that is there; false is as good as nobody claiming it. */
  readonly claimed: boolean;
  /** One clause that says why the state is not Synced. */
  readonly why?: string | undefined;
  /** The claimant that decided. */
  readonly culprit?: Claim | undefined;
  /** The last good sync is older than the namespace allows. */
  readonly tooOld: boolean;
  /** Milliseconds since the epoch. */
  readonly lastSync?: number | undefined;
}

type Part = Pick<Resolution, 'state' | 'claimed'> & Partial<Pick<Resolution, 'why' | 'culprit' | 'tooOld'>>;

/** A sync that reports its times is old after three of its intervals and a minute. */
const OLD_INTERVALS = 3;
const OLD_SLACK = 60_000;

export function resolveSecret(inquiry: Inquiry, secret: string, maxSyncAge?: number): Resolution {
  const read = askSecret(inquiry, secret);
  const record = read.state === 'present' ? read.value : undefined;
  const claims = claimsOf(inquiry, secret, record);
  const failure = read.state === 'failed' ? read.failure : undefined;
  const part = failure === undefined ? stateOf(inquiry, claims, record, maxSyncAge) : UNKNOWN;
  const { state, claimed, why, culprit, tooOld = false } = part;
  const lastSync = newestSync(claims.trusted);
  return { secret, state, record, claims, failure, claimed, why, culprit, tooOld, lastSync };
}

const UNKNOWN: Part = { state: 'Unknown', claimed: false };

function stateOf(
  inquiry: Inquiry,
  claims: Claims,
  record: SecretRecord | undefined,
  maxSyncAge: number | undefined,
): Part {
  return record === undefined
    ? absentState(inquiry, claims)
    : presentState(inquiry, record, claims, maxSyncAge);
}

/** Rows 4 to 7. Where nobody of this namespace claims it, a stranger's words explain. */
function absentState(inquiry: Inquiry, claims: Claims): Part {
  const { settings, now, namespace } = inquiry;
  const grace = settings.config.sync.pendingGrace;
  const telling = claims.trusted.length > 0 ? claims.trusted : claims.foreign;
  const failing = telling.find((claim) => isUnwilling(claim) || isUnhealthy(claim, now, grace));
  if (failing !== undefined) {
    const silent = failing.health.verdict === 'none' && !isUnwilling(failing);
    const why = silent
      ? `${titleOf(failing, namespace)} has had no status for more than ${formatDuration(grace)}`
      : reportOfAbsent(failing, namespace);
    return { state: 'Failed', claimed: true, why, culprit: failing };
  }
  const young = telling.find((claim) => claim.health.generation === 'behind' || ageOf(claim, now) <= grace);
  if (young !== undefined) {
    return { state: 'Pending', claimed: true, why: reportOf(young, namespace), culprit: young };
  }
  const [gone] = telling;
  if (gone === undefined) return { state: 'Missing', claimed: false };
  const why = `${reportOf(gone, namespace)}, but the Secret is not there`;
  return { state: 'Gone', claimed: true, why, culprit: gone };
}

/** Rows 8 and 10 to 14; keys and chains are the references' affair. */
function presentState(
  inquiry: Inquiry,
  record: SecretRecord,
  claims: Claims,
  maxSyncAge: number | undefined,
): Part {
  const { trusted, foreign } = claims;
  if (claims.marked !== undefined && record.keys.length > 0) return { state: 'Synced', claimed: true };
  if (trusted.length === 0 && claims.marked === undefined) {
    const marked =
      foreign.length === 0 && claims.unreadable === undefined ? inquiry.settings.markOf(record) : undefined;
    if (marked === undefined) return { state: 'Synced', claimed: false };
    const why = `it was written by the ${marked.id} operator, and no sync resource targets it any more`;
    return { state: 'Stale', claimed: true, why };
  }
  if (record.keys.length === 0) {
    if (!record.keysComplete) wantAllKeys(inquiry, record.name);
    const culprit = trusted[0];
    const reported = culprit === undefined ? '' : `${reportOf(culprit, inquiry.namespace)}, but `;
    return { state: 'Empty', claimed: true, why: `${reported}the Secret has no keys`, culprit };
  }
  return presentAndClaimed(inquiry, record, trusted, maxSyncAge);
}

function presentAndClaimed(
  inquiry: Inquiry,
  record: SecretRecord,
  trusted: readonly Claim[],
  maxSyncAge: number | undefined,
): Part {
  const { settings, now, namespace } = inquiry;
  const unhealthy = trusted.filter(
    (claim) => isUnhealthy(claim, now, settings.config.sync.pendingGrace) && !isSilentByChoice(claim, record),
  );
  const [worst] = unhealthy;
  const written = trusted.some((claim) => claim.health.everSynced || isMarked(claim, record));
  if (worst !== undefined && unhealthy.length === trusted.length && !written) {
    return { state: 'Synced', claimed: false, why: reportOf(worst, namespace), culprit: worst };
  }
  const old = trusted.find((claim) => isOlderThan(claim, now, maxSyncAge));
  if (old !== undefined) {
    const title = titleOf(old, namespace);
    const why = `the last good sync by ${title} is older than ${formatDuration(maxSyncAge ?? 0)}`;
    return { state: 'Stale', claimed: true, tooOld: true, why, culprit: old };
  }
  if (worst !== undefined)
    return { state: 'Stale', claimed: true, why: reportOf(worst, namespace), culprit: worst };
  const expired = trusted.find(({ health }) => health.expiresAt !== undefined && health.expiresAt <= now);
  if (expired !== undefined) {
    const why = `the lease of ${titleOf(expired, namespace)} has expired`;
    return { state: 'Stale', claimed: true, tooOld: maxSyncAge !== undefined, why, culprit: expired };
  }
  const late = trusted.find((claim) => claim.health.generation === 'behind' || isLate(claim, now));
  if (late !== undefined) {
    const behind = late.health.generation === 'behind';
    const why = behind
      ? reportOf(late, namespace)
      : `${titleOf(late, namespace)} has missed its refresh ${OLD_INTERVALS} times`;
    return { state: 'Stale', claimed: true, why, culprit: late };
  }
  return { state: 'Synced', claimed: true };
}

function isMarked({ plugins }: Claim, record: SecretRecord): boolean {
  return plugins.some((plugin) => plugin.marks(record));
}

/** No status, of an operator that may write none, and yet it wrote the Secret. */
function isSilentByChoice(claim: Claim, record: SecretRecord): boolean {
  return claim.kind.mayBeSilent === true && claim.health.verdict === 'none' && isMarked(claim, record);
}

/**
 * The time that the operator reports; else, while its condition is False, that condition's last transition.
 * Undefined is "not known", which is never too old.
 */
export function lastGoodSync(claim: Claim): number | undefined {
  const { health } = claim;
  return health.lastSync ?? (health.verdict === 'failing' ? health.failingSince : undefined);
}

function isOlderThan(claim: Claim, now: number, maxAge: number | undefined): boolean {
  const last = lastGoodSync(claim);
  return maxAge !== undefined && !claim.health.neverOld && last !== undefined && now - last > maxAge;
}

function isLate(claim: Claim, now: number): boolean {
  const { lastSync, interval, neverOld } = claim.health;
  if (lastSync === undefined || interval === undefined || neverOld) return false;
  return now - lastSync > OLD_INTERVALS * interval + OLD_SLACK;
}

function newestSync(claims: readonly Claim[]): number | undefined {
  let newest: number | undefined;
  for (const claim of claims) {
    const time = lastGoodSync(claim);
    if (time !== undefined && (newest === undefined || time > newest)) newest = time;
  }
  return newest;
}
