/**
 * Keeps the ConfigMap of `policy --index` in each opted-in namespace (`policy.index`): what the command prints once
 * stays true. It is written once each Secret that counts was seen, so that a new leader takes nothing out of it.
 */
import type { Config } from '../config/config.ts';
import { PROGRAM } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { asObject, dig, get } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { CONFIG_MAP, labelsOf } from '../kube/object.ts';
import type { Inquiry } from '../review/inquiry.ts';
import { policyOf } from '../review/policy.ts';
import { resolveSecret } from '../review/resolve.ts';
import { INDEX_LABELS, INDEX_NAME, fitting, indexOf } from '../review/secret-index.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import type { Controller, ControllerParts } from './controller.ts';
import type { FollowedSecrets } from './followed-secrets.ts';
import { createFollowedSecrets } from './followed-secrets.ts';
import { knownSecrets } from './known-secrets.ts';
import { APPLY, MERGE_PATCH } from './media-types.ts';
import { objectPath } from './paths.ts';
import type { Reflector } from './watch.ts';
import { startReflector } from './watch.ts';
import type { WorkQueue } from './work-queue.ts';
import { createWorkQueue } from './work-queue.ts';

/** What is known of an index that is there. */
interface Written {
  readonly data: JsonObject;
  /** Whether this program wrote it, or the command printed it. */
  readonly isOurs: boolean;
}

interface Keeper {
  readonly parts: ControllerParts;
  readonly settings: Settings;
  readonly secrets: FollowedSecrets;
  readonly indexes: Reflector<Written>;
  /** How many Secrets each index has, and has no room for. */
  readonly sizes: Map<string, Size>;
}

interface Size {
  readonly listed: number;
  readonly left: number;
}

/** Several Secrets of a namespace often change together. */
const GATHERED = 200;
/** Pods and workloads only tell of Secrets that might count. */
const GATHERED_NAMES = 1_000;
/** Some states change by time alone. */
const LOOK_AGAIN = 15_000;
const QUERY = `?fieldManager=${PROGRAM}`;

export function secretIndex(config: Config): Controller {
  const settings = settingsOf(config);
  const watched = config.secrets.access === 'watch';
  return {
    name: 'secret-index',
    async run(parts, signal) {
      const sizes = new Map<string, Size>();
      const queue: WorkQueue = createWorkQueue({
        work: async (namespace) => attend({ parts, settings, secrets, indexes, sizes }, namespace),
        failed: (namespace, error) => parts.tell('index of Secrets not written', { namespace, error }),
      });
      const secrets = createFollowedSecrets({
        world: parts.world,
        lookup: parts.lookup,
        watched,
        interval: config.reload.pollInterval,
        qps: config.reload.qps,
        news: (namespace) => queue.add(namespace, GATHERED),
        failed: onceEach((failure) => parts.tell('Secret not read for its index', { failure })),
      });
      const indexes = startIndexes(parts, (namespace) => queue.add(namespace, GATHERED));
      const observing = [
        parts.world.observe((change) => {
          if (change.what === 'namespace') queue.add(change.name);
          if (change.what !== 'secret' || !parts.isWatched(change.namespace)) return;
          secrets.hurry(change.namespace, change.name);
          queue.add(change.namespace, GATHERED);
        }),
        parts.running.observe(({ after }) => {
          if (!watched && after !== undefined) queue.add(after.namespace, GATHERED_NAMES);
        }),
      ];
      for (const namespace of parts.world.namespaces()) queue.add(namespace);
      await secrets.run(signal);
      for (const stop of observing) stop();
      await Promise.all([queue.stop(), indexes.stop()]);
      sizes.clear();
      measure(parts, sizes);
    },
  };
}

/** One trouble is one line, however often it comes. */
function onceEach(tell: (message: string) => void): (message: string) => void {
  let last = '';
  return (message) => {
    if (message !== last) tell(message);
    last = message;
  };
}

/** Also those of namespaces that opted out while nobody led. */
function startIndexes({ client, tell }: ControllerParts, changed: (namespace: string) => void) {
  return startReflector<Written>(
    client,
    {
      kind: CONFIG_MAP,
      // The permission to list those of this name is enough.
      fieldSelector: `metadata.name=${INDEX_NAME}`,
      reduce: (_kind, raw) => ({
        data: asObject(get(raw, 'data')),
        isOurs: Object.entries(INDEX_LABELS).every(([key, value]) => get(labelsOf(raw), key) === value),
      }),
      changed: ({ namespace }) => changed(namespace),
    },
    { report: ({ event, ...fields }) => tell(`index's watch ${event}`, fields) },
  );
}

