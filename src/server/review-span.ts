/** What a trace says of one review: who was judged, and what was decided. Names and states, never values. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Attributes, Span } from '../cluster/spans.ts';
import { get, text } from '../kube/json.ts';
import type { Decision } from '../review/decision.ts';
import type { Request } from '../review/request.ts';

/** The span of one review. */
export interface ReviewSpan extends Span {
  /** Ends it; without a decision the review was a fault of our own. */
  decided(decision: Decision | undefined): void;
}

/** Begins the span of a review, as a part of its caller's trace; undefined where that is not sampled. */
export type TraceReview = (request: Request, headers: IncomingHttpHeaders) => ReviewSpan | undefined;

/** Codes and names that are listed; a pod may have a hundred Secrets. */
const LISTED = 20;

/** Known when the review begins. */
export function requestAttributes(request: Request): Attributes {
  const { door, namespace, kind, group, operation, subResource, uid, dryRun } = request;
  return {
    'secrets.operation': door,
    'secrets.namespace': namespace,
    'floe.namespace': namespace,
    'k8s.namespace.name': namespace,
    'secrets.kind': group === '' ? kind : `${kind}.${group}`,
    'secrets.name': nameOf(request),
    'secrets.request_operation': operation,
    'secrets.subresource': subResource === '' ? undefined : subResource,
    'secrets.request_uid': uid,
    'secrets.dry_run': dryRun,
  };
}

/** Known when it is decided. */
export function decisionAttributes(decision: Decision): Attributes {
  const { allowed, mode, plugin, verdicts, injected, findings, refusal, patch } = decision;
  const codes = [...new Set(findings.map(({ code }) => code))];
  return {
    'secrets.allowed': allowed,
    'secrets.mode': mode ?? 'none',
    'secrets.provider': plugin,
    'secrets.count': verdicts.length,
    'secrets.states': [...new Set(verdicts.map(({ state }) => state ?? 'unread'))],
    'secrets.injected': injected.slice(0, LISTED),
    'secrets.codes': codes.slice(0, LISTED),
    'secrets.status_code': refusal?.code,
    'secrets.patch_operations': patch.length,
  };
}

/** Before the API server makes a name of `generateName`, that with a star. */
function nameOf({ name, object }: Request): string {
  if (name !== '') return name;
  const metadata = get(object, 'metadata');
  return text(metadata, 'name') ?? `${text(metadata, 'generateName') ?? ''}*`;
}
