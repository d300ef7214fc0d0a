/**
 * The webhook's door: AdmissionReview v1 in, AdmissionReview v1 out. It stands on node:https itself: three routes need
 * no framework, and between two events of a socket every layer costs several times what it costs in a row.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { Decision } from '../review/decision.ts';
import type { Request } from '../review/request.ts';
import { BadReview, readRequest } from '../review/request.ts';
import { answerTo, respondBriefly, respondFault } from '../review/response.ts';
import type { Audit } from './audit.ts';
import type { Intake, IntakeOptions } from './intake.ts';
import { createIntake } from './intake.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { MayTell } from './refusals.ts';
import { reachedAnswer } from './reachable.ts';
import type { ReviewSpan, TraceReview } from './review-span.ts';
import type { Route } from './routes.ts';
import { createRoutes } from './routes.ts';

export interface AppParts {
  /** Certificate, key and, for callers that must show one, their CA. */
  readonly tls: SecureContextOptions & { readonly requestCert?: boolean };
  /** Judges a request, within so many milliseconds. */
  readonly admit: (request: Request, timeoutMs: number, span?: ReviewSpan) => Decision | Promise<Decision>;
  /** Where reviews are traced. */
  readonly trace?: TraceReview | undefined;
  readonly pressure?: IntakeOptions['pressure'];
  readonly overloaded?: IntakeOptions['overloaded'];
  readonly audit: Audit;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Whether a source may be told why it is refused; default always. */
  readonly mayTell?: MayTell;
  /** While true, every answer asks its client to come back on another connection. */
  readonly draining: () => boolean;
}

/** The webhook, before it listens; `server.setSecureContext` swaps its certificate. */
export interface WebhookApp {
  readonly server: Server;
  listen(place: { readonly port: number; readonly host: string }): Promise<unknown>;
  /** Accepts no more connections; resolves when the last one has ended. */
  close(): Promise<void>;
}

/**
 * The API server takes 3 MiB and keeps 1.5, but as protobuf: as JSON and with its defaults the same pod is up to seven
 * times as long. One that is kept must not be too long to be judged.
 */
const BODY_LIMIT = 16 * 1024 * 1024;
/**
 * Longer than the 90 s after which the API server drops an idle connection itself: Go does not send a POST again
 * that met a closing connection, so a server that closes first fails a review.
 */
const KEEP_ALIVE = 120_000;
/** A request that trickles in is given up. */
const REQUEST_TIMEOUT = 15_000;
const HANDSHAKE_TIMEOUT = 10_000;

const JSON_TYPE = 'application/json; charset=utf-8';

