/**
 * The pods and workloads of the opted-in namespaces, as watches know them, with the two ways through them: from a
 * Secret to the pods that use it, from a pod to its owners. Only the leader keeps them.
 */
import type { JsonObject } from '../kube/json.ts';
import type { OwnerReference, ResourceKind } from '../kube/object.ts';
import { POD, groupOf, namespaceOf } from '../kube/object.ts';
import type { PodRecord, WorkloadRecord } from '../kube/running.ts';
import type { WorkloadKind } from '../kube/workload.ts';
import { WORKLOADS, workloadKind } from '../kube/workload.ts';
import { hasGate } from '../review/gate.ts';
import type { Client } from './client.ts';
import { createListeners } from './listeners.ts';
import { resourceName } from './paths.ts';
import { reducePod, reduceWorkload } from './reduce-running.ts';
import { createUseIndex } from './use-index.ts';
import type { Reflector, WatchOptions } from './watch.ts';
import { startReflector } from './watch.ts';
import type { LiveWorld } from './world.ts';

export interface RunningCluster {
  pod(namespace: string, name: string): PodRecord | undefined;
  pods(): Iterable<PodRecord>;
  /** The pods that name this Secret, injected or by themselves. */
  podsUsing(namespace: string, secret: string): readonly PodRecord[];
  /** Names of the Secrets that pods of this namespace name. */
  secretsIn(namespace: string): Iterable<string>;
  /** The namespaces with pods that name Secrets. */
  namespaces(): Iterable<string>;
  workload(
    kind: Pick<ResourceKind, 'group' | 'kind'>,
    namespace: string,
    name: string,
  ): WorkloadRecord | undefined;
  workloads(): Iterable<WorkloadRecord>;
  /** A pod's or a workload's owners, nearest first: ReplicaSet, Deployment. Only live ones, of the uid that is named. */
  ownersOf(owned: PodRecord | WorkloadRecord): readonly WorkloadRecord[];
  ready(): boolean;
  /** Calls for each change, until the function that it gives is called. */
  observe(listener: (change: RunningChange) => void): () => void;
  stop(): Promise<void>;
}

/** `after` is undefined where it is gone, `before` where it is new. */
export type RunningChange =
  | { readonly what: 'pod'; readonly before?: PodRecord; readonly after?: PodRecord }
  | { readonly what: 'workload'; readonly before?: WorkloadRecord; readonly after?: WorkloadRecord };

export interface RunningOptions extends WatchOptions {
  readonly world: Pick<LiveWorld, 'observe'>;
  /** Whether the pods of this namespace are this program's business. */
  isWatched(namespace: string): boolean;
}

/** Of these the template is of no use: their pods, or another object's template, tell the same. */
const METADATA_IS_ENOUGH = ['ReplicaSet', 'Job', 'CronJob'];
const NOT_WATCHED = ['ReplicationController'];
/** Namespaces are often labelled several at a time, and each new one asks for a new list. */
const GATHERED = 300;
const LONGEST_CHAIN = 4;

export function startRunning(client: Client, options: RunningOptions): RunningCluster {
  const changes = createListeners<RunningChange>();
  const index = createUseIndex();
  const watched = namespacesOf(options);
  const pods = startReflector(
    client,
    {
      kind: POD,
      // A gate of ours is to be opened also where the namespace has opted out since.
      reduce: (_kind: ResourceKind, raw: JsonObject) =>
        watched.has(namespaceOf(raw)) || hasGate(raw) ? reducePod(raw) : undefined,
      changed: ({ before, after }) => {
        index.replace(before, after);
        changes.tell({ what: 'pod', ...given({ before, after }) });
      },
    },
    options,
  );
  const kinds = WORKLOADS.filter(({ kind }) => !NOT_WATCHED.includes(kind));
  const workloads = new Map(
    kinds.map((kind) => [
      resourceName(kind),
      startWorkloads(client, kind, { options, watched, tell: changes.tell }),
    ]),
  );
  const all: readonly Reflector<unknown>[] = [pods, ...workloads.values()];
  const unobserve = watched.follow(() => all.forEach((reflector) => reflector.recheck()));

  const workload: RunningCluster['workload'] = ({ group, kind }, namespace, name) => {
    const known = workloadKind(group, kind);
    return known === undefined ? undefined : workloads.get(resourceName(known))?.objects.get(namespace, name);
  };
  const ownerOf = (namespace: string, owner: OwnerReference | undefined): WorkloadRecord | undefined => {
    if (owner === undefined) return undefined;
    const found = workload({ group: groupOf(owner.apiVersion), kind: owner.kind }, namespace, owner.name);
    return found?.uid === owner.uid ? found : undefined;
  };
  return {
    pod: (namespace, name) => pods.objects.get(namespace, name),
    pods: () => pods.objects.values(),
    podsUsing: (namespace, secret) => index.podsUsing(namespace, secret),
    secretsIn: (namespace) => index.secretsIn(namespace),
    namespaces: index.namespaces,
    workload,
    *workloads() {
      for (const reflector of workloads.values()) yield* reflector.objects.values();
    },
    ownersOf(owned) {
      const owners: WorkloadRecord[] = [];
      let next = ownerOf(owned.namespace, owned.owner);
      while (next !== undefined && owners.length < LONGEST_CHAIN) {
        owners.push(next);
        next = ownerOf(next.namespace, next.owner);
      }
      return owners;
    },
    ready: () => all.every((reflector) => reflector.settled()),
    observe: changes.add,
    async stop() {
      unobserve();
      await Promise.all(all.map(async (reflector) => reflector.stop()));
    },
  };
}

interface Keeping {
  readonly options: RunningOptions;
  readonly watched: Pick<Watched, 'has'>;
  tell(change: RunningChange): void;
}

function startWorkloads(
  client: Client,
  kind: WorkloadKind,
  { options, watched, tell }: Keeping,
): Reflector<WorkloadRecord> {
  const whole = !METADATA_IS_ENOUGH.includes(kind.kind);
  return startReflector(
    client,
    {
      kind,
      metadataOnly: !whole,
      reduce: (_version, raw) =>
        watched.has(namespaceOf(raw)) ? reduceWorkload(kind, raw, whole) : undefined,
      changed: ({ before, after }) => tell({ what: 'workload', ...given({ before, after }) }),
    },
    options,
  );
}

function given<T>({ before, after }: { readonly before: T | undefined; readonly after: T | undefined }): {
  readonly before?: T;
  readonly after?: T;
} {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

/** Which namespaces are kept. The answer to a name stays until its namespace changes, and with it what is listed. */
interface Watched {
  has(namespace: string): boolean;
  /** Calls when other namespaces are kept than before. */
  follow(changed: () => void): () => void;
}

function namespacesOf({ world, isWatched }: RunningOptions): Watched {
  const known = new Map<string, boolean>();
  return {
    has(namespace) {
      const before = known.get(namespace);
      if (before !== undefined) return before;
      const now = isWatched(namespace);
      known.set(namespace, now);
      return now;
    },
    follow(changed) {
      let timer: NodeJS.Timeout | undefined;
      const stop = world.observe((change) => {
        if (change.what !== 'namespace') return;
        const before = known.get(change.name);
        if (before === undefined || before === isWatched(change.name)) return;
        known.set(change.name, !before);
        timer ??= setTimeout(() => {
          timer = undefined;
          changed();
        }, GATHERED);
      });
      return () => {
        stop();
        clearTimeout(timer);
      };
    },
  };
}