/** Resolves with the milliseconds until the next look, or undefined where the namespace is nobody's to index. */
async function attend(keeper: Keeper, namespace: string): Promise<number | undefined> {
  const { parts, secrets, indexes } = keeper;
  if (!indexes.settled()) return GATHERED;
  const written = indexes.objects.get(namespace, INDEX_NAME);
  const read = parts.world.namespace(namespace);
  const isThere =
    read.state === 'present' && dig(read.value.raw, 'metadata', 'deletionTimestamp') === undefined;
  if (!isThere || !parts.isWatched(namespace)) {
    secrets.follow(namespace, new Set());
    if (keeper.sizes.delete(namespace)) measure(parts, keeper.sizes);
    if (isThere && written?.isOurs === true) await remove(parts, namespace);
    return undefined;
  }
  const current = currentIndex(keeper, read.value, namespace);
  if (current === undefined) return LOOK_AGAIN;
  noteSize(keeper, namespace, current);
  await write(parts, namespace, { index: current.index, written });
  return LOOK_AGAIN;
}

function noteSize({ parts, sizes }: Keeper, namespace: string, { index, left }: Current): void {
  const listed = Object.keys(index.data).length;
  const before = sizes.get(namespace);
  if (before?.listed === listed && before.left === left) return;
  sizes.set(namespace, { listed, left });
  measure(parts, sizes);
  if (left === 0 || (before?.left ?? 0) > 0) return;
  const failure = `one object has no room for ${left} of its Secrets: pods that use these are refused by the policy`;
  parts.tell('index of Secrets is full', { namespace, failure });
}

function measure({ telemetry }: ControllerParts, sizes: Keeper['sizes']): void {
  telemetry.gauge(
    'floe_secrets_index_secrets',
    [...sizes].flatMap(([namespace, { listed, left }]) => [
      { labels: { namespace, result: 'listed' }, value: listed },
      ...(left === 0 ? [] : [{ labels: { namespace, result: 'left_out' }, value: left }]),
    ]),
  );
}

type Index = ReturnType<typeof indexOf>;

interface Current {
  readonly index: Index;
  /** Secrets for which it has no room. */
  readonly left: number;
}

/** Undefined while a Secret that counts was not seen yet: what it brings calls again. */
function currentIndex(
  { parts, settings, secrets }: Keeper,
  object: KubeObject,
  namespace: string,
): Current | undefined {
  const { world, config, now } = parts;
  const known = knownSecrets(parts, namespace);
  const names = config.secrets.access === 'watch' ? new Set(world.secretsIn(namespace)) : known;
  secrets.follow(namespace, names);
  if ([...names].some((name) => secrets.secret(namespace, name).state === 'unread')) return undefined;
  const inquiry: Inquiry = {
    settings,
    world: { ...world, secret: secrets.secret },
    now: now(),
    namespace,
    wanted: [],
  };
  const { maxSyncAge } = policyOf(settings, object);
  const states = [...names].map((name) => ({ name, state: resolveSecret(inquiry, name, maxSyncAge).state }));
  const fit = fitting(states, (name) => known.has(name));
  return { index: indexOf(namespace, fit.secrets), left: fit.left };
}

interface Change {
  readonly index: Index;
  readonly written: Written | undefined;
}

async function write(parts: ControllerParts, namespace: string, { index, written }: Change): Promise<void> {
  const path = objectPath(CONFIG_MAP, namespace, INDEX_NAME);
  if (path === undefined) return;
  if (written === undefined) {
    await send(parts, ['PATCH', `${path}${QUERY}&force=true`, index, { contentType: APPLY }]);
    return;
  }
  // Names that others put in go too: an index that says more than is so lets pods through.
  const gone = Object.keys(written.data).filter((name) => index.data[name] === undefined);
  const isSame = Object.entries(index.data).every(([name, state]) => written.data[name] === state);
  if (gone.length === 0 && isSame && written.isOurs) return;
  const data = { ...index.data, ...Object.fromEntries(gone.map((name) => [name, null])) };
  const patch = { metadata: { labels: INDEX_LABELS }, data };
  await send(parts, ['PATCH', path + QUERY, patch, { contentType: MERGE_PATCH }]);
}

async function remove(parts: ControllerParts, namespace: string): Promise<void> {
  const path = objectPath(CONFIG_MAP, namespace, INDEX_NAME);
  if (path === undefined) return;
  await send(parts, ['DELETE', path, undefined]).catch((fault: unknown) => {
    if (errorOfFault(fault).status !== 404) throw fault;
  });
}

async function send({ client, telemetry }: ControllerParts, call: Parameters<Client['send']>): Promise<void> {
  const done = call[0] === 'DELETE' ? 'removed' : 'written';
  try {
    await client.send(...call);
    telemetry.count('floe_secrets_index_writes_total', { result: done });
  } catch (fault) {
    telemetry.count('floe_secrets_index_writes_total', { result: 'failed' });
    throw fault;
  }
}
