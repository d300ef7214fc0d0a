/**
 * Restarts workloads whose Secrets have changed. By levels, not by events: what a workload needs is judged from its
 * pods and Secrets as they are, so that a new leader comes to the same end as the one before.
 */
import { KEYS } from '../contract/keys.ts';
import { parseVersions } from '../contract/versions.ts';
import { isSameOrLater } from '../kube/resource-version.ts';
import type { PodRecord, WorkloadRecord } from '../kube/running.ts';
import { settingsOf } from '../review/settings.ts';
import { restartTime } from '../reload/restart.ts';
import type { Outcome, Restart, Schedule } from '../reload/schedule.ts';
import { createSchedule } from '../reload/schedule.ts';
import type { Controller, ControllerParts } from './controller.ts';
import { evictRound } from './evict.ts';
import type { Fleet } from './fleet.ts';
import { createFleet } from './fleet.ts';
import { outdatedFor } from './lookup.ts';
import type { Pause } from './pause.ts';
import { createPause } from './pause.ts';
import { judgeWorkload } from './reload-needs.ts';
import type { ReloadReports } from './reload-reports.ts';
import { createReloadReports } from './reload-reports.ts';
import type { ReloadSecrets, SecretPlace } from './reload-secrets.ts';
import { createReloadSecrets } from './reload-secrets.ts';
import { tracedReload } from './reload-span.ts';
import { outcomeOfFault, restartWorkload } from './restart.ts';
import { createSecretData } from './secret-data.ts';

/** The parts of one reign. */
interface Run {
  readonly parts: ControllerParts;
  readonly signal: AbortSignal;
  readonly fleet: Fleet;
  readonly secrets: ReloadSecrets;
  readonly schedule: Schedule;
  readonly reports: ReloadReports;
  readonly pause: Pause;
  /** Workloads to judge again. */
  readonly changed: Set<string>;
  readonly underWay: Set<Promise<void>>;
  readonly trustedNamespaces: ReadonlySet<string>;
}

/** Workloads that are judged in one go before others get their turn. */
const AT_ONCE = 200;
const REPORT_EVERY = 5_000;
/** Everything is judged again this often, whatever was told or not. */
const JUDGE_ALL_EVERY = 5 * 60_000;

export const reloader: Controller = {
  name: 'reload',
  async run(parts, signal) {
    const run = createRun(parts, signal);
    const observing = observe(run);
    const wake = (): void => run.pause.wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      await loop(run);
    } finally {
      for (const stop of observing) stop();
      signal.removeEventListener('abort', wake);
      await Promise.all(run.underWay);
      run.reports.ended();
    }
  },
};

function createRun(parts: ControllerParts, signal: AbortSignal): Run {
  const { config, running, client, now } = parts;
  const { cooldown, maxPerMinute, qps, pollInterval } = config.reload;
  // A pod that came sooner could be told by its admission to have the older version, and be restarted once more.
  const quiet = Math.max(config.reload.quiet, outdatedFor(config.secrets));
  const reports = createReloadReports(parts);
  const changed = new Set<string>();
  const pause = createPause();
  const mark = (key: string): void => {
    changed.add(key);
    pause.wake();
  };
  const fleet: Fleet = createFleet({ running, changed: mark });
  const secrets: ReloadSecrets = createReloadSecrets({
    data: createSecretData(client),
    qps,
    interval: config.secrets.access === 'watch' ? undefined : pollInterval,
    now,
    looked(place, result, isNews) {
      reports.looked(result);
      if (!isNews) return;
      const using = fleet.keysIn(place.namespace, place.name);
      using.forEach(mark);
      // Secrets are often rotated several at a time: one restart shall do for them.
      if (result === 'changed') for (const other of secretsOf(fleet, using)) secrets.hurry(other);
    },
    failed: reports.unreadable,
  });
  const schedule = createSchedule({ quiet, cooldown, maxPerMinute });
  const run = {
    parts,
    signal,
    fleet,
    secrets,
    schedule,
    reports,
    pause,
    changed,
    underWay: new Set<Promise<void>>(),
    trustedNamespaces: settingsOf(config).trustedNamespaces,
  };
  for (const key of fleet.keys()) changed.add(key);
  return run;
}

function secretsOf(fleet: Fleet, keys: readonly string[]): readonly SecretPlace[] {
  const pods = keys.flatMap((key) => fleet.podsOf(key));
  return pods.flatMap(({ namespace, uses }) => uses.map(({ secret }) => ({ namespace, name: secret })));
}

function observe({ parts, fleet, secrets, changed, pause }: Run): readonly (() => void)[] {
  const { world, running } = parts;
  return [
    () => fleet.stop(),
    running.observe((change) => {
      if (change.what === 'pod' && change.before === undefined && change.after !== undefined)
        for (const place of laterThanKnown(secrets, change.after)) secrets.hurry(place);
    }),
    world.observe((change) => {
      if (change.what === 'secret' && mayBeWritten(parts, secrets, change)) secrets.hurry(change);
      const namespace = change.what === 'namespace' ? change.name : change.namespace;
      const secret = change.what === 'secret' ? change.name : undefined;
      for (const key of fleet.keysIn(namespace, secret)) changed.add(key);
      pause.wake();
    }),
  ];
}

