/**
 * Pod templates: the verdict that their pods will get, as warnings where somebody can still read them. An absent
 * Secret "is not there yet": Helm applies custom resources last.
 */
import { isDeepStrictEqual } from 'node:util';
import { MODES } from '../contract/keys.ts';
import type { Mode } from '../contract/keys.ts';
import { dig, get } from '../kube/json.ts';
import { controllerOf } from '../kube/object.ts';
import { containersOf } from '../kube/pod.ts';
import type { WorkloadKind } from '../kube/workload.ts';
import { podOfTemplate, workloadKind } from '../kube/workload.ts';
import type { Case } from './case.ts';
import { aside, decide } from './decide.ts';
import type { Decision } from './decision.ts';
import type { Draft } from './findings.ts';
import { judgeGroups } from './judge.ts';
import type { Level } from './levels.ts';
import { levelOf, levelsOf } from './levels.ts';
import { literalFindings } from './literals.ts';
import { plannedReferences, requiredKeyReferences } from './planned.ts';
import { benchOf } from './pod.ts';
import { groupsOf, referencesOf } from './references.ts';
import type { Request } from './request.ts';
import { unknownKeys } from './unknown-keys.ts';

export function reviewWorkload(one: Case): Decision {
  const { inquiry, request, namespace, policy, planOf } = one;
  const kind = workloadKind(request.group, request.kind);
  if (kind === undefined || !isDue(kind, request)) return aside();
  const pod = podOfTemplate(kind, request.object);
  const levels = levelsOf(inquiry, pod, namespace, ownersIn(request));
  const plan = planOf(policy, pod, levels.all);
  const references = [...referencesOf(pod), ...plannedReferences(plan), ...requiredKeyReferences(plan)];
  const bench = { ...benchOf(one, levels, plan, pod), absentIsLater: true };
  const judgement = judgeGroups(bench, groupsOf(references, plan.secrets));
  const drafts = [
    ...policy.findings,
    ...levels.findings,
    ...plan.findings,
    ...plan.absentContainers,
    ...judgement.drafts,
    ...literalFindings(containersOf(pod)),
    ...unknownKeys(pod, 'the pod template'),
  ];
  const manner = { mode: modeOf(one), bare: false, dryRun: request.dryRun };
  return decide(inquiry, manner, {
    drafts: drafts.map(milder),
    verdicts: judgement.verdicts,
    injected: plan.secrets,
    plugin: plan.plugin,
  });
}

/** On CREATE, and on UPDATE when the template changed; not where something else controls it or deletes it. */
function isDue(kind: WorkloadKind, { operation, object, oldObject }: Request): boolean {
  if (controllerOf(object) !== undefined) return false;
  if (operation === 'CREATE') return true;
  if (get(get(object, 'metadata'), 'deletionTimestamp') !== undefined) return false;
  return !isDeepStrictEqual(dig(object, ...kind.template), dig(oldObject, ...kind.template));
}

/** The laxer of the namespace's mode and `webhook.workloads`. */
function modeOf({ inquiry, policy }: Case): Mode {
  const limit = inquiry.settings.config.webhook.workloads;
  return MODES.indexOf(policy.mode) <= MODES.indexOf(limit) ? policy.mode : limit;
}

/** What is absent may come: it never refuses a template, however strict. */
function milder(one: Draft): Draft {
  const absent =
    one.state === 'Missing' || one.state === 'Pending' || one.state === 'Failed' || one.state === 'Gone';
  return absent ? { ...one, severity: 'warning' } : one;
}

/** A Job's and a CronJob's own annotations count for the pods that they make. */
function ownersIn({ group, kind, object }: Request): readonly Level[] {
  if (group !== 'batch') return [];
  if (kind === 'Job') return [levelOf('Job', object)];
  const job = dig(object, 'spec', 'jobTemplate');
  return [levelOf('Job', job), levelOf('CronJob', object)];
}
