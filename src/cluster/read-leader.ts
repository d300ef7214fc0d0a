/** What the leader of an installation runs, seen from outside: one look at its Lease. */
import { get, text } from '../kube/json.ts';
import { LEASE, timeOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import { present } from '../kube/world.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { failureOf } from './failure.ts';
import { holdingOf } from './lease.ts';
import { objectPath } from './paths.ts';

/** Where an installation's Lease is. */
export interface LeasePlace {
  readonly namespace: string;
  readonly name: string;
}

/** The names of the leader's controllers; none where nobody leads. */
export async function readLeader(
  client: Pick<Client, 'get' | 'serverTime'>,
  { namespace, name }: LeasePlace,
): Promise<Read<readonly string[]>> {
  try {
    const lease = await client.get(objectPath(LEASE, namespace, name) ?? '');
    const { holder, duration, controllers } = holdingOf(lease);
    const renewed = timeOf(text(get(lease, 'spec'), 'renewTime')) ?? 0;
    // The leader's clock wrote that, and one look cannot tell how long it has been so: twice the time is certain.
    const isHeld = holder !== '' && client.serverTime() - renewed <= 2 * duration;
    return present(isHeld ? controllers : []);
  } catch (fault) {
    if (errorOfFault(fault).status === 404) return present([]);
    return { state: 'failed', failure: failureOf(fault, { verb: 'get', kind: LEASE, namespace }) };
  }
}
