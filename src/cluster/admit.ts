/**
 * One admission review: judge from memory; read what the judgement wants; before a no, look again live. The
 * judgement itself is handed in and pure.
 */
import type { KubeObject } from '../kube/object.ts';
import type { World } from '../kube/world.ts';
import type { Target } from '../plugins/plugin.ts';
import type { Decision } from '../review/decision.ts';
import type { Request } from '../review/request.ts';
import { createClaimants } from './claimants.ts';
import { confirm } from './confirm.ts';
import { NO_TIME, startDeadline } from './deadline.ts';
import { createLimiter } from './limiter.ts';
import type { Lookup } from './lookup.ts';
import { believedWorld, createOverlay } from './overlay.ts';
import type { Session } from './session.ts';
import { settle } from './session.ts';
import type { Span } from './spans.ts';

export type Review = (request: Request, world: World, now: number) => Decision;

export interface AdmissionParts {
  readonly review: Review;
  readonly world: World;
  readonly lookup: Lookup;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The Secrets that a sync resource targets. */
  targets(object: KubeObject): readonly Target[];
  /** Told once for each Secret that a review asks for: believed without a look, or read. */
  count?: ((result: 'hit' | 'miss') => void) | undefined;
  /** Whether there are more reviews than can be looked up in time. */
  pressed?: (() => boolean) | undefined;
  /** Told of each review that was decided without its live looks. */
  leftOut?: (() => void) | undefined;
}

/**
 * Decides one request within `timeoutMs` of the API server's patience: at once where everything is known and nothing
 * is refused. Live looks are parts of `span`. Throws or rejects only where this program is wrong.
 */
export type Admission = (request: Request, timeoutMs: number, span?: Span) => Decision | Promise<Decision>;

/** What is kept back of the API server's patience, for the answer's way. */
const RESERVE = 500;
const LONGEST = 2_000;
const SHORTEST = 100;
/** Live reads of one request at the same time: a pod of a hundred Secrets must not fill the process's share. */
const READS_PER_REQUEST = 16;

export function createAdmission(parts: AdmissionParts): Admission {
  const { review, lookup, count, pressed, leftOut } = parts;
  const believed = believedWorld(parts.world, lookup.memory);
  return (request, timeoutMs, span) => {
    const now = parts.now();
    const first = review(request, believed, now);
    if (!first.allowed || first.wanted.length > 0) {
      const hurried = isLenient(first) && pressed?.() === true;
      if (hurried) leftOut?.();
      return look(parts, { request, timeoutMs: hurried ? 0 : timeoutMs, now, span });
    }
    for (const verdict of first.verdicts) if (verdict.state !== undefined) count?.('hit');
    return first;
  };
}

/** Nothing is refused there, so a look only adds to what is told; it is left to those that depend on one. */
function isLenient({ mode }: Decision): boolean {
  return mode === 'audit' || mode === 'warn';
}

interface Asked {
  readonly request: Request;
  /** 0 is no time for any look. */
  readonly timeoutMs: number;
  readonly now: number;
  readonly span: Span | undefined;
}

/** Judges again over a World of its own, which keeps what is read live for this request. */
async function look(
  { review, world, lookup, targets, count }: AdmissionParts,
  { request, timeoutMs, now, span }: Asked,
): Promise<Decision> {
  const claimants = createClaimants(world, targets);
  const overlay = createOverlay({
    base: world,
    memory: lookup.memory,
    claimants,
    onHit: () => count?.('hit'),
  });
  const judge = (): Decision => review(request, overlay.world, now);
  const deadline =
    timeoutMs === 0 ? NO_TIME : startDeadline(Math.min(Math.max(timeoutMs - RESERVE, SHORTEST), LONGEST));
  const limit = createLimiter(READS_PER_REQUEST);
  try {
    return await decide(
      { request, judge, lookup, overlay, claimants, deadline, limit, count, span },
      judge(),
    );
  } finally {
    deadline.clear();
  }
}

async function decide(session: Session, first: Decision): Promise<Decision> {
  const decision = await settle(session, first);
  if (decision.allowed) return decision;
  await confirm(session, decision);
  return settle(session, session.judge());
}
