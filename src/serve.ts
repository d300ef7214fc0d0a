/** The composition root: config → cluster → app → operations port → signals. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServeOptions } from './cli/serve.ts';
import { connect } from './cluster/connect.ts';
import { createLiveCluster } from './cluster/live.ts';
import { watchWorldFolder } from './cluster/world-files.ts';
import type { Config } from './config/config.ts';
import { ConfigError } from './config/error.ts';
import { startControllers } from './controllers.ts';
import { createReviewer } from './review/review.ts';
import { settingsOf } from './review/settings.ts';
import type { AppParts } from './server/app.ts';
import { createApp } from './server/app.ts';
import { createAudit } from './server/audit.ts';
import { awaitShutdown } from './server/drain.ts';
import type { Readiness } from './server/health.ts';
import { createOpsApp } from './server/health.ts';
import { closeGently, listen } from './server/listen.ts';
import type { Log } from './server/log.ts';
import { createLog, openLines } from './server/log.ts';
import { createMetrics } from './server/metrics.ts';
import { tidyOnceReady } from './server/tidy.ts';
import type { Certificates } from './server/tls.ts';
import { openCertificates } from './server/tls.ts';

/** What reviews are judged against: an API server, or a folder of manifests. */
interface Cluster {
  readonly admit: AppParts['admit'];
  readonly ready: () => Readiness;
  readonly stop: () => void | Promise<void>;
}

/** How long, after the drain, a connection may keep the process from ending. */
const PATIENCE = 5000;

const WATCH_EVENTS = {
  listed: 'watch listed',
  failed: 'watch failed',
  notServed: 'kind not served',
} as const;

/** Serves until SIGTERM or SIGINT, then drains; gives exit code 0. Throws what keeps it from serving. */
export async function serve(config: Config, options: ServeOptions): Promise<number> {
  const log = createLog(config.log.level);
  const lines = openLines(process.stdout.fd);
  const closers: (() => unknown)[] = [() => lines.flush()];
  const shutdown = awaitShutdown(process, () => process.exit(1));
  try {
    const certificates = certificatesOf(config, log);
    closers.push(certificates.stop);
    const metrics = createMetrics({ certificateExpiry: certificates.expiresAt });
    const audit = createAudit({ write: lines.write, authenticated: config.webhook.clientCA !== '' });
    const cluster = await clusterOf(config, options, { log, count: metrics.cacheOperation });
    closers.push(cluster.stop);
    const { admit, ready } = cluster;
    const { draining } = shutdown;

    const ops = createOpsApp({ ready, draining, metrics });
    closers.push(() => closeGently(ops, PATIENCE));
    const app = createApp({ tls: certificates.current(), admit, audit, metrics, log, draining });
    closers.push(() => closeGently(app, PATIENCE));
    certificates.follow((pair) => app.server.setSecureContext(pair));

    closers.push(tidyOnceReady(ready, globalThis.gc));
    const opsPort = await listen(ops, config.server.opsPort);
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

function certificatesOf(config: Config, log: Log): Certificates {
  const { certDir } = config.server;
  if (certDir === '') {
    throw new ConfigError(
      'no serving certificate: give --cert-dir a directory with tls.crt and tls.key ' +
        '(the scripts in certs/ make one for development)',
    );
  }
  const { clientCA } = config.webhook;
  return openCertificates({
    directory: resolve(certDir),
    clientCA: clientCA === '' ? '' : resolve(clientCA),
    log,
  });
}

/** What a cluster tells of itself. */
interface Listeners {
  readonly log: Log;
  readonly count: (result: string) => void;
}

async function clusterOf(config: Config, options: ServeOptions, listeners: Listeners): Promise<Cluster> {
  const { world } = options;
  if (world === undefined) return liveCluster(config, options, listeners);
  if (!existsSync(world)) throw new ConfigError(`the folder of --world, ${world}, does not exist`, 3);
  return folderCluster(config, world, listeners.log);
}

async function liveCluster(config: Config, options: ServeOptions, listeners: Listeners): Promise<Cluster> {
  const { log, count } = listeners;
  const { kubeconfig, context } = options;
  const client = await connect({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const live = createLiveCluster({
    client,
    kinds: settingsOf(config).kinds,
    config,
    count,
    report: ({ event, ...fields }) => log[event === 'failed' ? 'warn' : 'info'](fields, WATCH_EVENTS[event]),
  });
  const admit = live.admission({ review: createReviewer(config), now: Date.now });
  const election = startControllers({ config, client, live, admit, log });
  return {
    admit,
    ready: live.ready,
    stop: async () => {
      await election.stop();
      await live.stop();
      await client.close();
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
