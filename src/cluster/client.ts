/**
 * A thin client of the Kubernetes API on one keep-alive agent. It knows paths and JSON, no kinds; every failure is
 * an ApiError.
 */
import type { Dispatcher } from 'undici';
import { PROGRAM } from '../contract/keys.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, get, text } from '../kube/json.ts';
import { createAgents } from './agents.ts';
import { ApiError, errorOfAnswer, errorOfFault, isDeadConnection } from './api-error.ts';
import type { Credentials } from './credentials.ts';
import { jsonLines, parseObject } from './json-lines.ts';
import { createServerClock } from './server-clock.ts';

export interface Call {
  /** Default `application/json`. */
  readonly accept?: string;
  /** Of a body; default `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** For the whole call, its answer included; default 30 s, or where there is a signal as long as that lasts. */
  readonly timeoutMs?: number;
}

export interface WatchCall {
  readonly accept?: string;
  readonly signal: AbortSignal;
  /** A stream that is silent for this long is given up as half-open. */
  readonly idleMs: number;
}

/** A part of a list; all parts are of one `resourceVersion`. */
export interface Page {
  readonly items: readonly Json[];
  readonly resourceVersion: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Client {
  /** The namespace of the kubeconfig's context, or of this pod. */
  readonly namespace: string;
  /** Whether it is this pod's service account that asks. */
  readonly inPod: boolean;
  /** Where it is asked, 'https://10.0.0.1:443': for whoever gave the kubeconfig, not for what others read. */
  address(): Promise<string>;
  /** What time it is on the API server: milliseconds since the epoch. */
  serverTime(): number;
  get(path: string, call?: Call): Promise<JsonObject>;
  /** All of a collection in pages of 500. */
  list(path: string, call?: Call): AsyncGenerator<Page, void>;
  post(path: string, body: Json, call?: Call): Promise<JsonObject>;
  send(method: Method, path: string, body: Json | undefined, call?: Call): Promise<JsonObject>;
  /** Resolves once the server has accepted the watch; the stream ends as the server ends it. */
  watch(path: string, call: WatchCall): Promise<AsyncIterable<JsonObject>>;
  close(): Promise<void>;
}

const TIMEOUT = 30_000;
const PAGE_SIZE = 500;

/** Who asks, as far as the client only hands it on. */
export type Asker = Pick<Client, 'namespace' | 'inPod'>;

/** A client that asks `credentials` before each call. */
export function createClient(
  credentials: Credentials,
  { namespace, inPod }: Asker = { namespace: 'default', inPod: false },
): Client {
  const agents = createAgents();
  const clock = createServerClock();
  const ask = async (request: Outgoing): Promise<Dispatcher.ResponseData> => {
    const answer = await dispatch(credentials, agents.of, request);
    clock.heard(answer.headers['date']);
    return answer;
  };
  const send: Client['send'] = async (method, path, body, call = {}) =>
    exchange(ask, { method, path, body, call });
  return {
    namespace,
    inPod,
    address: async () => (await credentials.current()).origin,
    serverTime: clock.now,
    send,
    get: async (path, call) => send('GET', path, undefined, call),
    post: async (path, body, call) => send('POST', path, body, call),
    list: (path, call) => pages(send, path, call),
    watch: async (path, call) => openWatch(ask, path, call),
    close: agents.close,
  };
}

interface Outgoing {
  readonly method: Method;
  readonly path: string;
  readonly body?: Json | undefined;
  readonly call: Pick<Call, 'accept' | 'contentType'>;
  readonly signal: AbortSignal;
  /** Longest silence within the answer; default the agent's. */
  readonly bodyTimeout?: number;
}

type Ask = (request: Outgoing) => Promise<Dispatcher.ResponseData>;

/** One request; once more with new credentials where the server answers 401. */
async function dispatch(
  credentials: Credentials,
  agentOf: ReturnType<typeof createAgents>['of'],
  request: Outgoing,
): Promise<Dispatcher.ResponseData> {
  for (let attempt = 1; ; attempt += 1) {
    const endpoint = await credentials.current(attempt > 1);
    const answer = await agentOf(endpoint).request({
      origin: endpoint.origin,
      path: endpoint.basePath + request.path,
      method: request.method,
      headers: { ...headersOf(request), ...endpoint.headers },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      ...(request.bodyTimeout === undefined ? {} : { bodyTimeout: request.bodyTimeout }),
      signal: request.signal,
    });
    if (answer.statusCode !== 401 || attempt > 1) return answer;
    await answer.body.dump();
  }
}

function headersOf({ call, body }: Outgoing): Record<string, string> {
  return {
    accept: call.accept ?? 'application/json',
    'user-agent': PROGRAM,
    ...(body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
  };
}

interface Exchange extends Omit<Outgoing, 'call' | 'signal'> {
  readonly call: Call;
}

/** Request and whole answer within the call's time; a read whose kept connection had died is sent again. */
async function exchange(ask: Ask, request: Exchange): Promise<JsonObject> {
  const signal = signalOf(request.call);
  try {
    return await answerOf(ask, { ...request, signal });
  } catch (error) {
    const again = error instanceof ApiError && request.method === 'GET' && isDeadConnection(error);
    if (!again || signal.aborted) throw error;
    return answerOf(ask, { ...request, signal });
  }
}

function signalOf({ signal, timeoutMs }: Call): AbortSignal {
  if (signal !== undefined && timeoutMs === undefined) return signal;
  const timeout = AbortSignal.timeout(timeoutMs ?? TIMEOUT);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

async function answerOf(ask: Ask, request: Outgoing): Promise<JsonObject> {
  const { statusCode, content } = await contentOf(ask, request);
  if (statusCode < 200 || statusCode > 299) throw errorOfAnswer(statusCode, content);
  return parseObject(content);
}

async function contentOf(ask: Ask, request: Outgoing): Promise<{ statusCode: number; content: string }> {
  try {
    const answer = await ask(request);
    return { statusCode: answer.statusCode, content: await answer.body.text() };
  } catch (fault) {
    throw errorOfFault(request.signal.aborted ? request.signal.reason : fault);
  }
}

async function* pages(send: Client['send'], path: string, call: Call = {}): AsyncGenerator<Page, void> {
  let token = '';
  do {
    const query = token === '' ? '' : `&continue=${encodeURIComponent(token)}`;
    const page = await send(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}limit=${PAGE_SIZE}${query}`,
      undefined,
      call,
    );
    const metadata = get(page, 'metadata');
    token = text(metadata, 'continue') ?? '';
    yield { items: asArray(get(page, 'items')), resourceVersion: text(metadata, 'resourceVersion') ?? '' };
  } while (token !== '');
}

async function openWatch(ask: Ask, path: string, call: WatchCall): Promise<AsyncIterable<JsonObject>> {
  const request = { method: 'GET', path, call, signal: call.signal, bodyTimeout: call.idleMs } as const;
  try {
    const answer = await ask(request);
    if (answer.statusCode !== 200) throw errorOfAnswer(answer.statusCode, await answer.body.text());
    return jsonLines(withoutFaults(answer.body));
  } catch (fault) {
    throw errorOfFault(fault);
  }
}

async function* withoutFaults(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* chunks;
  } catch (fault) {
    throw errorOfFault(fault);
  }
}
