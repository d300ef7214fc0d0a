/**
 * Watches over the syncs of the opted-in namespaces: their age and health as metrics, an Event on the workloads whose
 * pods use a Secret that goes stale or loses its source, and a PolicyReport where its CRD is installed.
 */
import { isDnsSubdomain } from '../kube/names.ts';
import type { Config } from '../config/config.ts';
import type { Inquiry } from '../review/inquiry.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import type { SyncState } from '../review/sync-state.ts';
import { syncStateOf } from '../review/sync-state.ts';
import type { Controller, ControllerParts } from './controller.ts';
import { pauseWithin } from './controller.ts';
import type { Regarding } from './events.ts';
import { createReporter } from './policy-report.ts';
import { regardingPod, regardingWorkload } from './regarding.ts';
import { targetsOf } from './watched-kinds.ts';

/** The sync of one Secret, and whether running pods use it. */
interface Watched extends SyncState {
  readonly namespace: string;
  readonly used: boolean;
}

const LOOK_EVERY = 10_000;
/** Workloads that hear of one Secret. */
const MOST_TOLD = 20;

export function syncHealth(config: Config): Controller {
  const settings = settingsOf(config);
  return {
    name: 'sync-health',
    async run(parts, signal) {
      const before = new Map<string, SyncState['health']>();
      const report = createReporter(parts);
      while (!signal.aborted) {
        const states = statesOf(parts, settings);
        measure(parts, states);
        tellChanges(parts, states, before);
        await report(states, parts.board.all(), signal);
        await pauseWithin(LOOK_EVERY, signal);
      }
      measure(parts, []);
    },
  };
}

/** Those that pods use first, then by name: the first ones have metrics of their own. */
function statesOf(parts: ControllerParts, settings: Settings): readonly Watched[] {
  const names = new Map<string, { readonly namespace: string; readonly secret: string }>();
  const add = (namespace: string, secret: string): void => {
    // What no Secret can be called is no name, but any text, for labels, reports and Events.
    if (isDnsSubdomain(secret) && parts.isWatched(namespace))
      names.set(`${namespace}/${secret}`, { namespace, secret });
  };
  for (const object of parts.world.syncObjects()) {
    for (const { namespace, name } of targetsOf(settings.kinds, object)) add(namespace, name);
  }
  for (const namespace of parts.running.namespaces()) {
    for (const secret of parts.running.secretsIn(namespace)) add(namespace, secret);
  }
  const states = [...names].map(([key, { namespace, secret }]) => {
    const used = parts.running.podsUsing(namespace, secret).length > 0;
    const inquiry: Inquiry = { settings, world: parts.world, now: parts.now(), namespace, wanted: [] };
    return { key, state: { ...syncStateOf(inquiry, secret), namespace, used } };
  });
  const order = ({ key, state }: (typeof states)[number]): string => `${state.used ? 0 : 1} ${key}`;
  return states.toSorted((one, other) => (order(one) < order(other) ? -1 : 1)).map(({ state }) => state);
}

function measure({ telemetry, config, now }: ControllerParts, states: readonly Watched[]): void {
  const claimed = states.filter(({ health }) => health !== 'unclaimed').slice(0, config.metrics.maxSecrets);
  const labelsOf = ({ namespace, secret, plugin }: Watched) => ({ namespace, secret, plugin });
  telemetry.gauge(
    'floe_secrets_sync_ready',
    claimed.map((state) => ({ labels: labelsOf(state), value: state.health === 'good' ? 1 : 0 })),
  );
  telemetry.gauge(
    'floe_secrets_sync_age_seconds',
    claimed.flatMap((state) =>
      state.lastSync === undefined
        ? []
        : [{ labels: labelsOf(state), value: Math.max(0, Math.round((now() - state.lastSync) / 1000)) }],
    ),
  );
}

/** Tells the users of a Secret when its sync turned bad, or what synced it went. */
function tellChanges(
  parts: ControllerParts,
  states: readonly Watched[],
  before: Map<string, SyncState['health']>,
): void {
  const now = new Map(states.map((state) => [`${state.namespace}/${state.secret}`, state.health]));
  for (const state of states) {
    const was = before.get(`${state.namespace}/${state.secret}`);
    if (!state.used || was === undefined || was === state.health) continue;
    if (state.health === 'failing' && was === 'good') {
      const message = `Secret '${state.secret}' is stale: ${state.why ?? 'its sync fails'}`;
      tellUsers(parts, state, { reason: 'SecretStale', message });
    }
    if (state.health === 'unclaimed') {
      const message = `Secret '${state.secret}' has lost its source: no sync resource targets it any more`;
      tellUsers(parts, state, { reason: 'SecretSourceGone', message });
    }
  }
  before.clear();
  for (const [key, health] of now) before.set(key, health);
}

function tellUsers(
  { running, events }: ControllerParts,
  { namespace, secret }: Watched,
  event: { readonly reason: string; readonly message: string },
): void {
  const users = new Map<string, Regarding>();
  for (const pod of running.podsUsing(namespace, secret)) {
    const top = running.ownersOf(pod).at(-1);
    const regarding = top === undefined ? regardingPod(pod) : regardingWorkload(top);
    users.set(regarding.uid, regarding);
  }
  for (const regarding of [...users.values()].slice(0, MOST_TOLD))
    events.emit({ regarding, type: 'Warning', ...event });
}
