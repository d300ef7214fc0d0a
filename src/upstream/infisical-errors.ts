/**
 * What Infisical's answers mean. The SDK gives a text alone, with the whole URL in it; servers of 2024 and of today
 * answer the same mistake with different statuses, so words decide before the status does.
 */
import type { UpstreamCode } from './upstream-error.ts';
import { UpstreamError, wordsOfStore } from './upstream-error.ts';

export interface Refusal {
  readonly status: number;
  /** The server's own; '' where it gave none that the SDK hands on. */
  readonly words: string;
}

interface Meaning {
  readonly code: UpstreamCode;
  /** What a person should know or do; the server's words stand before it where `quotes` is not false. */
  readonly advice: string;
  readonly quotes?: false;
}

type Rule = readonly [status: readonly number[], words: RegExp, meaning: Meaning];

const LOGIN_AGAIN: Meaning = { code: 'expired', advice: '' };

/** The first that fits is what it means. */
const RULES: readonly Rule[] = [
  [
    [401, 403],
    /temporarily locked/i,
    {
      code: 'locked',
      advice:
        'too many failed logins locked this identity, for the operator too; mend the credentials and wait for the lockout to end',
    },
  ],
  [
    [401, 403, 404],
    /invalid credentials|no identity with|expired client secret|usage limit|client ?id|access denied due to/i,
    {
      code: 'unauthorized',
      advice: 'check the client id and secret, or the identity id; they are not tried again',
    },
  ],
  [[401, 403], /^(?!.*not allowed).*(token|signature|jwt)/i, LOGIN_AGAIN],
  [
    [403],
    /expand/i,
    { code: 'forbidden', advice: 'a secret refers to another one that this identity may not read' },
  ],
  [[400, 404], /folder already exist/i, { code: 'exists', advice: '' }],
  [[404], /^environment\b/i, { code: 'environmentNotFound', advice: 'check the slug of the environment' }],
  [[404], /^folder\b/i, { code: 'pathNotFound', advice: 'check the environment and the path' }],
  [
    [404, 500],
    /project/i,
    {
      code: 'projectNotFound',
      advice: 'check the slug or id of the project, and that the identity is a member of it',
    },
  ],
  [[404], /secret/i, { code: 'secretNotFound', advice: 'check its name; names are case-sensitive' }],
  [
    [404],
    /route/i,
    {
      code: 'invalid',
      advice: 'the address is no Infisical; give it without /api at its end',
      quotes: false,
    },
  ],
  [[400, 409], /already exist/i, { code: 'exists', advice: '', quotes: false }],
];

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  // A refusal of a login has words; without them it is what servers of 2024 say to what does not fit their schema.
  401: { code: 'invalid', advice: 'what was asked does not fit the schema of this server', quotes: false },
  403: { code: 'forbidden', advice: "check the identity's role in the project" },
  404: { code: 'invalid', advice: 'there is nothing at this address', quotes: false },
  408: { code: 'timeout', advice: '' },
};

/** The failure of a call that Infisical answered. `where` is the place that was asked for. */
export function errorOfRefusal({ status, words }: Refusal, where: string): UpstreamError {
  if (status === 429) return rateLimited(words);
  const meaning =
    RULES.find(([on, pattern]) => on.includes(status) && pattern.test(words))?.[2] ?? otherwise(status);
  const quoted = meaning.quotes === false || words === '' ? '' : wordsOfStore(words);
  const said = [quoted, meaning.advice].filter((part) => part !== '').join('; ');
  return new UpstreamError(
    meaning.code,
    `Infisical, ${where}: ${TITLES[meaning.code] ?? 'refused'} (${said === '' ? `HTTP ${status}` : said})`,
  );
}

const TITLES: Partial<Record<UpstreamCode, string>> = {
  locked: 'the identity is locked',
  unauthorized: 'the credentials are refused',
  expired: 'the token is not valid any more',
  forbidden: 'not allowed',
  projectNotFound: 'no such project',
  environmentNotFound: 'no such environment',
  pathNotFound: 'no such path',
  secretNotFound: 'no such secret',
  exists: 'it exists already',
  invalid: 'the request is not understood',
  unavailable: 'the server failed',
  timeout: 'no answer in time',
};

function otherwise(status: number): Meaning {
  // What the server quotes of a request that it does not understand may be a value.
  if (status >= 500) return { code: 'unavailable', advice: `HTTP ${status}`, quotes: false };
  return BY_STATUS[status] ?? { code: 'invalid', advice: `HTTP ${status}`, quotes: false };
}

function rateLimited(words: string): UpstreamError {
  const [, count, unit] = /in (\d+) (second|minute)/i.exec(words) ?? [];
  const seconds =
    count === undefined ? undefined : Number(count) * (unit?.toLowerCase() === 'minute' ? 60 : 1);
  const when = seconds === undefined ? 'later' : `in ${seconds} s`;
  return new UpstreamError(
    'rateLimited',
    `Infisical limits the requests of this address; try again ${when} (the operator behind the same address shares the limit)`,
    seconds === undefined ? {} : { retryAfterSeconds: seconds },
  );
}

const REQUEST_ERROR = /^\[URL=[^\]]*\] \[Method=[A-Z]*\] \[StatusCode=(\d+)\] ([^]*)$/;
const BARE_STATUS = /^Request failed with status (\d+)$/;

/** The failure of a call of the SDK, which throws texts. */
export function errorOfSdk(fault: unknown, where: string): UpstreamError {
  if (fault instanceof UpstreamError) return fault;
  const message = fault instanceof Error ? fault.message : '';
  const [, status, words = ''] = REQUEST_ERROR.exec(message) ?? BARE_STATUS.exec(message) ?? [];
  if (status !== undefined) return errorOfRefusal({ status: Number(status), words }, where);
  if (/aborted/i.test(message)) return new UpstreamError('timeout', `Infisical, ${where}: no answer in time`);
  return new UpstreamError(
    'unavailable',
    `Infisical cannot be reached, ${where}: the connection failed; check the address, its certificate and the network`,
  );
}
