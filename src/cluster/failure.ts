/** What a failed call means to whoever judges: refused by RBAC, or no answer. */
import type { ResourceKind } from '../kube/object.ts';
import { NAMESPACE, SECRET } from '../kube/object.ts';
import type { ReadFailure, Want } from '../kube/world.ts';
import { errorOfFault } from './api-error.ts';
import { SUBJECT_ACCESS_REVIEW, resourceName } from './paths.ts';

/** How the words of a refusal end. */
const REFUSED = '(RBAC)';

/** An attempt in the words of RBAC. Without a namespace it was for all of them, or the kind has none. */
export interface Attempt {
  readonly verb: string;
  readonly kind: ResourceKind;
  readonly namespace?: string;
}

/** 'cannot get secrets in namespace floe-jobs (RBAC)', 'cannot list … in all namespaces: connection refused'. */
export function failureOf(fault: unknown, attempt: Attempt): ReadFailure {
  const error = errorOfFault(fault);
  const what = describe(attempt);
  if (error.status === 403) return { reason: 'forbidden', message: `${what} ${REFUSED}` };
  // The API server's own words may hold addresses; its status and reason say enough.
  const why = error.status === 0 ? error.message : `HTTP ${error.status} ${error.reason}`;
  return { reason: 'unavailable', message: `${what}: ${why}` };
}

/** Whether these are the words of a refusal. */
export function isRefused(message: string): boolean {
  return message.includes(REFUSED);
}

/**
 * The words of several failures; attempts that differ in what was to be read alone are one: 'cannot list secrets, pods
 * in namespace floe-jobs (RBAC)'.
 */
export function wordsOf(failures: readonly ReadFailure[]): readonly string[] {
  const sorts = Map.groupBy(new Set(failures.map(({ message }) => message)), (message) =>
    message.replace(ATTEMPT, '$1 $3'),
  );
  return [...sorts.values()].map((messages) => {
    const names = messages.map((message) => ATTEMPT.exec(message)?.[2] ?? '');
    return (messages[0] ?? '').replace(ATTEMPT, (_, verb: string, __, rest: string) =>
      [verb, names.join(', '), rest].join(' '),
    );
  });
}

const ATTEMPT = /^(cannot \S+) ([^\s:]+)(?: (.*))?$/;

/** The failure of a live read that nobody answered in time. */
export function unanswered(want: Want): ReadFailure {
  return {
    reason: 'unavailable',
    message: `${describe(attemptOf(want))}: no answer within the time of the request`,
  };
}

/** The failure of a live read that was left out, so that reviews which depend on theirs get them in time. */
export function leftOut(want: Want): ReadFailure {
  return {
    reason: 'unavailable',
    message: `${describe(attemptOf(want))}: left out, because too many reviews wait for the Kubernetes API`,
  };
}

/** The call that answers a Want. */
export function attemptOf(want: Want): Attempt {
  if (want.what === 'namespace') return { verb: 'get', kind: NAMESPACE };
  if (want.what === 'access') return { verb: 'create', kind: SUBJECT_ACCESS_REVIEW };
  const kind = want.what === 'secret' ? SECRET : want.kind;
  return { verb: 'get', kind, namespace: want.namespace };
}

function describe({ verb, kind, namespace }: Attempt): string {
  const attempt = `cannot ${verb} ${resourceName(kind)}`;
  if (!kind.namespaced) return attempt;
  return `${attempt} in ${namespace === undefined ? 'all namespaces' : `namespace ${namespace}`}`;
}
