/** The span of one live look, named as floe's secrets plugins name theirs. */
import type { Want } from '../kube/world.ts';
import type { Answer } from './answers.ts';
import { attemptOf } from './failure.ts';
import type { Span } from './spans.ts';

const OPERATIONS = {
  secret: 'get_secret',
  namespace: 'get_object',
  object: 'get_object',
  access: 'check_access',
} as const satisfies Record<Want['what'], string>;

/** Begins it as a part of a review's. `fresh`: the second look, before a refusal. */
export function beginLook(review: Span, want: Want, fresh: boolean): Span {
  const operation = OPERATIONS[want.what];
  const namespace = want.what === 'namespace' ? want.name : want.namespace;
  return review.child(`secrets.${operation}`, {
    'secrets.operation': operation,
    'secrets.provider': 'k8s',
    'secrets.namespace': namespace,
    'floe.namespace': namespace,
    'secrets.key_name': want.what === 'access' ? want.resource : want.name,
    'secrets.kind': attemptOf(want).kind.kind,
    'secrets.confirms': fresh,
  });
}

/** Ends it with what was found: whether there is such an object, or why nobody knows. */
export function endLook(span: Span, { read }: Answer): void {
  if (read.state === 'failed') {
    const { reason, message } = read.failure;
    span.fail(reason === 'forbidden' ? 'FLOE-E821' : 'FLOE-E820', message);
  } else {
    span.set({ 'secrets.found': read.state === 'present' });
  }
  span.end();
}
