/** A Decision as an AdmissionReview: HTTP 200 always, also for a fault of our own. */
import type { Decision } from './decision.ts';
import type { Request } from './request.ts';
import { REVIEW_VERSION } from './request.ts';

/** The body of an answer, ready for JSON.stringify. */
export interface AdmissionReview {
  readonly apiVersion: typeof REVIEW_VERSION;
  readonly kind: 'AdmissionReview';
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patchType?: 'JSONPatch';
    /** Base64 of the operations' JSON; with `patchType`, or neither. */
    readonly patch?: string;
    readonly warnings?: readonly string[];
    readonly auditAnnotations?: Readonly<Record<string, string>>;
    readonly status?: {
      readonly code: number;
      readonly reason: string;
      readonly message: string;
      readonly details?: { readonly retryAfterSeconds: number };
    };
  };
}

export function respond(request: Request, decision: Decision): AdmissionReview {
  const { allowed, patch, warnings, auditAnnotations } = decision;
  // A validating answer may not carry a patch: the API server would take it for a failed call.
  const patched = request.door === 'mutate' && allowed && patch.length > 0;
  return {
    apiVersion: REVIEW_VERSION,
    kind: 'AdmissionReview',
    response: {
      uid: request.uid,
      allowed,
      ...(patched
        ? { patchType: 'JSONPatch' as const, patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
        : {}),
      ...(request.door === 'validate' && warnings.length > 0 ? { warnings } : {}),
      ...(Object.keys(auditAnnotations).length > 0 ? { auditAnnotations } : {}),
      ...statusOf(decision),
    },
  };
}

/**
 * The answer where this program itself failed. What the namespace asked for is then not known, so it is a
 * refusal: a fault of ours is never `allowed: true` in `strict`.
 */
export function respondFault(request: Request): AdmissionReview {
  return {
    apiVersion: REVIEW_VERSION,
    kind: 'AdmissionReview',
    response: {
      uid: request.uid,
      allowed: false,
      status: {
        code: 403,
        reason: 'Forbidden',
        message:
          "FLOE-E820: the review failed inside the webhook. Suggestion: try again; the webhook's log has the fault",
      },
    },
  };
}

function statusOf({ refusal }: Decision): Partial<AdmissionReview['response']> {
  if (refusal === undefined) return {};
  const { code, reason, message, retryAfterSeconds } = refusal;
  const details = retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } };
  return { status: { code, reason, message, ...details } };
}
