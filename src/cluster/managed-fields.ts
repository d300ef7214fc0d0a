/** `metadata.managedFields`: who wrote which fields when. A hint, since a client may clear it. */
import { KEYS, PROGRAM } from '../contract/keys.ts';
import type { Json } from '../kube/json.ts';
import { asArray, asObject, dig, get, isObject, text } from '../kube/json.ts';
import { timeOf } from '../kube/object.ts';
import type { SecretWrite } from '../kube/secret.ts';

const RESTART_FIELDS = [
  ['f:spec', 'f:template', 'f:metadata', 'f:annotations', `f:${KEYS.restartedAt}`],
  ['f:spec', 'f:restartAt'],
] as const;
const DATA_FIELDS = ['f:data', 'f:stringData'] as const;

/** Names of a Secret's data entries that some writer owns. */
export function keysOfManagedFields(raw: unknown): readonly string[] {
  return entriesOf(raw).flatMap((entry) =>
    DATA_FIELDS.flatMap((field) => Object.keys(asObject(dig(entry, 'fieldsV1', field))))
      .filter((key) => key.startsWith('f:'))
      .map((key) => key.slice('f:'.length)),
  );
}

/** The writes of an object, one for each manager and subresource; those without a time are left out. */
export function writesOf(raw: unknown): readonly SecretWrite[] {
  return entriesOf(raw).flatMap((entry) => {
    const time = timeOf(text(entry, 'time'));
    if (time === undefined) return [];
    const data = DATA_FIELDS.some((field) => isObject(dig(entry, 'fieldsV1', field)));
    return [{ manager: text(entry, 'manager') ?? '', time, data }];
  });
}

/** Milliseconds since the epoch of the newest write of the spec; a write of a subresource is none. */
export function specWrittenAt(raw: unknown): number | undefined {
  const times = entriesOf(raw)
    .filter((entry) => get(asObject(get(entry, 'fieldsV1')), 'f:spec') !== undefined)
    .filter((entry) => (text(entry, 'subresource') ?? '') === '')
    .flatMap((entry) => timeOf(text(entry, 'time')) ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Milliseconds since the epoch of this project's last restart of a workload: its one field that is applied. */
export function restartAppliedAt(raw: unknown): number | undefined {
  const entry = entriesOf(raw)
    .filter((one) => text(one, 'manager') === PROGRAM && text(one, 'operation') === 'Apply')
    .find((one) => RESTART_FIELDS.some((path) => dig(one, 'fieldsV1', ...path) !== undefined));
  return timeOf(text(entry, 'time'));
}

function entriesOf(raw: unknown): readonly Json[] {
  return asArray(dig(raw, 'metadata', 'managedFields'));
}
