/** Why the API server gave no answer that can be used: as data, without headers, bodies, addresses or tokens. */
import { asNumber, dig, get, isObject, text } from '../kube/json.ts';

/**
 * One failed call. `status` is the HTTP status, 0 where there was no answer; `reason` is Kubernetes' own
 * (`NotFound`, `Expired`) or the system's code (`ECONNREFUSED`); `message` is for people.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const MAX_MESSAGE = 300;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
const REASON = /^[A-Za-z]{1,64}$/;

/** A refused request's message may quote what was sent, and that may be the data of a Secret. */
const QUOTES_THE_REQUEST = new Set([400, 422]);

/** The error of an answer that is no success; of its body only a `Status` object's reason and message are read. */
export function errorOfAnswer(status: number, body: string): ApiError {
  return errorOfStatus(parsed(body), status);
}

/** The error that a `Status` object tells, as bodies and the `ERROR` events of a watch carry it. */
export function errorOfStatus(body: unknown, httpStatus?: number): ApiError {
  const isStatus = isObject(body) && text(body, 'kind') === 'Status';
  const status = httpStatus ?? asNumber(get(body, 'code')) ?? 0;
  const written = isStatus ? text(body, 'reason') : undefined;
  const reason = written !== undefined && REASON.test(written) ? written : `HTTP${status}`;
  const words = isStatus && !QUOTES_THE_REQUEST.has(status) ? text(body, 'message') : undefined;
  const message = (words ?? '').replaceAll(CONTROL, ' ').slice(0, MAX_MESSAGE);
  return new ApiError(status, reason, message === '' ? `HTTP ${status} ${reason}` : message);
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped midway',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be resolved',
  TimeoutError: 'no answer in time',
  AbortError: 'the call was given up',
};

/** The error of a call without an answer. The system's own text may hold addresses, so only its code is kept. */
export function errorOfFault(fault: unknown): ApiError {
  if (fault instanceof ApiError) return fault;
  const reason = codeOf(fault);
  return new ApiError(0, reason, WORDS[reason] ?? `the connection failed (${reason})`);
}

/** True where a kept connection died under the request: the same request may be sent again. */
export function isDeadConnection(error: ApiError): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(error.reason);
}

function codeOf(fault: unknown): string {
  if (!(fault instanceof Error)) return 'unknown';
  // undici wraps the reason of an aborted or failed connection; the innermost code says most.
  const code: unknown = dig(fault, 'code') ?? dig(fault.cause, 'code');
  if (typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) && code !== 'UND_ERR_ABORTED') return code;
  return fault.name === 'TimeoutError' || fault.name === 'AbortError' ? fault.name : 'unknown';
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
