/**
 * The one judgement of the program: policy, plan, references, states, verdict, patch. Pure: everything that it
 * knows of the cluster and of time is handed in, and every door uses it.
 */
import type { Config } from '../config/config.ts';
import { MIRROR_POD } from '../contract/keys.ts';
import { derived } from '../kube/derived.ts';
import { annotation } from '../kube/object.ts';
import type { KubeObject } from '../kube/object.ts';
import type { World } from '../kube/world.ts';
import { aside, decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { reviewEphemeralContainers } from './ephemeral.ts';
import type { Inquiry } from './inquiry.ts';
import { askNamespace } from './inquiry.ts';
import { draft } from './findings.ts';
import { unreadable } from './levels.ts';
import { reviewPod } from './pod.ts';
import { createPlanner } from './planner.ts';
import { isOptedIn, policyOf } from './policy.ts';
import type { Case } from './case.ts';
import type { Request } from './request.ts';
import type { Settings } from './settings.ts';
import { kindKey, settingsOf } from './settings.ts';
import { reviewSyncResource } from './sync-resource.ts';
import { workloadKind } from '../kube/workload.ts';
import { reviewWorkload } from './workload.ts';

export type Reviewer = (request: Request, world: World, now: number) => Decision;

/** Makes the reviewer of a config; what can be derived from the config is derived once. */
export function createReviewer(config: Config): Reviewer {
  const settings = settingsOf(config);
  // A namespace is read once for all its pods, until the watch brings another object of it.
  const policy = derived((namespace: KubeObject) => policyOf(settings, namespace));
  const planOf = createPlanner(settings);
  return (request, world, now) => {
    const review = reviewOf(request, settings);
    if (review === undefined || isExempt(request)) return aside();
    const inquiry: Inquiry = { settings, world, now, namespace: request.namespace, wanted: [] };
    const namespace = askNamespace(inquiry);
    if (namespace.state === 'present') {
      const { value } = namespace;
      return isOptedIn(value)
        ? review({ inquiry, request, namespace: value, policy: policy(value), planOf })
        : aside();
    }
    return withoutNamespace(inquiry, request, namespace);
  };

  function isExempt({ namespace, user, group, kind, object }: Request): boolean {
    return (
      settings.exemptNamespaces.has(namespace) ||
      settings.exemptUsernames.has(user.username) ||
      // Only a Pod: on anything else the annotation means nothing, and would be a way around the judgement.
      (group === '' && kind === 'Pod' && annotation(object, MIRROR_POD) !== undefined)
    );
  }
}

/** Which of the reviews a request gets; undefined where nothing of it is judged. */
function reviewOf(request: Request, settings: Settings): ((one: Case) => Decision) | undefined {
  const { group, kind, operation, subResource, door } = request;
  const isPod = group === '' && kind === 'Pod';
  if (isPod && subResource === '' && operation === 'CREATE') return reviewPod;
  if (door === 'mutate' || (operation !== 'CREATE' && operation !== 'UPDATE')) return undefined;
  if (isPod && subResource === 'ephemeralcontainers' && operation === 'UPDATE')
    return reviewEphemeralContainers;
  if (subResource !== '') return undefined;
  if (workloadKind(group, kind) !== undefined) return reviewWorkload;
  return settings.kindOf.has(kindKey({ group, kind })) ? reviewSyncResource : undefined;
}

/** Whether the namespace opted in is not known: then the strictest is assumed, and nothing is let through. */
function withoutNamespace(
  inquiry: Inquiry,
  request: Request,
  namespace: Exclude<ReturnType<typeof askNamespace>, { readonly state: 'present' }>,
): Decision {
  const title = `namespace '${inquiry.namespace}'`;
  const gone = draft('FLOE-E820', `${title} does not exist, so what it asks of its pods is not known`, {
    suggestion: 'create the namespace first',
  });
  const drafts = [namespace.state === 'failed' ? unreadable(title, namespace.failure) : gone];
  return decide(inquiry, { mode: 'strict', bare: false, dryRun: request.dryRun }, { drafts });
}
