/** Whether there is a place to examine: a namespace that does not exist explains whatever else is missing. */
import { whereInstead } from './find-installation.ts';
import type { Finding, Installation } from './patient.ts';
import { isMissing } from './snapshot.ts';

/** Undefined where it is there, or nobody may see whether it is. */
export async function missingNamespace(installation: Installation): Promise<Finding | undefined> {
  const { client, namespace } = installation;
  if (!(await isMissing(client, namespace))) return undefined;
  const message = `there is no namespace ${namespace}`;
  return { check: 'namespace', outcome: 'failed', message, fix: await whereInstead(client, installation) };
}
