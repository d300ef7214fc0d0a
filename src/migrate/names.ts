/** What a migration calls the objects that it makes, so that the next run finds them. */
import { createHash } from 'node:crypto';
import { PREFIX } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { text } from '../kube/json.ts';
import { nameOf } from '../kube/object.ts';

/** On everything that a migration makes: `record`, `done` or `rehearsal`. */
export const MIGRATION = `${PREFIX}migration`;

/** What the API server takes at most. */
const MAX_NAME = 253;

/** What a record is of: a Secret, or a resource that pushes one, beside whatever writes that. */
export interface Recorded {
  readonly secret: string;
  readonly from?: JsonObject;
  readonly to?: JsonObject;
}

/** The ConfigMap that tells of a migration. */
export function recordName({ secret, from, to }: Recorded): string {
  const kind = text(from ?? to, 'kind') ?? '';
  return bounded(`floe-migration-${kind.endsWith('PushSecret') ? `push-${nameOf(from ?? to)}` : secret}`);
}

/** The sync resource that rehearses another, and the Secret that it writes. */
export function rehearsalName(name: string): string {
  return bounded(`${name}-floe-rehearsal`);
}

/** A name that is too long ends in ten digits of its hash in the place of the rest. */
function bounded(name: string): string {
  if (name.length <= MAX_NAME) return name;
  const digits = createHash('sha256').update(name).digest('hex').slice(0, 10);
  return `${name.slice(0, MAX_NAME - 11).replace(/[-.]+$/, '')}-${digits}`;
}
