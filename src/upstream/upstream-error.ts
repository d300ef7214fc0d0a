/** Why a secret store gave nothing that can be used: a code for programs, a sentence for people, never a value or a URL. */

export const UPSTREAM_CODES = [
  'notConfigured',
  'unsupported',
  'invalid',
  'unauthorized',
  'expired',
  'locked',
  'forbidden',
  'projectNotFound',
  'environmentNotFound',
  'pathNotFound',
  'secretNotFound',
  'mountNotFound',
  'exists',
  'conflict',
  'hidden',
  'rateLimited',
  'sealed',
  'standby',
  'timeout',
  'unavailable',
] as const;

export type UpstreamCode = (typeof UPSTREAM_CODES)[number];

/** floe's exit codes: 2 usage, 4 permission, 8 network; everything else is 1. */
const EXIT_CODES: Partial<Record<UpstreamCode, number>> = {
  notConfigured: 2,
  unsupported: 2,
  unauthorized: 4,
  expired: 4,
  locked: 4,
  forbidden: 4,
  hidden: 4,
  rateLimited: 8,
  sealed: 8,
  standby: 8,
  timeout: 8,
  unavailable: 8,
};

/** What may be known besides the code. */
export interface UpstreamFacts {
  /** Of a rate limit: seconds until the store answers again, where it said so. */
  readonly retryAfterSeconds?: number;
}

export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly upstream: UpstreamCode;
  readonly exitCode: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: UpstreamCode, message: string, { retryAfterSeconds }: UpstreamFacts = {}) {
    super(message);
    this.upstream = code;
    this.exitCode = EXIT_CODES[code] ?? 1;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Whether the failure has one of these codes. */
export function isUpstream(error: unknown, ...codes: readonly UpstreamCode[]): error is UpstreamError {
  return error instanceof UpstreamError && codes.includes(error.upstream);
}

/** Nobody answered, so nothing is known of what was asked: the only failures that a fallback may stand in for. */
export function isUnreachable(error: unknown): boolean {
  return isUpstream(error, 'unavailable', 'timeout', 'sealed', 'standby', 'rateLimited');
}

const MAX_WORDS = 200;
// oxlint-disable-next-line no-control-regex -- the point is to find them
const CONTROL = /[\u0000-\u001F\u007F-\u009F]+/g;
const URLS = /\bhttps?:\/\/\S+/gi;

/** A store's own words, fit to be shown: one line, no addresses, not long. */
export function wordsOfStore(text: string): string {
  const words = text.replaceAll(CONTROL, ' ').replaceAll(URLS, '<address>').trim();
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS)}…` : words;
}
