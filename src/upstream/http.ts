/** JSON over HTTP under one time limit, its answer's body included: for what no library does for us. */
import { Agent } from 'undici';
import type { Json, JsonObject } from '../kube/json.ts';
import { asObject } from '../kube/json.ts';
import type { TimeLimit } from './time-limit.ts';
import { UpstreamError } from './upstream-error.ts';

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** From the host on, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json;
}

export interface HttpAnswer {
  readonly status: number;
  /** Empty where the answer is no JSON object. */
  readonly body: JsonObject;
  /** By lower-case name. */
  header(name: string): string | undefined;
}

export interface Http {
  ask(call: HttpCall): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export interface HttpOptions extends TimeLimit {
  /** For messages: 'Vault'. */
  readonly who: string;
  /** Scheme, host and port, and what stands before every path. */
  readonly base: string;
  /** PEM of the CA that signs the server's certificate, in place of the system's. */
  readonly ca?: string | undefined;
}

/** An answer of a store is never longer; a stranger's may be. */
const MAX_ANSWER = 16 * 1024 * 1024;

export function createHttp(options: HttpOptions): Http {
  const agent = new Agent({
    allowH2: false,
    maxResponseSize: MAX_ANSWER,
    connect: { timeout: 5_000, ...(options.ca === undefined ? {} : { ca: options.ca }) },
  });
  return {
    ask: async (call) => exchange(agent, options, call),
    close: async () => agent.destroy(),
  };
}

async function exchange(agent: Agent, options: HttpOptions, call: HttpCall): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(options.milliseconds);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  try {
    const { statusCode, headers, body } = await agent.request({
      origin: new URL(options.base).origin,
      path: new URL(options.base).pathname.replace(/\/+$/, '') + call.path,
      method: call.method,
      headers: {
        accept: 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal,
    });
    const content = parsed(await body.text());
    return {
      status: statusCode,
      body: content,
      header: (name) => {
        const value = headers[name];
        return Array.isArray(value) ? value[0] : value;
      },
    };
  } catch (fault) {
    throw errorOf(fault, options);
  }
}

function parsed(content: string): JsonObject {
  try {
    return asObject(JSON.parse(content));
  } catch {
    return {};
  }
}

/** The system's own words may hold addresses, so only its code is kept. */
function errorOf(fault: unknown, { who, milliseconds, signal }: HttpOptions): UpstreamError {
  const { name, code, cause } = fault as { name?: unknown; code?: unknown; cause?: { code?: unknown } };
  if (signal?.aborted === true) return new UpstreamError('timeout', `${who}: the call was given up`);
  const late = ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT'];
  if (name === 'TimeoutError' || late.includes(String(code))) {
    return new UpstreamError('timeout', `${who} did not answer within ${Math.round(milliseconds / 1000)} s`);
  }
  const codes = [code, cause?.code].filter((one) => typeof one === 'string');
  const reason = codes.find((one) => /^[A-Z_0-9]{1,64}$/.test(one)) ?? 'the connection failed';
  return new UpstreamError(
    'unavailable',
    `${who} cannot be reached (${reason}); check its address and the network`,
  );
}
