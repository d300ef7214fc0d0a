/** What `sync` is about: a Secret and the resources that sync it, whichever of them was named. */
import { wordsOf } from '../cluster/failure.ts';
import { targetsOf } from '../cluster/watched-kinds.ts';
import type { State } from '../contract/reasons.ts';
import type { KubeObject } from '../kube/object.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import type { Resolution } from '../review/resolve.ts';
import { resolveSecret } from '../review/resolve.ts';
import type { Settings } from '../review/settings.ts';
import type { LiveWorld } from './live-world.ts';
import { exitCodeOfFailure } from './observe.ts';
import { CommandError, EXIT, worstExit } from './terminal.ts';

export interface SyncSubject {
  readonly namespace: string;
  /** The Secret's name. */
  readonly secret: string;
  /** The resources that sync it; never none. */
  readonly objects: readonly KubeObject[];
  readonly resolution: Resolution;
}

/** How it stands now. */
export interface Outcome {
  readonly namespace: string;
  readonly name: string;
  readonly state: State;
  readonly keys?: number;
  readonly reason?: string;
}

/** By the Secret's name, else by that of a sync resource in the namespace. */
export async function subjectOf(live: LiveWorld, settings: Settings, name: string): Promise<SyncSubject> {
  const namespace = live.home;
  const targeting = live.world.targeting(namespace, name);
  const secret = targeting.length > 0 ? name : secretOfResource(live, settings, name);
  await live.read([
    { what: 'namespace', name: namespace },
    { what: 'secret', namespace, name: secret, full: true },
  ]);
  const inquiry = { settings, world: live.world, now: Date.now(), namespace, wanted: [] };
  const resolution = resolveSecret(inquiry, secret);
  const { trusted, foreign } = resolution.claims;
  const objects = trusted.map(({ object }) => object);
  if (objects.length > 0) return { namespace, secret, objects, resolution };
  const code = worstExit([...live.failures().map(exitCodeOfFailure), EXIT.general]);
  throw new CommandError(nobody({ namespace, secret, resolution, live }, foreign.length), code);
}

/** Of a resource with several targets, any of them tells of the same pass. */
function secretOfResource({ world, home }: LiveWorld, settings: Settings, name: string): string {
  const all = world.targetsIn(home).flatMap((target) => world.targeting(home, target));
  const resource = all.find((object) => nameOf(object.raw) === name && namespaceOf(object.raw) === home);
  if (resource === undefined) return name;
  return targetsOf(settings.kinds, resource).find(({ namespace }) => namespace === home)?.name ?? name;
}

interface Alone {
  readonly namespace: string;
  readonly secret: string;
  readonly resolution: Resolution;
  readonly live: LiveWorld;
}

function nobody({ namespace, secret, resolution, live }: Alone, foreign: number): string {
  const what = `Secret '${secret}' in namespace '${namespace}'`;
  const unseen = wordsOf(live.failures());
  if (unseen.length > 0) return `what syncs ${what} is not known: ${unseen.join('; ')}`;
  if (foreign > 0) return `${what} is synced from another namespace alone: ask there`;
  if (resolution.record === undefined) return `there is no ${what}, and nothing syncs one`;
  return `nothing syncs ${what}: it is a native Secret`;
}

export function outcomeOf({ namespace, secret, resolution }: SyncSubject): Outcome {
  const { state, record, why, failure } = resolution;
  const reason = why ?? failure?.message;
  return {
    namespace,
    name: secret,
    state,
    ...(record === undefined ? {} : { keys: record.keys.length }),
    ...(reason === undefined ? {} : { reason }),
  };
}
