/** What a Secret that passes to Infisical meets in the cluster: who writes it already, and how its resource is to be. */
import { targetsOf } from '../cluster/watched-kinds.ts';
import { readNamespaces, readSyncResources } from '../cluster/snapshot.ts';
import { nameOf } from '../kube/object.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { InfisicalWish } from '../migrate/infisical-target.ts';
import type { Surroundings } from '../migrate/standing-secret.ts';
import type { Looking } from './migrate-source.ts';
import { homeAt } from './migrate-source.ts';
import { wishFor, wishedKind } from './migrate-wish.ts';

export interface Neighbours {
  of(namespace: string, secret: string): Surroundings & { readonly wish: InfisicalWish };
  /** What could not be seen. */
  readonly failures: readonly ReadFailure[];
}

export async function readNeighbours(looking: Looking): Promise<Neighbours> {
  const { client, namespace, options, settings, terminal } = looking;
  const view = { kinds: settings.kinds, ...(namespace === undefined ? {} : { namespace }) };
  const [kind, seen, namespaces] = await Promise.all([
    wishedKind(client, options),
    readSyncResources(client, view),
    readNamespaces(client, view),
  ]);
  const claimants = new Map<string, string[]>();
  for (const object of seen.syncResources) {
    for (const target of targetsOf(settings.kinds, object)) {
      const key = `${target.namespace}/${target.name}`;
      claimants.set(key, [...(claimants.get(key) ?? []), `${object.kind.kind} '${nameOf(object.raw)}'`]);
    }
  }
  return {
    of(place, secret) {
      const { policy } = homeAt(place, namespaces, settings);
      const wish = wishFor({ kind, options, settings: settings.config.upstream, env: terminal.env, policy });
      const { login } = wish;
      const credentials = login !== undefined && 'credentials' in login ? login.credentials : undefined;
      return { wish, credentials, claimants: claimants.get(`${place}/${secret}`) ?? [] };
    },
    failures: seen.failures,
  };
}
