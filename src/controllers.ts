/** What this process runs while it leads, and how it comes to lead: the controllers' parts list. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Serving } from './certificates.ts';
import type { Admission } from './cluster/admit.ts';
import type { Client } from './cluster/client.ts';
import type { Controller, Tell } from './cluster/controller.ts';
import { runControllers } from './cluster/controller.ts';
import type { Events } from './cluster/events.ts';
import { gates } from './cluster/gates.ts';
import type { Election } from './cluster/leader.ts';
import { startElection } from './cluster/leader.ts';
import { homeOf } from './cluster/home.ts';
import type { LiveCluster } from './cluster/live.ts';
import { missedPods } from './cluster/missed-pods.ts';
import { reloader } from './cluster/reloader.ts';
import { retries } from './cluster/retries.ts';
import { secretIndex } from './cluster/secret-index.ts';
import { syncHealth } from './cluster/sync-health.ts';
import type { BeginSpan } from './cluster/spans.ts';
import type { Telemetry } from './cluster/telemetry.ts';
import type { Config } from './config/config.ts';
import { isOptedIn } from './review/policy.ts';
import { settingsOf } from './review/settings.ts';
import type { Log } from './server/log.ts';

export interface ControllersOptions {
  readonly config: Config;
  readonly client: Client;
  readonly live: LiveCluster;
  readonly admit: Admission;
  /** Whose leader's part runs beside the controllers. */
  readonly serving: Pick<Serving, 'lead'>;
  readonly events: Events;
  readonly telemetry: Telemetry;
  readonly begin: BeginSpan | undefined;
  readonly log: Log;
  /** The settings as they are now; throws where they cannot be read. */
  readonly settings: () => Config;
}

/** The controllers that the config turns on. */
function controllersOf(config: Config): readonly Controller[] {
  const reload = config.reload.enabled ? [reloader] : [];
  const index = config.policy.index ? [secretIndex(config)] : [];
  return [gates, retries, missedPods, syncHealth(config), ...reload, ...index];
}

/** What the Lease says of them: nobody may count on gates that are only opened, never served. */
function servedNames(config: Config, controllers: readonly Controller[]): readonly string[] {
  const names = controllers.map(({ name }) => name);
  return config.gates.enabled ? names : names.filter((name) => name !== gates.name);
}

/** Stands for election, and runs the controllers whenever this process leads. */
export function startControllers(options: ControllersOptions): Election {
  const { config, client, live, admit, serving, events, telemetry, begin, log } = options;
  const controllers = controllersOf(config);
  const { exemptNamespaces } = settingsOf(config);
  const notes = new Map<string, string>();
  const parts = {
    controllers,
    config,
    client,
    world: live.world,
    lookup: live.lookup,
    admit,
    events,
    telemetry,
    begin,
    tell: tellerOf(log),
    now: Date.now,
    note(key: string, value: string | undefined) {
      if (value === undefined) notes.delete(key);
      else notes.set(key, value);
    },
    isWatched(name: string) {
      const namespace = live.world.namespace(name);
      return namespace.state === 'present' && isOptedIn(namespace.value) && !exemptNamespaces.has(name);
    },
  };
  const election: Election = startElection({
    client,
    stands: config.controllers.enabled,
    isOutdated: issuerWatch(options),
    namespace: homeOf(client),
    name: config.webhook.name,
    identity: `${hostname()}_${randomUUID()}`,
    controllers: servedNames(config, controllers),
    notes: () => Object.fromEntries(notes),
    report: ({ event, ...fields }) =>
      log[event === 'failed' ? 'warn' : 'info'](fields, ELECTION_EVENTS[event]),
    lead: async (signal) => {
      // Certificates wait for no watch of the controllers: readiness stands on them.
      await Promise.all([
        serving.lead(signal),
        runControllers({ ...parts, leading: election.leading }, signal),
      ]);
    },
  });
  return election;
}

/**
 * Tells whether certificates come from elsewhere by now, and once that they do: a leader publishes the CA of its own
 * `certificates.mode` alone, and the replicas of a rollout to another one wait for theirs.
 */
function issuerWatch({ config, settings, log }: ControllersOptions): () => boolean {
  let isTold = false;
  return () => {
    const now = readableOr(config, settings);
    const { mode } = now.certificates;
    const isOther = mode !== config.certificates.mode || now.server.certDir !== config.server.certDir;
    if (isOther && !isTold)
      log.info({ mode }, 'certificates.mode is another by now: new replicas are to lead');
    isTold = isOther;
    return isOther;
  };
}

/** What is half-written or wrong is nothing to go by. */
function readableOr(otherwise: Config, read: () => Config): Config {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

const ELECTION_EVENTS = {
  leading: 'leading',
  lost: 'not leading any more',
  released: 'leadership given back',
  failed: 'leader election failed',
} as const;

function tellerOf(log: Log): Tell {
  return (event, { error, ...fields } = {}) => {
    if (error !== undefined) log.warn({ err: error, ...fields }, event);
    else log[fields['failure'] === undefined ? 'info' : 'warn'](fields, event);
  };
}
