/** The operations port, plain HTTP: the process, its readiness, its metrics. */
import type { FastifyInstance } from 'fastify';
import { LogController, fastify } from 'fastify';
import type { Metrics } from './metrics.ts';

/** Whether reviews can be judged, and what is still awaited: 'watch of infisicalsecrets'. */
export interface Readiness {
  readonly ready: boolean;
  readonly waiting: readonly string[];
}

export interface OpsParts {
  readonly ready: () => Readiness;
  readonly draining: () => boolean;
  readonly metrics: Metrics;
}

const TEXT = 'text/plain; charset=utf-8';

/** Builds the app of `/healthz`, `/readyz` and `/metrics`. It listens when told to. */
export function createOpsApp(parts: OpsParts): FastifyInstance {
  const app = fastify({
    logController: new LogController({ disableRequestLogging: true }),
    // Readiness is asked while the server closes, and "draining" is the answer.
    return503OnClosing: false,
  });
  app.get('/healthz', (_request, reply) => reply.type(TEXT).send('ok\n'));
  app.get('/readyz', (_request, reply) => {
    const reasons = reasonsAgainst(parts);
    const body = reasons.length === 0 ? 'ok\n' : `not ready\n${reasons.map((why) => `- ${why}\n`).join('')}`;
    return reply
      .code(reasons.length === 0 ? 200 : 503)
      .type(TEXT)
      .send(body);
  });
  app.get('/metrics', async (_request, reply) => {
    const exposition = await parts.metrics.text();
    return reply.type(parts.metrics.contentType).send(exposition);
  });
  return app;
}

function reasonsAgainst({ ready, draining }: OpsParts): readonly string[] {
  if (draining()) return ['draining: this process is about to end'];
  const { ready: isReady, waiting } = ready();
  if (isReady) return [];
  return waiting.length === 0 ? ['starting'] : waiting.map((what) => `waiting for ${what}`);
}
