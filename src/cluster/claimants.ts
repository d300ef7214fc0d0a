/** The sync resources of one review: what watches know, and over it what was read live before a refusal. */
import type { KubeObject } from '../kube/object.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import { identityOf, inOrder } from '../kube/target-index.ts';
import type { KindState, ReadFailure, World } from '../kube/world.ts';
import { KNOWN, watchedRead } from '../kube/world.ts';
import type { Target } from '../plugins/plugin.ts';
import { resourceName } from './paths.ts';

export interface Claimants extends Pick<World, 'targeting' | 'watched' | 'kind'> {
  /** Puts a sync resource's live state in the place of the watched one; undefined where it is gone. */
  replace(watched: KubeObject, live: KubeObject | undefined): void;
  /** Leaves out a resource that could not be read when it mattered: its kind then counts as not readable. */
  doubt(watched: KubeObject, failure: ReadFailure): void;
}

export function createClaimants(world: World, targets: (object: KubeObject) => readonly Target[]): Claimants {
  const replaced = new Map<string, KubeObject | undefined>();
  const doubts = new Map<string, KindState>();
  const isReplaced = (object: KubeObject): boolean => replaced.has(identity(object));
  return {
    targeting(namespace, secret) {
      const watched = world.targeting(namespace, secret);
      if (replaced.size === 0) return watched;
      const live = [...replaced.values()].filter((object) => object !== undefined);
      // A resource that was edited may have turned to another Secret.
      const targeting = live.filter((object) =>
        targets(object).some((target) => target.namespace === namespace && target.name === secret),
      );
      return [...watched.filter((object) => !isReplaced(object)), ...targeting].toSorted(inOrder);
    },
    watched(kind, namespace, name) {
      const key = identityOf(kind, namespace, name);
      if (!replaced.has(key)) return world.watched(kind, namespace, name);
      return watchedRead(replaced.get(key), doubts.get(resourceName(kind)) ?? KNOWN);
    },
    kind: (kind) => doubts.get(resourceName(kind)) ?? world.kind(kind),
    replace: (watched, live) => void replaced.set(identity(watched), live),
    doubt(watched, failure) {
      replaced.set(identity(watched), undefined);
      doubts.set(resourceName(watched.kind), { state: 'failed', failure });
    },
  };
}

/** 'Kind/namespace/name', as verdicts name claimants. */
export function claimantName(object: KubeObject): string {
  return `${object.kind.kind}/${namespaceOf(object.raw)}/${nameOf(object.raw)}`;
}

function identity(object: KubeObject): string {
  return identityOf(object.kind, namespaceOf(object.raw), nameOf(object.raw));
}
