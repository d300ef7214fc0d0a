/** The live cluster in one call: watches, live reads, and the admission over both. */
import type { Config } from '../config/config.ts';
import type { KubeObject } from '../kube/object.ts';
import type { SyncKind } from '../plugins/plugin.ts';
import type { Admission, AdmissionParts } from './admit.ts';
import { createAdmission } from './admit.ts';
import { secretKey } from './answers.ts';
import type { Client } from './client.ts';
import type { Lookup } from './lookup.ts';
import { createLookup } from './lookup.ts';
import type { WatchOptions } from './watch.ts';
import { targetsOf } from './watched-kinds.ts';
import type { LiveWorld } from './world.ts';
import { startWorld } from './world.ts';

export interface LiveClusterOptions extends WatchOptions {
  readonly client: Client;
  /** The sync resources to watch; those whose CRDs are not installed wait for them. */
  readonly kinds: readonly SyncKind[];
  readonly config: { readonly secrets: Config['secrets'] };
  /** Whether some replica leads and runs this controller. */
  readonly serves?: ((controller: string) => boolean) | undefined;
  /** Told for each Secret that a review asks for. */
  readonly count?: ((result: 'hit' | 'miss') => void) | undefined;
}

/** What an admission over it is given besides. */
export type LiveAdmissionParts = Pick<AdmissionParts, 'review' | 'now' | 'pressed' | 'leftOut'>;

export interface LiveCluster {
  readonly world: LiveWorld;
  readonly lookup: Lookup;
  admission(parts: LiveAdmissionParts): Admission;
  ready: LiveWorld['ready'];
  /** Every sync resource that is known. */
  syncObjects(): Iterable<KubeObject>;
  /** Ends the watches; the client stays open and is its maker's to close. */
  stop(): Promise<void>;
}

export function createLiveCluster(options: LiveClusterOptions): LiveCluster {
  const { client, kinds, count } = options;
  const { access, cacheMax, cacheTtl } = options.config.secrets;
  const world = startWorld(client, kinds, {
    watchSecrets: access === 'watch',
    serves: options.serves,
    ...(options.times === undefined ? {} : { times: options.times }),
    report: options.report,
  });
  const lookup = createLookup(client, { max: cacheMax, ttl: cacheTtl });
  // An operator tells in its resource's status that it has written: a pod that comes now has the new version.
  world.observe((change) => {
    if (change.what === 'secret') lookup.memory.forget(secretKey(change.namespace, change.name));
  });
  return {
    world,
    lookup,
    admission: ({ pressed, ...parts }) =>
      createAdmission({
        ...parts,
        world,
        lookup,
        count,
        pressed: () => lookup.crowded?.() === true || pressed?.() === true,
        targets: (object) => targetsOf(kinds, object),
      }),
    ready: world.ready,
    syncObjects: world.syncObjects,
    stop: world.stop,
  };
}
