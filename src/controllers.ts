/** What this process runs while it leads, and how it comes to lead: the controllers' parts list. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Admission } from './cluster/admit.ts';
import type { Client } from './cluster/client.ts';
import type { Controller, Tell } from './cluster/controller.ts';
import { runControllers } from './cluster/controller.ts';
import type { Election } from './cluster/leader.ts';
import { startElection } from './cluster/leader.ts';
import type { LiveCluster } from './cluster/live.ts';
import type { Config } from './config/config.ts';
import { DEFAULT_INSTALL_NAMESPACE, PROGRAM } from './contract/keys.ts';
import { isOptedIn } from './review/policy.ts';
import { settingsOf } from './review/settings.ts';
import type { Log } from './server/log.ts';

export interface ControllersOptions {
  readonly config: Config;
  readonly client: Client;
  readonly live: LiveCluster;
  readonly admit: Admission;
  readonly log: Log;
}

/** The controllers that the config turns on. */
function controllersOf(_config: Config): readonly Controller[] {
  return [];
}

/** Stands for election, and runs the controllers whenever this process leads. */
export function startControllers(options: ControllersOptions): Election {
  const { config, client, live, admit, log } = options;
  const controllers = controllersOf(config);
  const { exemptNamespaces } = settingsOf(config);
  const election: Election = startElection({
    client,
    namespace: homeOf(client),
    name: PROGRAM,
    identity: `${hostname()}_${randomUUID()}`,
    controllers: controllers.map(({ name }) => name),
    report: ({ event, ...fields }) =>
      log[event === 'failed' ? 'warn' : 'info'](fields, ELECTION_EVENTS[event]),
    lead: async (signal) =>
      runControllers(
        {
          controllers,
          config,
          client,
          world: live.world,
          lookup: live.lookup,
          admit,
          tell: tellerOf(log),
          now: Date.now,
          leading: () => election.leading(),
          isWatched(name) {
            const namespace = live.world.namespace(name);
            return namespace.state === 'present' && isOptedIn(namespace.value) && !exemptNamespaces.has(name);
          },
        },
        signal,
      ),
  });
  return election;
}

const ELECTION_EVENTS = {
  leading: 'leading',
  lost: 'not leading any more',
  released: 'leadership given back',
  failed: 'leader election failed',
} as const;

/** Where the Lease lives: the pod's own namespace; on a developer's machine the one of an installation. */
function homeOf({ namespace }: Client): string {
  return namespace === 'default' ? DEFAULT_INSTALL_NAMESPACE : namespace;
}

function tellerOf(log: Log): Tell {
  return (event, { error, ...fields } = {}) => {
    if (error !== undefined) log.warn({ err: error, ...fields }, event);
    else log[fields['failure'] === undefined ? 'info' : 'warn'](fields, event);
  };
}
