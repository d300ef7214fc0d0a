/** What controllers told of pods that the API server refused: the newest `FailedCreate` event. */
import { asArray, get, text } from '../kube/json.ts';
import { EVENT, timeOf } from '../kube/object.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { collectionPath, selectedPath } from './paths.ts';

export interface Refusal {
  readonly message: string;
  /** Milliseconds since the epoch; without it it is the present one. */
  readonly at?: number;
}

/** The newest refusal of a pod of one of these owners. Undefined also where events may not be read. */
export async function newestRefusal(
  client: Client,
  namespace: string,
  owners: ReadonlySet<string>,
): Promise<Refusal | undefined> {
  try {
    const answer = await client.get(selectedPath(collectionPath(EVENT, namespace), 'reason=FailedCreate'));
    const events = asArray(get(answer, 'items'))
      .filter((event) => owners.has(text(get(event, 'involvedObject'), 'uid') ?? ''))
      .map((event) => ({ message: text(event, 'message') ?? '', at: seenAt(event) }))
      .sort((one, other) => other.at - one.at);
    return events[0];
  } catch (fault) {
    // A hint that is not there hides nothing: the judgement itself is made anew.
    if (errorOfFault(fault).status === 403) return undefined;
    throw fault;
  }
}

function seenAt(event: unknown): number {
  const times = ['lastTimestamp', 'eventTime', 'firstTimestamp'].map((key) => timeOf(text(event, key)));
  return times.find((time) => time !== undefined) ?? 0;
}
