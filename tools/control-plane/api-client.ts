import { Agent, request } from 'undici';

interface RequestOptions {
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface ApiResponse<T> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: T;
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/** The API server's refusal: HTTP status, Status.reason and Status.message. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;
  readonly body: unknown;

  constructor(what: string, response: ApiResponse<unknown>) {
    const { reason, message } = statusFields(response.body);
    super(
      `${what}: ${response.status} ${message ?? (typeof response.body === 'string' ? response.body : '')}`,
    );
    this.status = response.status;
    this.reason = reason ?? '';
    this.body = response.body;
  }
}

/** A thin client: paths and JSON in, JSON out. */
export interface ApiClient {
  /** The body of the answer; throws an ApiError for a status of 400 and above. */
  request<T = unknown>(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<T>;
  /** Status, headers and body, whatever the status. */
  send<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    options?: RequestOptions,
  ): Promise<ApiResponse<T>>;
  /** The events of a watch, until the server or the signal ends it. */
  watch<T = unknown>(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent<T>>;
  /** The same server with another bearer token; undefined is nobody. */
  as(token: string | undefined): ApiClient;
  close(): Promise<void>;
}

export interface Endpoint {
  readonly server: string;
  readonly ca: string;
  readonly token?: string | undefined;
  /** A client certificate, where a cluster gives no token. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export function makeApiClient(endpoint: Endpoint): ApiClient {
  const { ca, cert, key } = endpoint;
  const agent = new Agent({
    connect: { ca, ...(cert === undefined || key === undefined ? {} : { cert, key }) },
    // A watch is silent for minutes; undici would call that a stuck body.
    bodyTimeout: 0,
    headersTimeout: 60_000,
  });
  return clientOver(agent, endpoint.server, endpoint.token);
}

function clientOver(agent: Agent, server: string, token: string | undefined): ApiClient {
  const dispatch = async (method: string, path: string, body: unknown, options: RequestOptions) =>
    request(`${server}${path}`, {
      dispatcher: agent,
      method,
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': options.contentType ?? contentTypeOf(method) }),
        ...options.headers,
      },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  const send = async (method: string, path: string, body?: unknown, options: RequestOptions = {}) => {
    const answer = await dispatch(method, path, body, options);
    return { status: answer.statusCode, headers: answer.headers, body: parse(await answer.body.text()) };
  };
  return {
    send,
    request: async (method: string, path: string, body?: unknown, options?: RequestOptions) => {
      const response = await send(method, path, body, options);
      if (response.status >= 400) throw new ApiError(`${method} ${path}`, response);
      return response.body;
    },
    async *watch(path: string, signal: AbortSignal) {
      const answer = await dispatch('GET', path, undefined, { signal });
      if (answer.statusCode >= 400) {
        const body = parse(await answer.body.text());
        throw new ApiError(`GET ${path}`, { status: answer.statusCode, headers: answer.headers, body });
      }
      for await (const line of lines(answer.body)) yield parse(line);
    },
    as: (other) => clientOver(agent, server, other),
    close: () => agent.destroy(),
  };
}

/** PATCH means a merge patch unless a content type says otherwise. */
function contentTypeOf(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}

async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((part) => part !== '');
  }
}

/** JSON when it is JSON: /readyz and a proxy's errors are plain text. The caller knows what it asked for. */
function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function statusFields(body: unknown): { reason?: string; message?: string } {
  return typeof body === 'object' && body !== null ? body : {};
}
