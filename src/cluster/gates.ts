/**
 * Opens the scheduling gates of pods as soon as `strict` would admit them, or nobody asks them to wait any more. A
 * gate that stays closed for too long is told of, and stays closed.
 */
import { GATE, GATES_CONTROLLER } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { asArray, dig, text } from '../kube/json.ts';
import { uidOf } from '../kube/object.ts';
import type { PodRecord } from '../kube/running.ts';
import type { Decision } from '../review/decision.ts';
import type { Awaited } from './awaited.ts';
import { createAwaited } from './awaited.ts';
import type { Controller, ControllerParts } from './controller.ts';
import { aborted } from './controller.ts';
import { gateIndex, openGate } from './open-gate.ts';
import { readPod, regardingPod } from './regarding.ts';
import type { Attributes, Span } from './spans.ts';
import { traced } from './spans.ts';
import { judgePod } from './two-calls.ts';
import { createWorkQueue } from './work-queue.ts';

/** A pod is looked at this often also where nothing seems to be new. */
const LOOK_AGAIN = 20_000;
const GAUGE_EVERY = 5_000;

/** With `gates.enabled: false` no pod gets a gate any more, and those that have one are opened. */
export const gates: Controller = {
  name: GATES_CONTROLLER,
  async run(parts, signal) {
    const { running, world, config, telemetry } = parts;
    const announced = new Set<string>();
    const queue = createWorkQueue({
      work: async (key) => {
        const pod = podOf(parts, key);
        if (pod !== undefined) return attend({ parts, awaited, announced }, key, pod);
        awaited.forget(key);
        return undefined;
      },
      failed: (key, error) => parts.tell('gate not looked at', { pod: key, error }),
      concurrency: 8,
    });
    const awaited = createAwaited({
      world,
      lookup: parts.lookup,
      watched: config.secrets.access === 'watch',
      news: (key) => queue.add(key),
    });
    const observing = [
      running.observe((change) => {
        const pod = change.what === 'pod' ? (change.after ?? change.before) : undefined;
        if (pod !== undefined && isGated(pod)) queue.add(keyOf(pod));
      }),
      world.observe((change) => {
        if (change.what === 'namespace')
          for (const pod of gatedPods(parts, change.name)) queue.add(keyOf(pod));
      }),
    ];
    for (const pod of gatedPods(parts)) queue.add(keyOf(pod));
    const gauge = setInterval(
      () => telemetry.gauge('floe_secrets_gated_pods', gaugeRows(parts)),
      GAUGE_EVERY,
    );
    await aborted(signal);
    clearInterval(gauge);
    telemetry.gauge('floe_secrets_gated_pods', []);
    for (const stop of observing) stop();
    awaited.stop();
    await queue.stop();
  },
};

interface Keeper {
  readonly parts: ControllerParts;
  readonly awaited: Awaited;
  /** What was told of which pod, so that it is told once. */
  readonly announced: Set<string>;
}

/** Looks at a pod as it is; resolves with the milliseconds until the next look, or undefined once it is open. */
async function attend(keeper: Keeper, key: string, record: PodRecord): Promise<number | undefined> {
  const { parts, awaited } = keeper;
  const pod = await readPod(parts.client, record);
  if (pod === undefined || uidOf(pod) !== record.uid || gateIndex(pod) === -1) {
    awaited.forget(key);
    return undefined;
  }
  const decision = await judgePod(parts.admit, withoutGate(pod), 'validate');
  const asks = parts.config.gates.enabled && decision.mayWait;
  if (!decision.allowed && asks) return wait(keeper, key, { record, decision });
  await traced(parts.begin, 'secrets.open_gate', gateAttributes(record, decision), async (span) =>
    open(parts, pod, decision, span),
  );
  awaited.forget(key);
  for (const event of ['waits', 'overdue']) keeper.announced.delete(`${event} ${record.uid}`);
  parts.telemetry.count('floe_secrets_gates_opened_total', {
    result: decision.allowed ? 'ready' : 'unasked',
  });
  parts.events.emit({
    regarding: regardingPod(record),
    type: 'Normal',
    reason: 'SecretsReady',
    message: decision.allowed
      ? 'Its Secrets are there; the scheduling gate is open'
      : 'Nobody asks it to wait for its Secrets any more; the scheduling gate is open',
  });
  return undefined;
}

