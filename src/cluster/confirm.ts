/** The second look, before a refusal: everything that it rests on is read live, past every memory. */
import type { KubeObject } from '../kube/object.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import type { ReadFailure, Want } from '../kube/world.ts';
import type { Decision, Verdict } from '../review/decision.ts';
import { claimantName } from './claimants.ts';
import type { Overlay } from './overlay.ts';
import type { Session } from './session.ts';
import { ask, distinct } from './session.ts';

/** Whoever may make sync resources may let thousands of them target one Secret: the watch's word counts for the others. */
const MOST_GROUNDS = 200;

/** Before a no: everything that it rests on is read live, past the memory. */
export async function confirm(session: Session, refused: Decision): Promise<void> {
  const { overlay, request } = session;
  const denied = refused.verdicts.filter((verdict) => verdict.denied);
  const secrets = denied.flatMap((verdict) => secretOf(overlay, request.namespace, verdict));
  const wants = distinct([...overlay.lookedAt(), ...secrets]);
  const grounds = denied.flatMap((verdict) => groundsOf(session, verdict)).slice(0, MOST_GROUNDS);
  const claimants = distinctObjects(grounds.map(({ watched }) => watched));
  const [failures] = await Promise.all([
    Promise.all(claimants.map(async (watched) => confirmClaimant(session, watched))),
    ...wants.map(async (want) => confirmOne(session, want)),
  ]);
  const failed = new Map(failures.flatMap((failure) => (failure === undefined ? [] : [failure])));
  for (const { watched, secret } of grounds) {
    const failure = failed.get(claimantName(watched));
    // An absent Secret is refused whatever its claimants say; a present one only on their certain word.
    const isGround = overlay.secretNow(request.namespace, secret).state === 'present';
    if (failure !== undefined && isGround) session.claimants.doubt(watched, failure);
  }
}

async function confirmOne(session: Session, want: Want): Promise<void> {
  const answer = await ask(session, want, true);
  // Without an answer the watch's word on a Namespace or an object stands, and so does a live answer of a moment ago.
  const keeps = want.what !== 'secret' || session.overlay.isAnswered(want);
  if (answer.read.state === 'failed' && keeps) return;
  session.overlay.answer(want, answer);
}

/** Puts the live resource in the watched one's place; the name and the failure where it could not be read. */
async function confirmClaimant(
  session: Session,
  watched: KubeObject,
): Promise<readonly [string, ReadFailure] | undefined> {
  const place = { kind: watched.kind, namespace: namespaceOf(watched.raw), name: nameOf(watched.raw) };
  const { what, read } = await ask(session, { what: 'object', ...place }, true);
  if (read.state === 'failed') return [claimantName(watched), read.failure];
  if (what === 'object' && read.state === 'present') session.claimants.replace(watched, read.value);
  if (read.state === 'absent') session.claimants.replace(watched, undefined);
  return undefined;
}

/** A Secret that the judgement never looked at was refused without a look, and stays so. */
function secretOf(overlay: Overlay, namespace: string, { secret: name, codes }: Verdict): readonly Want[] {
  const known = overlay.secretNow(namespace, name);
  if (known.state === 'unread') return [];
  const full = codes.includes('FLOE-E802') || (known.state === 'present' && known.value.keysComplete);
  return [{ what: 'secret', namespace, name, full }];
}

/** A sync resource on whose word a Secret was refused. */
interface Ground {
  readonly watched: KubeObject;
  readonly secret: string;
}

function groundsOf(
  { claimants, request }: Session,
  { secret, claimants: names }: Verdict,
): readonly Ground[] {
  const named = new Set(names);
  return claimants
    .targeting(request.namespace, secret)
    .filter((watched) => named.has(claimantName(watched)))
    .map((watched) => ({ watched, secret }));
}

function distinctObjects(objects: readonly KubeObject[]): readonly KubeObject[] {
  return [...new Map(objects.map((object) => [claimantName(object), object])).values()];
}
