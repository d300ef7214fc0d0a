/** A judgement as small as can be with the real one's shape: each Secret that a pod names must be there. */
import type { Review } from '../../src/cluster/admit.ts';
import type { Code, State } from '../../src/contract/reasons.ts';
import { asArray, get, text } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { SERVICE_ACCOUNT, annotation, label, nameOf, namespaceOf } from '../../src/kube/object.ts';
import type { Want, World } from '../../src/kube/world.ts';
import type { Decision, Verdict } from '../../src/review/decision.ts';
import type { Request } from '../../src/review/request.ts';

export interface Need {
  readonly secret: string;
  readonly key?: string;
}

export function requestFor(needs: readonly Need[], namespace = 'floe-jobs'): Request {
  return {
    door: 'validate',
    uid: 'u',
    operation: 'CREATE',
    group: '',
    kind: 'Pod',
    subResource: '',
    name: 'pod',
    namespace,
    object: { needs: needs.map((need) => ({ ...need })) },
    user: { username: 'jane', groups: [] },
    dryRun: false,
  };
}

/** Refuses a pod whose Secrets are absent, lack a key, could not be read, or whose claimants say `refuse`. */
export const fakeReview: Review = (request, world) => {
  const wanted: Want[] = [];
  const namespace = world.namespace(request.namespace);
  if (namespace.state === 'unread') wanted.push({ what: 'namespace', name: request.namespace });
  const account = world.object(SERVICE_ACCOUNT, request.namespace, 'default');
  if (account.state === 'unread') {
    wanted.push({ what: 'object', kind: SERVICE_ACCOUNT, namespace: request.namespace, name: 'default' });
  }
  const isStrict = namespace.state !== 'present' || label(namespace.value.raw, 'mode') !== 'audit';
  const verdicts = asArray(request.object['needs']).map((need) =>
    verdictOn(request, world, { need, wanted }),
  );
  return decision(verdicts, wanted, isStrict);
};

function verdictOn(
  { namespace }: Request,
  world: World,
  { need, wanted }: { readonly need: unknown; readonly wanted: Want[] },
): Verdict {
  const name = text(need, 'secret') ?? '';
  const key = text(need, 'key');
  const read = world.secret(namespace, name);
  const claimants = world.targeting(namespace, name);
  const verdict = (state: State, ...codes: Code[]) => ({
    secret: name,
    state,
    codes,
    injected: false,
    denied: codes.length > 0,
    plugin: 'k8s',
    mayWait: false,
    claimants: claimants.map((one) => `${one.kind.kind}/${namespaceOf(one.raw)}/${nameOf(one.raw)}`),
  });
  if (read.state === 'unread') wanted.push({ what: 'secret', namespace, name, full: false });
  if (read.state === 'unread' || read.state === 'failed') return verdict('Unknown', 'FLOE-E820');
  if (read.state === 'absent') return verdict('Missing', 'FLOE-E801');
  if (claimants.some(isRefusing)) return verdict('Stale', 'FLOE-E806');
  const doubt = claimants.length === 0 && widgetsFailed(world) && name === 'judged';
  if (doubt) return verdict('Unknown', 'FLOE-E820');
  if (key === undefined || read.value.keys.includes(key)) return verdict('Synced');
  if (!read.value.keysComplete) wanted.push({ what: 'secret', namespace, name, full: true });
  return verdict('KeysMissing', 'FLOE-E802');
}

export const WIDGET = {
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
} as const;

function widgetsFailed(world: World): boolean {
  return world.kind(WIDGET).state === 'failed';
}

function isRefusing(object: KubeObject): boolean {
  return annotation(object.raw, 'say') === 'refuse';
}

/** The Secret that a Widget names in its spec, in its own namespace. */
export function widgetTargets(object: KubeObject) {
  const name = text(get(object.raw, 'spec'), 'target');
  return name === undefined ? [] : [{ namespace: namespaceOf(object.raw), name }];
}

function decision(verdicts: readonly Verdict[], wanted: readonly Want[], isStrict: boolean): Decision {
  const allowed = !isStrict || verdicts.every((verdict) => !verdict.denied);
  return {
    allowed,
    plugin: 'k8s',
    mayWait: false,
    findings: [],
    warnings: [],
    patch: [],
    injected: [],
    verdicts,
    wanted,
    auditAnnotations: {},
    ...(allowed ? {} : { refusal: { code: 403, reason: 'Forbidden', message: 'no' } as const }),
  };
}
