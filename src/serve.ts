/** The composition root: config → cluster → app → operations port → signals. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Serving } from './certificates.ts';
import { openServing } from './certificates.ts';
import type { ServeOptions } from './cli/serve.ts';
import { createAnnouncer } from './cluster/admission-events.ts';
import { announceCertificates } from './cluster/certificate-events.ts';
import type { Client } from './cluster/client.ts';
import { connect } from './cluster/connect.ts';
import { createEvents } from './cluster/events.ts';
import type { Election } from './cluster/leader.ts';
import { exemptingHome, homeOf } from './cluster/home.ts';
import { createLiveCluster } from './cluster/live.ts';
import type { BeginSpan } from './cluster/spans.ts';
import type { Telemetry } from './cluster/telemetry.ts';
import type { WatchReport } from './cluster/watch.ts';
import { watchWorldFolder } from './cluster/world-files.ts';
import type { Config } from './config/config.ts';
import { ConfigError } from './config/error.ts';
import { startControllers } from './controllers.ts';
import { createReviewer } from './review/review.ts';
import { settingsOf } from './review/settings.ts';
import type { AppParts } from './server/app.ts';
import { createApp } from './server/app.ts';
import type { Audit } from './server/audit.ts';
import { createAudit } from './server/audit.ts';
import { awaitShutdown } from './server/drain.ts';
import type { Readiness } from './server/health.ts';
import { createOpsApp } from './server/health.ts';
import { closeGently, listen } from './server/listen.ts';
import type { Log } from './server/log.ts';
import { createLog, openLines } from './server/log.ts';
import { createMetrics } from './server/metrics.ts';
import { openTracing } from './server/open-tracing.ts';
import type { Pressure } from './server/pressure.ts';
import { watchPressure } from './server/pressure.ts';
import { createRefusals } from './server/refusals.ts';
import { tidyOnceReady } from './server/tidy.ts';

/** What reviews are judged against: an API server, or a folder of manifests. */
interface Cluster {
  readonly admit: AppParts['admit'];
  /** Told of each decision; a folder of manifests has nobody to tell. */
  readonly decided?: Audit['decided'];
  readonly ready: () => Readiness;
  readonly stop: () => void | Promise<void>;
}

/** How long, after the drain, a connection may keep the process from ending. */
const PATIENCE = 5000;
/** How long, after that, the last spans may take to reach their collector. */
const LAST_SPANS = 2000;

const WATCH_EVENTS = {
  listed: 'watch listed',
  failed: 'watch failed',
  notServed: 'kind not served',
} as const;

/** Serves until SIGTERM or SIGINT, then drains; gives exit code 0. Throws what keeps it from serving. */
export async function serve(given: Config, options: ServeOptions): Promise<number> {
  const log = createLog(given.log.level);
  const lines = openLines(process.stdout.fd);
  const closers: (() => unknown)[] = [() => lines.flush()];
  const shutdown = awaitShutdown(process, () => process.exit(1));
  try {
    const client = await clientOf(options);
    const config = exemptingHome(given, client);
    closers.push(async () => client?.close());
    const serving = openServing({ config, client, log, report: watchReporter(log) });
    closers.push(serving.stop);
    const metrics = createMetrics({ certificateExpiry: serving.expiresAt });
    const audit = createAudit({ write: lines.write, authenticated: config.webhook.clientCA !== '' });
    const { cacheOperation, telemetry } = metrics;
    const tracing = await openTracing({
      env: process.env,
      log,
      count: (result, spans) => telemetry.count('floe_secrets_spans_total', { result }, spans),
    });
    closers.push(async () => tracing?.stop(LAST_SPANS));
    const begin = tracing?.begin;
    const pressure = watchPressure();
    closers.push(pressure.stop);
    const parts = { client, options, serving, log, telemetry, begin, pressure, count: cacheOperation };
    const cluster = clusterOf(config, parts);
    closers.push(cluster.stop);
    const { admit } = cluster;
    const { draining } = shutdown;
    const ready = (): Readiness => together(cluster.ready(), serving.waiting());

    const ops = createOpsApp({ ready, draining, metrics });
    closers.push(() => closeGently(ops, PATIENCE));
    closers.push(tidyOnceReady(ready, globalThis.gc));
    const opsPort = await listen(ops, config.server.opsPort);
    const certificates = await Promise.race([serving.opened, shutdown.asked]);
    if (typeof certificates === 'string') return 0;

    const told = { ...audit, decided: both(audit.decided, cluster.decided) };
    const mayTell = createRefusals(config.webhook.clientCA === '' ? config.limits.refusalsPerSecond : 0);
    const app = createApp({
      tls: certificates.current(),
      admit,
      trace: tracing?.review,
      pressure,
      overloaded: (action) => telemetry.count('floe_secrets_overload_total', { action }),
      audit: told,
      metrics,
      log,
      mayTell,
      draining,
    });
    closers.push(() => closeGently(app, PATIENCE));
    certificates.follow((pair) => app.server.setSecureContext(pair));
    const port = await listen(app, config.server.port);
    log.info({ port, opsPort }, 'listening');
    const signal = await shutdown.asked;
    log.info({ signal, drainMs: config.server.drain }, 'draining');
    await sleep(config.server.drain);
    log.info('closing');
    return 0;
  } finally {
    // The last that was opened is the first to close: the webhook goes before what it needs.
    for (const close of closers.toReversed()) await close();
    shutdown.dispose();
  }
}