/** A pod's admission may have seen a write of which nobody has told. */
function laterThanKnown(secrets: ReloadSecrets, pod: PodRecord): readonly SecretPlace[] {
  const { namespace } = pod;
  return [...parseVersions(pod.annotations[KEYS.versions])].flatMap(([name, version]) => {
    const known = secrets.record({ namespace, name })?.resourceVersion;
    return known === undefined || isSameOrLater(known, version) ? [] : [{ namespace, name }];
  });
}

/** Of a Secret that is watched it is known whether it was written; else a claimant's status may tell of a write. */
function mayBeWritten({ world }: ControllerParts, secrets: ReloadSecrets, place: SecretPlace): boolean {
  const watched = world.secret(place.namespace, place.name);
  if (watched.state !== 'present') return true;
  return watched.value.resourceVersion !== secrets.record(place)?.resourceVersion;
}

async function loop(run: Run): Promise<void> {
  const { parts, signal, fleet, secrets, schedule, reports, changed, pause } = run;
  let reportedAt = Number.NEGATIVE_INFINITY;
  let judgedAllAt = parts.now();
  while (!signal.aborted) {
    const now = parts.now();
    if (now - judgedAllAt >= JUDGE_ALL_EVERY) {
      judgedAllAt = now;
      for (const key of fleet.keys()) changed.add(key);
    }
    judgeSome(run, now);
    for (const restart of schedule.due(now)) keep(run, carryOut(run, restart));
    const look = secrets.take(now);
    if (look !== undefined) keep(run, look);
    if (now - reportedAt >= REPORT_EVERY) {
      reportedAt = now;
      reports.state({ interval: secrets.interval, secrets: secrets.size, waiting: schedule.waiting });
    }
    const next = Math.min(
      changed.size > 0 ? now : Number.POSITIVE_INFINITY,
      schedule.next(now) ?? Number.POSITIVE_INFINITY,
      secrets.next(now) ?? Number.POSITIVE_INFINITY,
      reportedAt + REPORT_EVERY,
    );
    await pause.sleep(Math.max(0, next - parts.now()));
  }
}

function judgeSome(
  { parts, fleet, secrets, schedule, reports, changed, trustedNamespaces }: Run,
  now: number,
): void {
  const { world } = parts;
  for (const key of [...changed].slice(0, AT_ONCE)) {
    changed.delete(key);
    const workload = fleet.workload(key);
    if (workload === undefined || workload.terminating) {
      secrets.want(key, [], []);
      schedule.forget(key);
      continue;
    }
    const { causes, left } = judgeWorkload({ world, secrets, trustedNamespaces }, key, {
      workload,
      pods: fleet.podsOf(key),
    });
    const { paused, reloadedAt } = workload;
    schedule.found(key, { causes, paused, ...(reloadedAt === undefined ? {} : { reloadedAt }) }, now);
    reports.left(workload, left);
  }
}

/** What runs beside the loop, until the end of the reign. */
function keep({ underWay }: Run, work: Promise<void>): void {
  underWay.add(work);
  void work.finally(() => underWay.delete(work));
}

async function carryOut(run: Run, restart: Restart): Promise<void> {
  const { fleet, schedule, reports, parts, pause, signal } = run;
  const workload = fleet.workload(restart.key);
  let outcome: Outcome = 'gone';
  if (workload !== undefined) {
    const { begin, config } = parts;
    outcome = await tracedReload(begin, { workload, restart, strategy: config.reload.strategy }, async () =>
      restartOf(run, workload, restart),
    );
    if (signal.aborted) return;
    reports.restarted(workload, restart, outcome);
  }
  schedule.outcome(restart.key, outcome, parts.now());
  run.changed.add(restart.key);
  pause.wake();
}

async function restartOf(run: Run, workload: WorkloadRecord, restart: Restart): Promise<Outcome> {
  const { parts, fleet, reports, signal } = run;
  const { client, config } = parts;
  const uids = new Set(restart.causes.flatMap(({ pods }) => pods));
  try {
    if (config.reload.strategy === 'rollout') {
      const pods = fleet.podsOf(restart.key).filter(({ uid }) => uids.has(uid));
      await restartWorkload(client, workload, { at: restartTime(restart.at, pods) });
      return 'done';
    }
    const options = {
      client,
      pods: [...uids],
      live: () => fleet.podsOf(restart.key),
      replicas: () => fleet.workload(restart.key)?.replicas,
      told: (result: 'evicted' | 'blocked', pod: PodRecord) => reports.pod(workload, result, pod),
    };
    return await evictRound(options, signal);
  } catch (fault) {
    if (!signal.aborted) reports.failed(workload, fault);
    return outcomeOfFault(fault);
  }
}
