/** Whether there is a place to examine: a namespace that does not exist explains whatever else is missing. */
import { NAMESPACE } from '../kube/object.ts';
import { errorOfFault } from './api-error.ts';
import { whereInstead } from './find-installation.ts';
import { objectPath } from './paths.ts';
import type { Finding, Installation } from './patient.ts';
import { readObject } from './read-object.ts';

/** Undefined where it is there, or nobody may see whether it is. */
export async function missingNamespace(installation: Installation): Promise<Finding | undefined> {
  const { client, namespace } = installation;
  try {
    const path = objectPath(NAMESPACE, '', namespace);
    if (path !== undefined && (await readObject(client, path)) !== undefined) return undefined;
  } catch (fault) {
    const error = errorOfFault(fault);
    if (error.status === 0) throw error;
    return undefined;
  }
  const message = `there is no namespace ${namespace}`;
  return { check: 'namespace', outcome: 'failed', message, fix: await whereInstead(client, installation) };
}
