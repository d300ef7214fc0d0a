/** Takes our scheduling gate away from a pod: the controller does it, and who uninstalls. */
import { GATE } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { asArray, dig, text } from '../kube/json.ts';
import { uidOf } from '../kube/object.ts';
import type { PatchOperation } from '../review/decision.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { JSON_PATCH } from './media-types.ts';
import { podPath } from './regarding.ts';

export interface OpenOptions {
  /** What else is written on the pod. */
  readonly marks?: readonly PatchOperation[];
  readonly dryRun?: boolean;
}

/** Opens the gate of a pod as it was read; false where it is gone or open already. Throws ApiError. */
export async function openGate(
  client: Pick<Client, 'send'>,
  pod: JsonObject,
  { marks = [], dryRun = false }: OpenOptions = {},
): Promise<boolean> {
  const index = gateIndex(pod);
  if (index === -1) return false;
  const path = `/spec/schedulingGates/${index}`;
  const operations = [
    { op: 'test', path: '/metadata/uid', value: uidOf(pod) },
    { op: 'test', path: `${path}/name`, value: GATE },
    { op: 'remove', path },
    ...marks.map((operation) => ({ ...operation })),
  ];
  try {
    await client.send('PATCH', `${podPath(pod)}${dryRun ? '?dryRun=All' : ''}`, operations, {
      contentType: JSON_PATCH,
    });
    return true;
  } catch (fault) {
    if (errorOfFault(fault).status === 404) return false;
    throw fault;
  }
}

/** Where our gate stands among the pod's; -1 where it is not. */
export function gateIndex(pod: unknown): number {
  return asArray(dig(pod, 'spec', 'schedulingGates')).findIndex((gate) => text(gate, 'name') === GATE);
}
