/** What a migration calls the objects that it makes, so that the next run finds them. */
import { createHash } from 'node:crypto';
import { PREFIX } from '../contract/keys.ts';

/** On everything that a migration makes: `record`, `done` or `rehearsal`. */
export const MIGRATION = `${PREFIX}migration`;

/** What the API server takes at most. */
const MAX_NAME = 253;

/** The ConfigMap that tells of a Secret's migration. */
export function recordName(secret: string): string {
  return bounded(`floe-migration-${secret}`);
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
