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
import { INDEX_LABELS, INDEX_NAME, indexOf } from '../review/secret-index.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import { errorOfFault } from './api-error.ts';
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
      const queue: WorkQueue = createWorkQueue({
        work: async (namespace) => attend({ parts, settings, secrets, indexes }, namespace),
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
    if (isThere && written?.isOurs === true) await remove(parts, namespace);
    return undefined;
  }
  const index = currentIndex(keeper, read.value, namespace);
  if (index !== undefined) await write(parts, namespace, { index, written });
  return LOOK_AGAIN;
}

type Index = ReturnType<typeof indexOf>;

/** Undefined while a Secret that counts was not seen yet: what it brings calls again. */
function currentIndex(
  { parts, settings, secrets }: Keeper,
  object: KubeObject,
  namespace: string,
): Index | undefined {
  const { world, config, now } = parts;
  const names =
    config.secrets.access === 'watch' ? new Set(world.secretsIn(namespace)) : knownSecrets(parts, namespace);
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
  return indexOf(namespace, states);
}

interface Change {
  readonly index: Index;
  readonly written: Written | undefined;
}

async function write(
  { client }: ControllerParts,
  namespace: string,
  { index, written }: Change,
): Promise<void> {
  const path = objectPath(CONFIG_MAP, namespace, INDEX_NAME);
  if (path === undefined) return;
  if (written === undefined) {
    await client.send('PATCH', `${path}${QUERY}&force=true`, index, { contentType: APPLY });
    return;
  }
  // Names that others put in go too: an index that says more than is so lets pods through.
  const gone = Object.keys(written.data).filter((name) => index.data[name] === undefined);
  const isSame = Object.entries(index.data).every(([name, state]) => written.data[name] === state);
  if (gone.length === 0 && isSame && written.isOurs) return;
  const data = { ...index.data, ...Object.fromEntries(gone.map((name) => [name, null])) };
  const patch = { metadata: { labels: INDEX_LABELS }, data };
  await client.send('PATCH', path + QUERY, patch, { contentType: MERGE_PATCH });
}

async function remove({ client }: ControllerParts, namespace: string): Promise<void> {
  const path = objectPath(CONFIG_MAP, namespace, INDEX_NAME);
  if (path === undefined) return;
  await client.send('DELETE', path, undefined).catch((fault: unknown) => {
    if (errorOfFault(fault).status !== 404) throw fault;
  });
}
