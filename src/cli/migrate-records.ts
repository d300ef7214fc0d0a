/** The records of migrations: found by their label, and taken away where nobody wants the way back any more. */
import type { Client } from '../cluster/client.ts';
import { collectionPath, objectPath } from '../cluster/paths.ts';
import { CONFIG_MAP } from '../kube/object.ts';
import type { Conversion } from '../migrate/conversion.ts';
import { recordName } from '../migrate/names.ts';
import type { MigrationRecord } from '../migrate/record.ts';
import { RECORDS, recordOf } from '../migrate/record.ts';
import { text } from '../kube/json.ts';
import { nameOf } from '../kube/object.ts';
import { CommandError, EXIT } from './terminal.ts';

/** Those of a namespace, or of all. */
export async function readRecords(
  client: Client,
  namespace: string | undefined,
): Promise<readonly MigrationRecord[]> {
  const path = `${collectionPath(CONFIG_MAP, namespace)}?labelSelector=${encodeURIComponent(RECORDS)}`;
  const records: MigrationRecord[] = [];
  for await (const { items } of client.list(path)) {
    records.push(...items.map(recordOf).filter((record) => record !== undefined));
  }
  return records;
}

/** A record as what it tells of: nothing of it is asked of the cluster. */
export function conversionOf({ namespace, secret, from, to, copy }: MigrationRecord): Conversion {
  return {
    namespace,
    secret,
    kind: from === undefined ? 'Secret' : (text(from, 'kind') ?? ''),
    name: from === undefined ? secret : nameOf(from),
    source: '-',
    to,
    obstacles: [],
    notes: [],
    ...(from === undefined ? {} : { from }),
    ...(copy === undefined ? {} : { copy }),
  };
}

export async function forgetRecord(client: Client, record: MigrationRecord): Promise<void> {
  const { namespace, secret, state } = record;
  if (state === 'open') {
    throw new CommandError(
      `Secret '${secret}' in namespace '${namespace}' is under way: --apply goes on, --rollback goes back`,
      EXIT.general,
    );
  }
  await client.send('DELETE', objectPath(CONFIG_MAP, namespace, recordName(record)) ?? '', undefined);
}
