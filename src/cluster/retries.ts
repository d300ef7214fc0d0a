/**
 * Has the owners of refused pods try again as soon as their pods would be admitted. Left alone they wait as long
 * again as they have waited already, up to a quarter of an hour; a touch makes their controllers look at once.
 */
import { KEYS } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { asObject, get } from '../kube/json.ts';
import { apiVersionOf, uidOf } from '../kube/object.ts';
import { podOfTemplate } from '../kube/workload.ts';
import type { Decision } from '../review/decision.ts';
import { createAwaited } from './awaited.ts';
import type { Awaited } from './awaited.ts';
import type { Controller, ControllerParts } from './controller.ts';
import { aborted } from './controller.ts';
import type { Denial } from './denials.ts';
import { watchDenials } from './denials.ts';
import { MERGE_PATCH } from './media-types.ts';
import { objectPath } from './paths.ts';
import { readObject } from './read-object.ts';
import { admitPod } from './two-calls.ts';
import { createWorkQueue } from './work-queue.ts';

/** How long an owner is remembered after its last refusal, and how many are. */
const REMEMBERED = 3_600_000;
const MOST = 2_000;
/** An owner is looked at this often also where nothing seems to be new. */
const LOOK_AGAIN = 60_000;
/** After a touch, until the next of the same owner: doubled each time, for whoever is refused for another reason. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 300_000;

/** What is known of an owner whose pod was refused. */
interface Remembered {
  denial: Denial;
  touches: number;
  /** Milliseconds since the epoch. */
  touchedAt: number;
}

export const retries: Controller = {
  name: 'retries',
  async run(parts, signal) {
    const remembered = new Map<string, Remembered>();
    const forget = (key: string): void => {
      remembered.delete(key);
      awaited.forget(key);
      parts.board.takeBack(boardKey(key));
    };
    const queue = createWorkQueue({
      work: async (key) => {
        const known = remembered.get(key);
        if (known === undefined) return undefined;
        const next = await attend({ parts, awaited }, key, known);
        if (next === undefined) forget(key);
        return next;
      },
      failed: (key, error) => parts.tell('retry failed', { owner: key, error }),
    });
    const awaited = createAwaited({
      world: parts.world,
      lookup: parts.lookup,
      watched: parts.config.secrets.access === 'watch',
      news: (key) => queue.add(key),
    });
    const denials = watchDenials(parts.client, (denial) => {
      if (denial.at < parts.now() - REMEMBERED) return;
      const key = `${denial.kind.kind}/${denial.namespace}/${denial.name}/${denial.uid}`;
      const known = remembered.get(key);
      if (known !== undefined) known.denial = denial;
      else if (remembered.size < MOST) remembered.set(key, { denial, touches: 0, touchedAt: 0 });
      queue.add(key);
    });
    await aborted(signal);
    await denials.stop();
    awaited.stop();
    await queue.stop();
  },
};

/** Looks at an owner; resolves with the milliseconds until the next look, or undefined to forget it. */
async function attend(
  { parts, awaited }: { readonly parts: ControllerParts; readonly awaited: Awaited },
  key: string,
  known: Remembered,
): Promise<number | undefined> {
  const { denial } = known;
  const now = parts.now();
  if (denial.at < now - REMEMBERED) return undefined;
  // Nothing was refused since it was touched: it is remembered for what may still come.
  if (known.touchedAt > 0 && denial.at + SECOND <= known.touchedAt) return LOOK_AGAIN;
  const rest = known.touchedAt + pauseOf(known.touches) - now;
  if (rest > 0) return rest;
  const owner = await readOwner(parts, denial);
  if (owner === undefined || wantsNone(owner)) return undefined;
  const pod = podOf(denial, owner);
  const decision = await admitPod(parts.admit, pod);
  if (!decision.allowed) {
    report(parts, key, { denial, decision });
    const missing = decision.verdicts.filter(({ denied }) => denied).map(({ secret }) => secret);
    awaited.expect(key, denial.namespace, missing);
    return LOOK_AGAIN;
  }
  parts.board.takeBack(boardKey(key));
  await touch(parts, denial);
  known.touches += 1;
  known.touchedAt = parts.now();
  return pauseOf(known.touches);
}

/** A ReplicaSet of an older template. */
function wantsNone(owner: JsonObject): boolean {
  return get(asObject(get(owner, 'spec')), 'replicas') === 0;
}

function report(
  { board, running }: ControllerParts,
  key: string,
  { denial, decision }: { readonly denial: Denial; readonly decision: Decision },
): void {
  const { kind, namespace, name } = denial;
  const errors = decision.findings.filter(({ severity }) => severity === 'error');
  // A person knows the Deployment, and not its ReplicaSet.
  const known = running.workload(kind, namespace, name);
  const top = (known === undefined ? undefined : running.ownersOf(known).at(-1)) ?? { kind, namespace, name };
  const resource = { apiVersion: apiVersionOf(top.kind), kind: top.kind.kind, namespace, name: top.name };
  const message = errors.map(({ summary }) => summary).join('; ');
  board.put(boardKey(key), { rule: 'present', resource, message });
}

function boardKey(key: string): string {
  return `present ${key}`;
}

/** Events have times in whole seconds. */
const SECOND = 1_000;

function pauseOf(touches: number): number {
  return touches === 0 ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (touches - 1));
}

/** The owner as it is now; undefined where it is gone, another, or on its way out. */
async function readOwner({ client }: ControllerParts, denial: Denial): Promise<JsonObject | undefined> {
  const path = objectPath(denial.kind, denial.namespace, denial.name);
  if (path === undefined) return undefined;
  const owner = await readObject(client, path);
  const leaves = get(asObject(get(owner, 'metadata')), 'deletionTimestamp') !== undefined;
  return uidOf(owner) === denial.uid && !leaves ? owner : undefined;
}

/** The pod that the owner would make. */
function podOf({ kind, namespace, name, uid }: Denial, owner: JsonObject): JsonObject {
  const pod = podOfTemplate(kind, owner);
  const reference = { apiVersion: apiVersionOf(kind), kind: kind.kind, name, uid, controller: true };
  return {
    ...pod,
    metadata: {
      ...asObject(pod['metadata']),
      generateName: `${name}-`,
      namespace,
      ownerReferences: [reference],
    },
  };
}

/** An annotation that is in no template: nothing rolls, its controller only looks again. */
async function touch({ client, telemetry, now }: ControllerParts, denial: Denial): Promise<void> {
  const { kind, namespace, name, uid } = denial;
  const path = objectPath(kind, namespace, name) ?? '';
  const at = new Date(now()).toISOString();
  // With the uid, so that another object of this name is left alone.
  const body = { metadata: { uid, annotations: { [KEYS.retry]: at } } };
  try {
    await client.send('PATCH', path, body, { contentType: MERGE_PATCH });
    telemetry.count('floe_secrets_retries_total', { kind: kind.kind, result: 'touched' });
  } catch (fault) {
    telemetry.count('floe_secrets_retries_total', { kind: kind.kind, result: 'failed' });
    throw fault;
  }
}
