/** What the reloader tells people: Events on workloads, log lines and metrics. Names and versions, never data. */
import { KEYS } from '../contract/keys.ts';
import { SECRET } from '../kube/object.ts';
import type { PodRecord, WorkloadRecord } from '../kube/running.ts';
import type { Need } from '../reload/need.ts';
import type { Polling } from '../reload/polling.ts';
import { formatPolling } from '../reload/polling.ts';
import type { Outcome, Restart } from '../reload/schedule.ts';
import type { ControllerParts } from './controller.ts';
import type { EventDraft } from './events.ts';
import { failureOf } from './failure.ts';
import { regardingWorkload } from './regarding.ts';
import type { LookResult, SecretPlace } from './reload-secrets.ts';

export interface ReloadReports {
  /** A need that is not this reloader's: told once for each workload, Secret and version. */
  left(workload: WorkloadRecord, left: Need['left']): void;
  /** Which strategy ended how. */
  restarted(workload: WorkloadRecord, restart: Restart, outcome: Outcome): void;
  failed(workload: WorkloadRecord, fault: unknown): void;
  pod(workload: WorkloadRecord, result: 'evicted' | 'blocked', pod: PodRecord): void;
  looked(result: LookResult): void;
  unreadable(place: SecretPlace, fault: unknown): void;
  state(state: Polling & { readonly waiting: number }): void;
  /** Nobody looks any more, so what `state` said is not true any more. */
  ended(): void;
}

type Told = Pick<ControllerParts, 'events' | 'telemetry' | 'tell' | 'note'>;

const REMEMBERED = 10_000;
const GAUGES = [
  'floe_secrets_reload_poll_interval_seconds',
  'floe_secrets_reload_polled_secrets',
  'floe_secrets_reload_waiting_workloads',
] as const;

export function createReloadReports({ events, telemetry, tell, note }: Told): ReloadReports {
  const told = new Set<string>();
  const once = (...words: readonly string[]): boolean => {
    const key = words.join(' ');
    if (told.has(key)) return false;
    if (told.size >= REMEMBERED) told.clear();
    told.add(key);
    return true;
  };
  const count = ({ kind }: WorkloadRecord, result: string): void =>
    telemetry.count('floe_secrets_reloads_total', { kind: kind.kind, result });
  const emit = (workload: WorkloadRecord, event: Omit<EventDraft, 'regarding'>): void =>
    events.emit({ regarding: regardingWorkload(workload), ...event });
  return {
    left(workload, left) {
      for (const { secret, version, to } of left) {
        if (!once('left', workload.uid, secret, version)) continue;
        count(workload, 'left');
        emit(workload, {
          type: 'Normal',
          reason: 'SecretsReloadLeft',
          message: `Secret '${secret}' has changed; ${to} is told to restart this ${workload.kind.kind}`,
        });
      }
    },
    restarted(workload, { causes }, outcome) {
      if (outcome !== 'done') {
        count(workload, outcome);
        return;
      }
      const presumed = causes.every((cause) => cause.presumed);
      const names = causes.map(({ secret }) => `'${secret}'`).join(', ');
      const what = causes.length === 1 ? `Secret ${names} has` : `Secrets ${names} have`;
      const change = presumed ? 'been written since its pods began' : 'changed';
      count(workload, presumed ? 'presumed' : 'restarted');
      emit(workload, { type: 'Normal', reason: 'SecretsReloaded', message: `Restarted: ${what} ${change}` });
      tell('workload restarted', {
        ...placeOf(workload),
        secrets: causes.map(({ secret, version }) => `${secret}=${version}`),
        presumed,
      });
    },
    failed(workload, fault) {
      const failure = failureOf(fault, { verb: 'patch', kind: workload.kind, namespace: workload.namespace });
      tell('workload not restarted', { ...placeOf(workload), failure });
      emit(workload, {
        type: 'Warning',
        reason: 'SecretsReloadFailed',
        message: `Its Secrets have changed, and it could not be restarted: ${failure.message}`,
      });
    },
    pod(workload, result, pod) {
      count(workload, result);
      if (result === 'evicted') {
        tell('pod evicted', { ...placeOf(workload), pod: pod.name });
        return;
      }
      if (!once('blocked', pod.uid)) return;
      emit(workload, {
        type: 'Warning',
        reason: 'SecretsReloadBlocked',
        message: 'Its Secrets have changed; a PodDisruptionBudget keeps its pods from being evicted now',
      });
    },
    looked: (result) => telemetry.count('floe_secrets_reload_looks_total', { result }),
    unreadable({ namespace, name }, fault) {
      const failure = failureOf(fault, { verb: 'get', kind: SECRET, namespace });
      if (once('unreadable', namespace, failure.message))
        tell('secret not read', { namespace, secret: name, failure });
    },
    state({ interval, secrets, waiting }) {
      const row = (value: number) => [{ labels: {}, value }];
      telemetry.gauge(
        'floe_secrets_reload_poll_interval_seconds',
        interval === undefined ? [] : row(interval / 1000),
      );
      telemetry.gauge('floe_secrets_reload_polled_secrets', row(secrets));
      telemetry.gauge('floe_secrets_reload_waiting_workloads', row(waiting));
      note(KEYS.reloadPolling, formatPolling({ interval, secrets }));
    },
    ended() {
      for (const name of GAUGES) telemetry.gauge(name, []);
      note(KEYS.reloadPolling, undefined);
    },
  };
}

function placeOf({ kind, namespace, name }: WorkloadRecord): Readonly<Record<string, string>> {
  return { kind: kind.kind, namespace, name };
}
