/** The webhook's routes, without a socket: AdmissionReview v1 in, AdmissionReview v1 out. */
import type { Server } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LogController, fastify } from 'fastify';
import { parseDuration } from '../kube/duration.ts';
import { text } from '../kube/json.ts';
import type { Decision } from '../review/decision.ts';
import type { Door, Request } from '../review/request.ts';
import { BadReview, readRequest } from '../review/request.ts';
import { respond, respondFault } from '../review/response.ts';
import type { Audit } from './audit.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { reachedAnswer } from './reachable.ts';

export interface AppParts {
  /** Certificate, key and, for callers that must show one, their CA. */
  readonly tls: SecureContextOptions & { readonly requestCert?: boolean };
  /** Judges a request, within so many milliseconds. */
  readonly admit: (request: Request, timeoutMs: number) => Decision | Promise<Decision>;
  readonly audit: Audit;
  readonly metrics: Metrics;
  readonly log: Log;
  /** While true, every answer asks its client to come back on another connection. */
  readonly draining: () => boolean;
}

/** The webhook, before it listens; `server.setSecureContext` swaps its certificate. */
export type WebhookApp = FastifyInstance<Server>;

/** The API server takes objects of 3 MiB, and a review may carry two of them and their envelope. */
const BODY_LIMIT = 8 * 1024 * 1024;
/**
 * Longer than the 90 s after which the API server drops an idle connection itself: Go does not send a POST again
 * that met a closing connection, so a server that closes first fails a review.
 */
const KEEP_ALIVE = 120_000;
/** A request that trickles in is given up. */
const REQUEST_TIMEOUT = 15_000;
const HANDSHAKE_TIMEOUT = 10_000;
/** The API server's own default and bound for `?timeout=`. */
const DEFAULT_TIMEOUT = 10_000;
const LONGEST_TIMEOUT = 30_000;

const JSON_TYPE = 'application/json; charset=utf-8';

/** Builds the HTTPS app. It listens when told to. */
export function createApp(parts: AppParts): WebhookApp {
  const app: WebhookApp = fastify({
    https: { minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_TIMEOUT, ...parts.tls },
    bodyLimit: BODY_LIMIT,
    keepAliveTimeout: KEEP_ALIVE,
    requestTimeout: REQUEST_TIMEOUT,
    // A review that arrives while the server closes is answered like any other.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    logController: new LogController({ disableRequestLogging: true }),
  });
  acceptPlainJson(app);
  app.setErrorHandler((error: FastifyError, _request, reply) => refuse(parts, error, reply));
  app.post('/mutate', (request, reply) => answer(parts, 'mutate', request, reply));
  app.post('/validate', (request, reply) => answer(parts, 'validate', request, reply));
  app.post('/reachable', (request, reply) => {
    askToLeave(parts, reply);
    return reply.header('content-type', JSON_TYPE).send(JSON.stringify(reachedAnswer(request.body)));
  });
  return app;
}

/**
 * Nothing but JSON is read, and of JSON everything: fastify's own parser refuses a pod with a `__proto__` key,
 * and a webhook that refuses to read is a webhook that `failurePolicy: Ignore` passes by.
 */
function acceptPlainJson(app: WebhookApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(String(body)));
    } catch {
      done(new BadReview('the body is not JSON'));
    }
  });
}

/** Most decisions need no waiting; those are answered without a promise on their way. */
function answer(parts: AppParts, door: Door, request: FastifyRequest, reply: FastifyReply): unknown {
  const review = readRequest(door, request.body);
  const started = performance.now();
  reply.header('content-type', JSON_TYPE);
  askToLeave(parts, reply);
  const decided = (decision: Decision): string => bodyOf(parts, review, decision, started);
  const failed = (error: unknown): string => faultOf(parts, review, error, started);
  try {
    const decision = parts.admit(review, timeoutOf(request.query));
    if (decision instanceof Promise) return decision.then(decided).catch(failed);
    return reply.send(decided(decision));
  } catch (error) {
    return reply.send(failed(error));
  }
}

/** While it drains, every answer sends its connection away. */
function askToLeave(parts: AppParts, reply: FastifyReply): void {
  if (parts.draining()) reply.header('connection', 'close');
}

function bodyOf(parts: AppParts, review: Request, decision: Decision, started: number): string {
  const body = JSON.stringify(respond(review, decision));
  record(parts, () => {
    parts.metrics.reviewed(review, decision, performance.now() - started);
    parts.audit.decided(review, decision);
  });
  return body;
}

function faultOf(parts: AppParts, review: Request, error: unknown, started: number): string {
  parts.log.error({ err: error, uid: review.uid, door: review.door }, 'review failed');
  record(parts, () => {
    parts.metrics.reviewed(review, undefined, performance.now() - started);
    parts.audit.failed(review);
  });
  return JSON.stringify(respondFault(review));
}

/** A decision stands, whether or not it could be counted. */
function record(parts: AppParts, write: () => void): void {
  try {
    write();
  } catch (error) {
    parts.log.error({ err: error }, 'review not recorded');
  }
}

/** The `?timeout=` that the API server adds, in milliseconds. */
function timeoutOf(query: unknown): number {
  const written = text(query, 'timeout');
  if (written === undefined) return DEFAULT_TIMEOUT;
  const asked = parseDuration(written);
  return asked === undefined || asked <= 0 ? DEFAULT_TIMEOUT : Math.min(asked, LONGEST_TIMEOUT);
}

/** What is no AdmissionReview: too large, another type, not JSON, without a request. */
function refuse(parts: AppParts, error: FastifyError, reply: FastifyReply): FastifyReply {
  askToLeave(parts, reply);
  const status = error.statusCode ?? 400;
  if (status >= 500 || !(error instanceof BadReview || error.code?.startsWith('FST_'))) {
    parts.log.error({ err: error }, 'request failed');
  }
  return reply.code(Math.min(status, 499)).send({ error: error.message });
}
