/** Vault's HTTP API: its headers, its envelope, and what its refusals mean. */
import { asArray, asObject, get } from '../kube/json.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import type { Http, HttpAnswer } from './http.ts';
import type { UpstreamCode } from './upstream-error.ts';
import { UpstreamError, wordsOfStore } from './upstream-error.ts';

export interface VaultCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `/v1/`, each part encoded. */
  readonly path: string;
  readonly body?: Json;
  /** For messages: 'secret/floe/db'. */
  readonly where: string;
}

/** One call; gives the envelope. 404 is `secretNotFound` where it has no words, which is how Vault says it. */
export type VaultAsk = (call: VaultCall, token?: string) => Promise<JsonObject>;

export function vaultAsk(http: Http, namespace: string): VaultAsk {
  return async ({ method, path, body, where }, token) => {
    const answer = await http.ask({
      method,
      path: `/v1/${path}`,
      headers: {
        // Vault refuses requests without it where a proxy might have been tricked into sending them.
        'x-vault-request': 'true',
        ...(namespace === '' ? {} : { 'x-vault-namespace': namespace }),
        ...(token === undefined ? {} : { 'x-vault-token': token }),
      },
      ...(body === undefined ? {} : { body }),
    });
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw errorOfVault(answer, where);
  };
}

/** A path's parts, encoded: a part of it must not become a query or lead upwards. */
export function vaultPath(...parts: readonly string[]): string {
  const names = parts.flatMap((part) => part.split('/')).filter((name) => name !== '');
  const bad = names.find((name) => name === '.' || name === '..');
  if (bad !== undefined) throw new UpstreamError('invalid', `Vault: a path cannot have the part '${bad}'`);
  return names.map((name) => encodeURIComponent(name)).join('/');
}

interface Meaning {
  readonly code: UpstreamCode;
  readonly title: string;
  readonly advice: string;
}

type Rule = readonly [status: readonly number[], words: RegExp, meaning: Meaning];

const RULES: readonly Rule[] = [
  [[503], /sealed/i, { code: 'sealed', title: 'Vault is sealed', advice: 'unseal it' }],
  [
    [429, 472, 473, 500, 503],
    /standby|active (cluster )?node|not active/i,
    {
      code: 'standby',
      title: 'this Vault is a standby',
      advice: 'ask the active node, or the address of its Service',
    },
  ],
  [
    [400, 403],
    /invalid token|bad token|token (is )?expired|missing client token/i,
    { code: 'expired', title: 'the token is not valid any more', advice: '' },
  ],
  [
    [404],
    /no handler for route|unsupported path|route entry not found/i,
    { code: 'mountNotFound', title: 'no such mount', advice: 'check upstream.vault.mount and the namespace' },
  ],
  [
    [403],
    /preflight/i,
    {
      code: 'mountNotFound',
      title: 'no such mount, or no right to it',
      advice: "check upstream.vault.mount, the namespace and the token's policies",
    },
  ],
  [
    [400],
    /check-and-set/i,
    { code: 'conflict', title: 'somebody else wrote it meanwhile', advice: 'try again' },
  ],
  [
    [400, 403, 500],
    /role|jwt|service account|secret[_ ]id|lookup failed|namespace not authorized/i,
    {
      code: 'unauthorized',
      title: 'the login is refused',
      advice:
        'check the role, its bound service accounts and namespaces, and the auth mount; it is not tried again',
    },
  ],
  [[404], /^$/, { code: 'secretNotFound', title: 'there is nothing', advice: 'check the path' }],
];

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  403: { code: 'forbidden', title: 'permission denied', advice: "check the policies of the token's role" },
  404: { code: 'secretNotFound', title: 'there is nothing', advice: 'check the path' },
  412: { code: 'unavailable', title: 'this node is behind the one that was written to', advice: 'try again' },
};

function errorOfVault({ status, body, header }: HttpAnswer, where: string): UpstreamError {
  const words = asArray(get(body, 'errors'))
    .filter((one) => typeof one === 'string')
    .join('; ');
  const rule = RULES.find(([on, pattern]) => on.includes(status) && pattern.test(words))?.[2];
  const after = status === 429 && rule === undefined ? Number(header('retry-after') ?? '') : Number.NaN;
  const meaning = rule ?? (status === 429 ? rateLimited(after) : (BY_STATUS[status] ?? otherwise(status)));
  // What Vault quotes of a write that it does not understand may be a value.
  const quoted = status === 400 && rule === undefined ? '' : wordsOfStore(words);
  const said = [quoted === '' ? `HTTP ${status}` : quoted, meaning.advice]
    .filter((part) => part !== '')
    .join('; ');
  return new UpstreamError(
    meaning.code,
    `Vault, ${where}: ${meaning.title} (${said})`,
    Number.isNaN(after) || after === 0 ? {} : { retryAfterSeconds: after },
  );
}

function rateLimited(seconds: number): Meaning {
  const when = Number.isNaN(seconds) || seconds === 0 ? 'later' : `in ${seconds} s`;
  return { code: 'rateLimited', title: 'too many requests', advice: `try again ${when}` };
}

function otherwise(status: number): Meaning {
  return status >= 500
    ? { code: 'unavailable', title: 'the server failed', advice: '' }
    : { code: 'invalid', title: 'the request is refused', advice: '' };
}

/** `data` of an envelope. */
export function dataOf(envelope: JsonObject): JsonObject {
  return asObject(get(envelope, 'data'));
}
