/** What controllers tell metrics: names and their labels. Whoever keeps the registry makes the instruments of it. */

export const GAUGES = {
  floe_secrets_gated_pods: {
    help: 'Pods that wait for Secrets behind a scheduling gate; overdue: longer than pending.gateTimeout',
    labels: ['namespace', 'overdue'],
  },
  floe_secrets_missed_pods: {
    help: 'Pods that run without the injection that they asked for',
    labels: ['namespace'],
  },
  floe_secrets_sync_ready: {
    help: 'Whether everything that syncs a Secret is well',
    labels: ['namespace', 'secret', 'plugin'],
  },
  floe_secrets_sync_age_seconds: {
    help: 'Time since the last good sync of a Secret, where its operator tells it',
    labels: ['namespace', 'secret', 'plugin'],
  },
  floe_secrets_reload_poll_interval_seconds: {
    help: 'How long it takes to look at every Secret once: reload.pollInterval, or more where they are many',
    labels: [],
  },
  floe_secrets_index_secrets: {
    help: 'Secrets that the index of policy.index has; left_out: those for which one object has no room',
    labels: ['namespace', 'result'],
  },
  floe_secrets_reload_polled_secrets: { help: 'Secrets that are looked at for reloads', labels: [] },
  floe_secrets_reload_waiting_workloads: { help: 'Workloads that wait for their restart', labels: [] },
} as const satisfies Instruments;

export const COUNTERS = {
  floe_secrets_reloads_total: {
    help: 'Restarts for changed Secrets, by kind of workload',
    labels: ['kind', 'result'],
  },
  floe_secrets_reload_looks_total: { help: 'Looks at Secrets for reloads', labels: ['result'] },
  floe_secrets_gates_opened_total: { help: 'Scheduling gates opened', labels: ['result'] },
  floe_secrets_retries_total: {
    help: 'Owners of refused pods that were asked to try again',
    labels: ['kind', 'result'],
  },
  floe_secrets_missed_pods_evicted_total: {
    help: 'Evictions of pods that missed their injection; blocked by a PodDisruptionBudget',
    labels: ['result'],
  },
  floe_secrets_index_writes_total: {
    help: 'Writes of the indexes of policy.index',
    labels: ['result'],
  },
  floe_secrets_events_total: {
    help: 'Events written, or dropped because there were too many',
    labels: ['result'],
  },
  floe_secrets_overload_total: {
    help: 'What was done because there was more to judge than could be: caller_gone, not_looked_up, body_waited',
    labels: ['action'],
  },
  floe_secrets_spans_total: {
    help: 'Spans that an OpenTelemetry collector took, or that were lost',
    labels: ['result'],
  },
} as const satisfies Instruments;

type Instruments = Readonly<Record<string, { readonly help: string; readonly labels: readonly string[] }>>;
type Labels<One extends { readonly labels: readonly string[] }> = Readonly<
  Record<One['labels'][number], string>
>;

export type GaugeName = keyof typeof GAUGES;
export type CounterName = keyof typeof COUNTERS;

export interface Row<Name extends GaugeName> {
  readonly labels: Labels<(typeof GAUGES)[Name]>;
  readonly value: number;
}

export interface Telemetry {
  /** These rows and no others from now on: what a gauge said before is gone. */
  gauge<Name extends GaugeName>(name: Name, rows: readonly Row<Name>[]): void;
  /** Counts one, or so many. */
  count<Name extends CounterName>(name: Name, labels: Labels<(typeof COUNTERS)[Name]>, many?: number): void;
}
