/** One review under way: what it knows, what it may still read, and until when. */
import type { Want } from '../kube/world.ts';
import type { Decision } from '../review/decision.ts';
import type { Request } from '../review/request.ts';
import type { Answer } from './answers.ts';
import { failedAnswer, keyOfWant } from './answers.ts';
import type { Claimants } from './claimants.ts';
import type { Deadline } from './deadline.ts';
import { NO_TIME } from './deadline.ts';
import { leftOut, unanswered } from './failure.ts';
import type { Limiter } from './limiter.ts';
import { beginLook, endLook } from './look-span.ts';
import type { Lookup } from './lookup.ts';
import type { Overlay } from './overlay.ts';
import type { Span } from './spans.ts';

export interface Session {
  readonly lookup: Lookup;
  readonly count?: ((result: 'hit' | 'miss') => void) | undefined;
  readonly request: Request;
  /** Judges by what is known now. */
  judge(): Decision;
  readonly overlay: Overlay;
  readonly claimants: Claimants;
  readonly deadline: Deadline;
  readonly limit: Limiter;
  /** Of the review, where it is traced. */
  readonly span?: Span | undefined;
}

/** Namespace, service account and owner, that one's owner, Secrets, their keys, permission: with room to spare. */
const MAX_ROUNDS = 8;

/** Reads what is wanted until nothing is. */
export async function settle(session: Session, first: Decision): Promise<Decision> {
  let decision = first;
  for (let round = 1; decision.wanted.length > 0; round += 1) {
    if (round > MAX_ROUNDS)
      throw new Error(`the review still wants ${keyOfWant(decision.wanted[0]!)} that it was given`);
    const reads = distinct(decision.wanted).map(async (want) => {
      if (want.what === 'secret') session.count?.('miss');
      session.overlay.answer(want, await ask(session, want, false));
    });
    await Promise.all(reads);
    decision = session.judge();
  }
  return decision;
}

/** One live read, or the failure that the time is over. */
export async function ask(session: Session, want: Want, fresh: boolean): Promise<Answer> {
  const { deadline, lookup, limit, span } = session;
  const look = span === undefined ? undefined : beginLook(span, want, fresh);
  const read = await limit(async () =>
    deadline.expired ? undefined : deadline.within(lookup.read(want, fresh)),
  );
  const why = deadline === NO_TIME ? leftOut : unanswered;
  const answer = read ?? failedAnswer(want, why(want));
  if (look !== undefined) endLook(look, answer);
  return answer;
}

/** One want a question; of two for one Secret the one that reads it whole. */
export function distinct(wants: readonly Want[]): readonly Want[] {
  const byKey = new Map<string, Want>();
  for (const want of wants) {
    const key = keyOfWant(want);
    if (!byKey.has(key) || (want.what === 'secret' && want.full)) byKey.set(key, want);
  }
  return [...byKey.values()];
}
