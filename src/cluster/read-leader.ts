/** What the leader of an installation runs, seen from outside: one look at its Lease. */
import { DEFAULT_INSTALL_NAMESPACE } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { get, text } from '../kube/json.ts';
import { LEASE, timeOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import { ABSENT, present } from '../kube/world.ts';
import type { Client } from './client.ts';
import { failureOf } from './failure.ts';
import type { Place } from './find-installation.ts';
import { findInstallation } from './find-installation.ts';
import { holdingOf } from './lease.ts';
import { objectPath } from './paths.ts';
import { readObject } from './read-object.ts';

/** The names of the leader's controllers; none where nobody leads. */
export async function readLeader(
  client: Pick<Client, 'get' | 'list' | 'serverTime'>,
  name: string,
): Promise<Read<readonly string[]>> {
  const found = await findInstallation(client, name);
  const place = found.state === 'present' ? found.value : { namespace: DEFAULT_INSTALL_NAMESPACE, name };
  const lease = await readLease(client, place);
  if (lease.state === 'present') return present(controllersOf(lease.value, client.serverTime()));
  // That it is not in the usual place says nothing where nobody could see in which place it is.
  if (lease.state === 'absent') return found.state === 'failed' ? found : present([]);
  return lease;
}

async function readLease(client: Pick<Client, 'get'>, { namespace, name }: Place): Promise<Read<JsonObject>> {
  try {
    const lease = await readObject(client, objectPath(LEASE, namespace, name) ?? '');
    return lease === undefined ? ABSENT : present(lease);
  } catch (fault) {
    return { state: 'failed', failure: failureOf(fault, { verb: 'get', kind: LEASE, namespace }) };
  }
}

function controllersOf(lease: JsonObject, now: number): readonly string[] {
  const { holder, duration, controllers } = holdingOf(lease);
  const renewed = timeOf(text(get(lease, 'spec'), 'renewTime')) ?? 0;
  // The leader's clock wrote that, and one look cannot tell how long it has been so: twice the time is certain.
  return holder !== '' && now - renewed <= 2 * duration ? controllers : [];
}