interface Waiting {
  readonly record: PodRecord;
  readonly decision: Decision;
}

function wait({ parts, awaited, announced }: Keeper, key: string, { record, decision }: Waiting): number {
  const { events, config, now } = parts;
  const missing = decision.verdicts.filter(({ denied }) => denied).map(({ secret }) => secret);
  awaited.expect(key, record.namespace, missing);
  const regarding = regardingPod(record);
  const message = decision.refusal?.message ?? 'It waits for its Secrets';
  const once = (what: string): boolean => {
    const told = announced.has(`${what} ${record.uid}`);
    announced.add(`${what} ${record.uid}`);
    return !told;
  };
  if (once('waits')) events.emit({ regarding, type: 'Normal', reason: 'SecretsPending', message });
  const age = now() - (record.createdAt ?? now());
  const left = config.pending.gateTimeout - age;
  if (left > 0) return Math.min(LOOK_AGAIN, left + 1);
  if (once('overdue')) events.emit({ regarding, type: 'Warning', reason: 'SecretsOverdue', message });
  return LOOK_AGAIN;
}

function gateAttributes({ namespace, name }: PodRecord, { allowed, plugin, verdicts }: Decision): Attributes {
  return {
    'secrets.operation': 'open_gate',
    'secrets.provider': plugin,
    'secrets.namespace': namespace,
    'floe.namespace': namespace,
    'k8s.pod.name': name,
    'secrets.count': verdicts.length,
    'secrets.result': allowed ? 'ready' : 'unasked',
  };
}

/** Takes the gate away, and writes the versions of the Secrets that the pod will see. */
async function open(
  parts: ControllerParts,
  pod: JsonObject,
  decision: Decision,
  span: Span | undefined,
): Promise<void> {
  const marked = decision.allowed ? await judgePod(parts.admit, withoutGate(pod), 'mutate', span) : decision;
  // Of a pod that exists only its marks may still be written.
  const marks = marked.patch.filter(({ path }) => path.startsWith('/metadata/'));
  await openGate(parts.client, pod, { marks });
}

/** As the pod would be without our gate: then the judgement says whether it would be admitted. */
function withoutGate(pod: JsonObject): JsonObject {
  const schedulingGates = asArray(dig(pod, 'spec', 'schedulingGates')).filter(
    (gate) => text(gate, 'name') !== GATE,
  );
  return { ...pod, spec: { ...(pod['spec'] as JsonObject), schedulingGates } };
}

function podOf({ running }: ControllerParts, key: string): PodRecord | undefined {
  const [namespace = '', name = ''] = key.split('/');
  const pod = running.pod(namespace, name);
  return pod !== undefined && isGated(pod) && !pod.terminating ? pod : undefined;
}

function keyOf({ namespace, name }: PodRecord): string {
  return `${namespace}/${name}`;
}

function isGated({ gates: names }: PodRecord): boolean {
  return names.includes(GATE);
}

function gatedPods({ running }: ControllerParts, namespace?: string): readonly PodRecord[] {
  return [...running.pods()].filter(
    (pod) => isGated(pod) && (namespace === undefined || pod.namespace === namespace),
  );
}

function gaugeRows(parts: ControllerParts) {
  const limit = parts.now() - parts.config.pending.gateTimeout;
  const rows = Map.groupBy(gatedPods(parts), ({ namespace, createdAt = Infinity }) =>
    JSON.stringify([namespace, String(createdAt < limit)]),
  );
  return [...rows].map(([key, pods]) => {
    const [namespace = '', overdue = ''] = JSON.parse(key) as readonly string[];
    return { labels: { namespace, overdue }, value: pods.length };
  });
}
