/** What may have been meant by a Secret that is not there: look-alikes, and resources whose targets are encrypted. */
import { nearest } from '../kube/nearest.ts';
import type { User } from '../kube/world.ts';
import type { Bench } from './bench.ts';
import { reportOfAbsent } from './claim-words.ts';
import { claimBy, viewOf } from './claims.ts';
import { askAccess } from './inquiry.ts';
import { kindKey } from './settings.ts';

/** Secrets of one review for which a look-alike is looked for: a message has no room for more. */
const MOST = 10;

/** A name that a person may have meant: only for people, and only who may list Secrets here anyway. */
export function lookAlike({ inquiry, user }: Bench, secret: string): string | undefined {
  inquiry.lookAlikes = (inquiry.lookAlikes ?? 0) + 1;
  if (isProgram(user) || inquiry.lookAlikes > MOST) return undefined;
  const targets = inquiry.world.targetsIn(inquiry.namespace);
  const near = targets.find((name) => name.endsWith(`-${secret}`)) ?? nearest(secret, targets);
  return near !== undefined && mayBeTold({ inquiry, user }) ? near : undefined;
}

/**
 * A resource whose targets' names cannot be read may be what should have written it: the worst one tells. It need
 * not be this Secret's, so it is named as look-alikes are: only to people who may list Secrets here.
 */
export function opaqueClause({ inquiry, user }: Bench): string {
  const { world, namespace, settings } = inquiry;
  const claims = world.opaqueIn(namespace).flatMap((object) => {
    const known = settings.kindOf.get(kindKey(object.kind));
    return known === undefined ? [] : [claimBy(object, known, viewOf(inquiry))];
  });
  const telling = claims.find((claim) => claim.health.verdict === 'failing') ?? claims[0];
  if (telling === undefined) return '';
  const { kind } = telling.object.kind;
  if (!mayBeTold({ inquiry, user }))
    return `; it may be one of those whose names a ${kind} here keeps encrypted`;
  return `; it may be one of those whose names are encrypted: ${reportOfAbsent(telling, namespace)}`;
}

function mayBeTold({ inquiry, user }: Pick<Bench, 'inquiry' | 'user'>): boolean {
  return !isProgram(user) && askAccess(inquiry, user, 'list', 'secrets');
}

function isProgram({ username }: User): boolean {
  return username === '' || username.startsWith('system:');
}
