/** A Decision as an AdmissionReview: HTTP 200 always, also for a fault of our own. */
import type { Decision, Refusal } from './decision.ts';
import type { Request } from './request.ts';
import { REVIEW_VERSION } from './request.ts';

/** The body of an answer, ready for JSON.stringify: what is undefined is not written. */
export interface AdmissionReview {
  readonly apiVersion: typeof REVIEW_VERSION;
  readonly kind: 'AdmissionReview';
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patchType?: 'JSONPatch' | undefined;
    /** Base64 of the operations' JSON; with `patchType`, or neither. */
    readonly patch?: string | undefined;
    readonly warnings?: readonly string[] | undefined;
    readonly auditAnnotations?: Readonly<Record<string, string>> | undefined;
    readonly status?: Status | undefined;
  };
}

interface Status {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: { readonly retryAfterSeconds: number } | undefined;
}

/** How every answer begins; the request's uid follows. */
const BEFORE_UID = `{"apiVersion":"${REVIEW_VERSION}","kind":"AdmissionReview","response":{"uid":`;

/** What follows the uid in the answers of decisions that are shared. */
const AFTER_UID = new WeakMap<Decision, string>();

/** The answer as JSON. Where requests share a decision, their answers differ in the uid alone. */
export function answerTo(request: Request, decision: Decision): string {
  const known = decision.shared === true ? AFTER_UID.get(decision) : undefined;
  const uid = JSON.stringify(request.uid);
  if (known !== undefined) return `${BEFORE_UID}${uid}${known}`;
  const answer = JSON.stringify(respond(request, decision));
  if (decision.shared === true) AFTER_UID.set(decision, answer.slice(BEFORE_UID.length + uid.length));
  return answer;
}

export function respond(request: Request, decision: Decision): AdmissionReview {
  const { allowed, patch, warnings, auditAnnotations, refusal } = decision;
  // A validating answer may not carry a patch: the API server would take it for a failed call.
  const patched = request.door === 'mutate' && allowed && patch.length > 0;
  return {
    apiVersion: REVIEW_VERSION,
    kind: 'AdmissionReview',
    response: {
      uid: request.uid,
      allowed,
      patchType: patched ? 'JSONPatch' : undefined,
      patch: patched ? Buffer.from(JSON.stringify(patch)).toString('base64') : undefined,
      warnings: request.door === 'validate' && warnings.length > 0 ? warnings : undefined,
      auditAnnotations: Object.keys(auditAnnotations).length > 0 ? auditAnnotations : undefined,
      status: refusal === undefined ? undefined : statusOf(refusal),
    },
  };
}

/**
 * The answer where this program itself failed. What the namespace asked for is then not known, so it is a
 * refusal: a fault of ours is never `allowed: true` in `strict`.
 */
export function respondFault(request: Request): AdmissionReview {
  return refused(request, {
    code: 403,
    reason: 'Forbidden',
    message:
      "FLOE-E820: the review failed inside the webhook. Suggestion: try again; the webhook's log has the fault",
  });
}

/** The refusal of one who has been refused too often: what it is about is not told. */
export function respondBriefly(request: Request): AdmissionReview {
  return refused(request, {
    code: 429,
    reason: 'TooManyRequests',
    message: 'refused, as many others just now, whose reasons are not told: try again in a second',
    details: { retryAfterSeconds: 1 },
  });
}

/** A refusal without any judgement behind it. */
function refused({ uid }: Request, status: Status): AdmissionReview {
  return { apiVersion: REVIEW_VERSION, kind: 'AdmissionReview', response: { uid, allowed: false, status } };
}

function statusOf({ code, reason, message, retryAfterSeconds }: Refusal): Status {
  const details = retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
  return { code, reason, message, details };
}
