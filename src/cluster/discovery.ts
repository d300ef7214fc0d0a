/** Which kinds this API server has. */
import { asArray, get, text } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { groupVersionPath } from './paths.ts';

const TIMEOUT = 5_000;

/** The kind in each of its versions, the newest first. */
export function versionsOf(kind: ResourceKind): readonly ResourceKind[] {
  return [kind, ...(kind.olderVersions ?? []).map((version) => ({ ...kind, version }))];
}

/**
 * Whether the kind is in the discovery of its group and version. RBAC answers before the path is looked up, so
 * that 403 alone does not tell. True where discovery cannot be read.
 */
export async function isServed(client: Client, kind: ResourceKind): Promise<boolean> {
  try {
    return await isDiscovered(client, kind);
  } catch {
    return true;
  }
}

/** The same, but throws ApiError where discovery cannot be read. */
export async function isDiscovered(client: Client, kind: ResourceKind): Promise<boolean> {
  try {
    const discovery = await client.get(groupVersionPath(kind), { timeoutMs: TIMEOUT });
    return asArray(get(discovery, 'resources')).some((one) => text(one, 'name') === kind.plural);
  } catch (fault) {
    if (errorOfFault(fault).status === 404) return false;
    throw fault;
  }
}
