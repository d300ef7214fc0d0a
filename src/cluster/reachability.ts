/**
 * Whether the API server reaches a replica: asked by the trial (dry run) of a Lease that the webhook `reachable` is
 * registered for. A replica that is reached refuses it; where none is, the trial passes, for that webhook is one of
 * `failurePolicy: Ignore`.
 */
import { apiVersionOf, LEASE } from '../kube/object.ts';
import { REACHABLE_LABEL, WEBHOOKS } from '../contract/webhooks.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { collectionPath } from './paths.ts';

export interface Reachability {
  /** `unasked`: who asks may not try. */
  readonly outcome: 'reached' | 'not-reached' | 'unasked';
  /** Who answered, or what came instead. */
  readonly message: string;
}

const TIMEOUT = 10_000;

/** Asks once. A failure to ask is an answer too: not reached. */
export async function askReachability(
  client: Client,
  namespace: string,
  name: string,
): Promise<Reachability> {
  const path = `${collectionPath(LEASE, namespace)}?dryRun=All`;
  const trial = {
    apiVersion: apiVersionOf(LEASE),
    kind: LEASE.kind,
    metadata: { generateName: `${name}-reachable-`, namespace, labels: { [REACHABLE_LABEL]: name } },
  };
  try {
    await client.post(path, trial, { timeoutMs: TIMEOUT });
    return { outcome: 'not-reached', message: 'the API server got no answer of the webhook' };
  } catch (fault) {
    const { status, message } = errorOfFault(fault);
    if (message.includes(`"${WEBHOOKS.reachable}" denied the request`))
      return { outcome: 'reached', message };
    return { outcome: status === 403 ? 'unasked' : 'not-reached', message };
  }
}
