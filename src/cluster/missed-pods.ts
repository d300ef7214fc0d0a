/**
 * Finds pods that run without the injection that they asked for: the webhook was away while they came to be, or
 * somebody took it out. What a pod names is compared at once; only where something lacks is the pod itself judged.
 */
import { KEYS } from '../contract/keys.ts';
import { SERVICE_ACCOUNT, uidOf } from '../kube/object.ts';
import type { PodRecord } from '../kube/running.ts';
import { isOver } from '../kube/running.ts';
import type { Decision } from '../review/decision.ts';
import type { Level, LevelName } from '../review/levels.ts';
import { levelOf } from '../review/levels.ts';
import { wishedUses } from '../review/wished.ts';
import type { Controller, ControllerParts } from './controller.ts';
import { aborted } from './controller.ts';
import type { Regarding } from './events.ts';
import { createEvictor } from './evict-missed.ts';
import { readPod, regardingPod, regardingWorkload } from './regarding.ts';
import { judgePod } from './two-calls.ts';
import type { Reported } from './report-board.ts';
import { createWorkQueue } from './work-queue.ts';

/** Several pods of one workload are found at once; the gauge need not follow each. */
const GAUGE_EVERY = 2_000;
const JOBS = ['Job', 'CronJob'];

export const missedPods: Controller = {
  name: 'missed-pods',
  async run(parts, signal) {
    const missed = new Map<string, PodRecord>();
    const evict = createEvictor(parts, (decision) => missedFinding(decision) === undefined);
    const queue = createWorkQueue({
      work: async (key) => {
        const pod = podOf(parts, key);
        const finding = pod === undefined ? undefined : await lackOf(parts, pod);
        if (pod === undefined || finding === undefined) {
          missed.delete(key);
          parts.board.takeBack(boardKey(key));
          return undefined;
        }
        if (missed.get(key)?.uid !== pod.uid) tell(parts, pod, finding);
        missed.set(key, pod);
        parts.board.put(boardKey(key), { rule: 'injected', resource: resourceOf(pod), message: finding });
        return parts.config.missedPods.evict ? evict(pod) : undefined;
      },
      failed: (key, error) => parts.tell('pod not looked at', { pod: key, error }),
      concurrency: 2,
    });
    const observing = [
      parts.running.observe((change) => {
        const pod = change.what === 'pod' ? (change.after ?? change.before) : undefined;
        if (pod !== undefined) queue.add(keyOf(pod));
      }),
      parts.world.observe((change) => {
        if (change.what === 'secret') return;
        const namespace = change.what === 'namespace' ? change.name : change.namespace;
        for (const pod of parts.running.pods()) if (pod.namespace === namespace) queue.add(keyOf(pod));
      }),
    ];
    for (const pod of parts.running.pods()) queue.add(keyOf(pod));
    const gauge = setInterval(() => report(parts, missed.values()), GAUGE_EVERY);
    await aborted(signal);
    clearInterval(gauge);
    for (const stop of observing) stop();
    await queue.stop();
    report(parts, []);
  },
};

/** Why the pod counts as missed; undefined where it carries what it asked for. */
async function lackOf(parts: ControllerParts, record: PodRecord): Promise<string | undefined> {
  if (!mayLack(parts, record)) return undefined;
  const pod = await readPod(parts.client, record);
  if (pod === undefined || uidOf(pod) !== record.uid) return undefined;
  return missedFinding(await judgePod(parts.admit, pod, 'validate'));
}

function missedFinding({ findings }: Decision): string | undefined {
  return findings.find(({ code, severity }) => code === 'FLOE-E807' && severity === 'error')?.message;
}

/** Whether the pod names less than was asked for: then it is worth a read. */
function mayLack(parts: ControllerParts, pod: PodRecord): boolean {
  if (pod.labels[KEYS.injection] === 'disabled') return false;
  // Files are injected by projected volumes; a volume of the pod's own carries them as well.
  const uses = new Set(
    pod.uses.map(({ form, secret }) => `${form === 'projected' ? 'volume' : form} ${secret}`),
  );
  return wishedUses(levelsOf(parts, pod)).some(({ form, secret }) => !uses.has(`${form} ${secret}`));
}

function levelsOf({ running, world }: ControllerParts, pod: PodRecord): readonly Level[] {
  const jobs = running.ownersOf(pod).filter(({ kind }) => JOBS.includes(kind.kind));
  const account = world.object(SERVICE_ACCOUNT, pod.namespace, pod.serviceAccountName);
  const namespace = world.namespace(pod.namespace);
  return [
    { name: 'Pod', annotations: pod.annotations },
    ...jobs.map(({ kind, annotations }) => ({ name: kind.kind as LevelName, annotations })),
    ...(account.state === 'present' ? [levelOf('ServiceAccount', account.value.raw)] : []),
    ...(namespace.state === 'present' ? [levelOf('Namespace', namespace.value.raw)] : []),
  ];
}

function tell(parts: ControllerParts, pod: PodRecord, finding: string): void {
  const owners = parts.running.ownersOf(pod);
  const top = owners.at(-1);
  const regarding: Regarding = top === undefined ? regardingPod(pod) : regardingWorkload(top);
  parts.events.emit({ regarding, type: 'Warning', reason: 'InjectionMissed', message: finding });
}

function podOf({ running, world }: ControllerParts, key: string): PodRecord | undefined {
  const [namespace = '', name = ''] = key.split('/');
  const pod = running.pod(namespace, name);
  if (pod === undefined || pod.terminating || isOver(pod)) return undefined;
  return world.namespace(namespace).state === 'present' ? pod : undefined;
}

function boardKey(key: string): string {
  return `injected ${key}`;
}

function resourceOf(pod: PodRecord): Reported['resource'] {
  const { uid: _uid, ...resource } = regardingPod(pod);
  return resource;
}

function keyOf({ namespace, name }: PodRecord): string {
  return `${namespace}/${name}`;
}

function report({ telemetry }: ControllerParts, missed: Iterable<PodRecord>): void {
  const rows = Map.groupBy(missed, ({ namespace }) => namespace);
  telemetry.gauge(
    'floe_secrets_missed_pods',
    [...rows].map(([namespace, pods]) => ({ labels: { namespace }, value: pods.length })),
  );
}