/** Builds the HTTPS app. It listens when told to. */
export function createApp(parts: AppParts): WebhookApp {
  let closing = false;
  const door: Parts = {
    ...parts,
    leaving: () => closing || parts.draining(),
    routeOf: createRoutes(),
    intake: createIntake({ ...parts, bodyLimit: BODY_LIMIT }),
  };
  const server = createServer(
    {
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      keepAliveTimeout: KEEP_ALIVE,
      requestTimeout: REQUEST_TIMEOUT,
      ...parts.tls,
    },
    (message, response) => receive(door, message, response),
  );
  return {
    server,
    listen: async ({ port, host }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve(undefined);
        });
      }),
    close: async () => {
      closing = true;
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

interface Parts extends AppParts {
  /** Whether connections are to end with their next answer. */
  readonly leaving: () => boolean;
  readonly routeOf: (url: string) => Route | undefined;
  readonly intake: Intake;
}

/** Nothing but a POST of JSON to one of the doors is read. */
function receive(parts: Parts, message: IncomingMessage, response: ServerResponse): void {
  const route = parts.routeOf(message.url ?? '');
  if (route === undefined) return refuse(parts, response, 404, 'nothing is at this path');
  if (message.method !== 'POST') return refuse(parts, response, 405, 'an AdmissionReview is posted');
  if (!isJson(message.headers['content-type'])) {
    return refuse(parts, response, 415, 'the body must be of type application/json');
  }
  parts.intake.take({ message, response, timeoutMs: route.timeoutMs }, (body, lateMs) => {
    if (body === undefined) refuse(parts, response, 413, `the body is longer than ${BODY_LIMIT} bytes`);
    else answer(parts, lateMs === 0 ? route : hurried(route, lateMs), body, response);
  });
}

/** What is left of the time of a request that has waited for its turn. */
function hurried(route: Route, lateMs: number): Route {
  return { ...route, timeoutMs: Math.max(1, route.timeoutMs - lateMs) };
}

function isJson(type: string | undefined): boolean {
  return type === 'application/json' || /^application\/json\s*(?:;|$)/i.test(type ?? '');
}

function answer(parts: Parts, { to, timeoutMs }: Route, body: Buffer, response: ServerResponse): void {
  let review: Request;
  try {
    const json = parsed(body);
    if (to === 'reachable') return send(parts, response, 200, JSON.stringify(reachedAnswer(json)));
    review = readRequest(to, json);
  } catch (error) {
    return refuseUnread(parts, response, error);
  }
  judge(parts, review, timeoutMs, response);
}

/** One request on its way to an answer. */
interface Asked {
  readonly parts: Parts;
  readonly review: Request;
  readonly response: ServerResponse;
  /** When its review began, on the monotonic clock. */
  readonly started: number;
  /** Where it is traced. */
  readonly span: ReviewSpan | undefined;
}

/** Most decisions need no waiting; those are answered without a promise on their way. */
function judge(parts: Parts, review: Request, timeoutMs: number, response: ServerResponse): void {
  const started = performance.now();
  const span = parts.trace?.(review, response.req.headers);
  const asked: Asked = { parts, review, response, started, span };
  try {
    const decision = parts.admit(review, timeoutMs, span);
    if (decision instanceof Promise) tellLater(asked, decision);
    else tell(asked, decision);
  } catch (error) {
    tellFault(asked, error);
  }
}

function tellLater(asked: Asked, decision: Promise<Decision>): void {
  decision.then((made) => tell(asked, made)).catch((error: unknown) => tellFault(asked, error));
}

function tell(asked: Asked, decision: Decision): void {
  const { parts, review, response } = asked;
  const body = answerTo(review, decision);
  record(asked, decision);
  const tells = decision.allowed || parts.mayTell?.(response.socket?.remoteAddress ?? '') !== false;
  send(parts, response, 200, tells ? body : JSON.stringify(respondBriefly(review)));
}

function tellFault(asked: Asked, error: unknown): void {
  const { parts, review, response } = asked;
  parts.log.error({ err: error, uid: review.uid.slice(0, 256), door: review.door }, 'review failed');
  record(asked, undefined);
  send(parts, response, 200, JSON.stringify(respondFault(review)));
}

/** A decision stands, whether or not it could be counted. */
function record({ parts, review, started, span }: Asked, decision: Decision | undefined): void {
  const { metrics, audit, log } = parts;
  try {
    metrics.reviewed(review, decision, performance.now() - started);
    if (decision === undefined) audit.failed(review, span?.traceId);
    else audit.decided(review, decision, span?.traceId);
    span?.decided(decision);
  } catch (error) {
    log.error({ err: error }, 'review not recorded');
  }
}

/**
 * Of JSON everything is read, a pod with a `__proto__` key too: a webhook that refuses to read is a webhook that
 * `failurePolicy: Ignore` passes by.
 */
function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new BadReview('the body is not JSON');
  }
}

function send({ leaving }: Parts, response: ServerResponse, status: number, body: string): void {
  // An answer while this process drains sends its connection away.
  if (leaving()) response.shouldKeepAlive = false;
  response.writeHead(status, { 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** What cannot be read is no AdmissionReview, or a fault of our own; neither is answered 5xx. */
function refuseUnread(parts: Parts, response: ServerResponse, error: unknown): void {
  if (error instanceof BadReview) return refuse(parts, response, 400, error.message);
  parts.log.error({ err: error }, 'request failed');
  refuse(parts, response, 400, 'the request could not be read');
}

/** The connection ends with a refusal whose request was not read to its end. */
function refuse(parts: Parts, response: ServerResponse, status: number, error: string): void {
  if (!response.req.complete) response.shouldKeepAlive = false;
  send(parts, response, status, JSON.stringify({ error }));
}
