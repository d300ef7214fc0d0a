/**
 * Refused pods, as the controllers that made them say: their `FailedCreate` Events carry the webhook's words, come
 * from whichever replica refused, and are kept by the API server for an hour. Anybody who may write Events may forge
 * one, so an Event is only a reason to look at the owner that it names.
 */
import { PREFIX } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { dig, get, text } from '../kube/json.ts';
import { EVENT, createdAt, groupOf, namespaceOf, timeOf } from '../kube/object.ts';
import type { WorkloadKind } from '../kube/workload.ts';
import { workloadKind } from '../kube/workload.ts';
import type { Client } from './client.ts';
import type { Reflector } from './watch.ts';
import { startReflector } from './watch.ts';

/** An owner whose pod was refused. */
export interface Denial {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Milliseconds since the epoch, of the newest refusal. */
  readonly at: number;
}

/** Kinds that try at once when they are touched, each shown by a test on a real controller manager. */
const RETRIED = ['ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job'];
/** States that pass: Pending, Failed, Gone, Missing and Empty. Nothing that a person has to correct. */
const REFUSED = new RegExp(`\\.?${PREFIX.slice(0, -1)}" denied the request: FLOE-E80[134]:`);

/** Follows the Events of refused pods. */
export function watchDenials(client: Client, heard: (denial: Denial) => void): Reflector<Denial> {
  return startReflector(client, {
    kind: EVENT,
    fieldSelector: 'reason=FailedCreate',
    reduce: (_kind, raw) => denialOf(raw),
    changed: ({ after }) => {
      if (after !== undefined) heard(after);
    },
  });
}

function denialOf(event: JsonObject): Denial | undefined {
  const owner = get(event, 'involvedObject');
  const kind = workloadKind(groupOf(text(owner, 'apiVersion') ?? ''), text(owner, 'kind') ?? '');
  const [name, uid] = [text(owner, 'name'), text(owner, 'uid')];
  if (kind === undefined || name === undefined || uid === undefined || !RETRIED.includes(kind.kind))
    return undefined;
  if (!REFUSED.test(text(event, 'message') ?? '')) return undefined;
  const times = [
    text(event, 'lastTimestamp'),
    text(dig(event, 'series'), 'lastObservedTime'),
    text(event, 'eventTime'),
  ];
  const at = Math.max(...times.map((time) => timeOf(time) ?? 0), createdAt(event) ?? 0);
  return { kind, namespace: namespaceOf(event), name, uid, at };
}