/** A client of the cluster that is meant; undefined where a folder stands for it. */
async function clientOf({ world, kubeconfig, context }: ServeOptions): Promise<Client | undefined> {
  if (world !== undefined) {
    if (!existsSync(world)) throw new ConfigError(`the folder of --world, ${world}, does not exist`, 3);
    return undefined;
  }
  return connect({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
}

function both(first: Audit['decided'], second: Audit['decided'] | undefined): Audit['decided'] {
  if (second === undefined) return first;
  return (request, decision, traceId) => {
    first(request, decision, traceId);
    second(request, decision, traceId);
  };
}

function watchReporter(log: Log): (report: WatchReport) => void {
  return ({ event, ...fields }) => log[event === 'failed' ? 'warn' : 'info'](fields, WATCH_EVENTS[event]);
}

/** Ready when there is nothing that anybody waits for. */
function together({ ready, waiting }: Readiness, others: readonly string[]): Readiness {
  return { ready: ready && others.length === 0, waiting: [...waiting, ...others] };
}

interface ClusterParts {
  readonly client: Client | undefined;
  readonly options: ServeOptions;
  readonly serving: Serving;
  readonly log: Log;
  /** Told of each look into the memory of Secrets. */
  readonly count: (result: string) => void;
  readonly telemetry: Telemetry;
  /** Where the controllers' work is traced. */
  readonly begin: BeginSpan | undefined;
  readonly pressure: Pressure;
}

function clusterOf(config: Config, parts: ClusterParts): Cluster {
  const { client, options, log } = parts;
  if (client === undefined) return folderCluster(config, options.world ?? '', log);
  return liveCluster(config, { ...parts, client });
}

function liveCluster(config: Config, parts: ClusterParts & { readonly client: Client }): Cluster {
  const { client, count, log, serving, telemetry, begin, pressure } = parts;
  const live = createLiveCluster({
    client,
    kinds: settingsOf(config).kinds,
    config,
    count,
    serves: (controller) => election.serves(controller),
    report: watchReporter(log),
  });
  const admit = live.admission({
    review: createReviewer(config),
    now: Date.now,
    pressed: pressure.isHigh,
    leftOut: () => telemetry.count('floe_secrets_overload_total', { action: 'not_looked_up' }),
  });
  const events = createEvents({
    client,
    telemetry,
    now: Date.now,
    failed: (error) => log.warn({ err: error }, 'event not written'),
  });
  const announcer = createAnnouncer({ client, events });
  const certificates = announceCertificates({
    client,
    events,
    namespace: homeOf(client),
    name: config.webhook.name,
    served: serving.served,
    now: client.serverTime,
  });
  serving.follow(certificates.told);
  const election: Election = startControllers({
    config,
    client,
    live,
    admit,
    serving,
    events,
    telemetry,
    begin,
    log,
    settings: parts.options.settings,
  });
  return {
    admit,
    decided: announcer.decided,
    ready: live.ready,
    stop: async () => {
      await election.stop();
      await announcer.stop();
      certificates.stop();
      await events.stop();
      await live.stop();
    },
  };
}

function folderCluster(config: Config, folder: string, log: Log): Cluster {
  const review = createReviewer(config);
  const watched = watchWorldFolder(folder, {
    kinds: settingsOf(config).kinds,
    onError: (error) => log.error({ err: error, folder }, 'world not read, the last good one stays'),
  });
  let readiness: Readiness = { ready: false, waiting: [`the manifests in ${folder}`] };
  void watched.ready().then(() => {
    readiness = { ready: true, waiting: [] };
  });
  return {
    admit: (request) => review(request, watched.world, Date.now()),
    ready: () => readiness,
    stop: () => watched.stop(),
  };
}
