/** A pod at its creation. `/mutate` injects; `/validate` judges everything on the final pod. */
import { controllerOf } from '../kube/object.ts';
import { containersOf, serviceAccountNameOf } from '../kube/pod.ts';
import type { Bench } from './bench.ts';
import type { Case } from './case.ts';
import type { ContainerGap, Gaps } from './carry.ts';
import { gapsOf, isWhole } from './carry.ts';
import type { Outcome } from './decide.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import type { Draft } from './findings.ts';
import { draft } from './findings.ts';
import { gateChoice, gatePatch, hasGate, isWaiting, waitingDrafts } from './gate.ts';
import type { SecretRecord } from '../kube/secret.ts';
import { judgeGroups } from './judge.ts';
import type { Levels } from './levels.ts';
import { levelsOf } from './levels.ts';
import { literalFindings } from './literals.ts';
import { patchOf } from './patch.ts';
import type { Plan } from './plan.ts';
import { requiredKeyReferences } from './planned.ts';
import { groupsOf, referencesOf } from './references.ts';
import { sharedDecision } from './shared-decision.ts';
import { selfProvision } from './self-provided.ts';
import { unknownKeys } from './unknown-keys.ts';
import { variableFindings } from './variables.ts';
import type { Manner } from './verdict.ts';

export function reviewPod(one: Case): Decision {
  const { inquiry, request, namespace, policy, planOf } = one;
  const levels = levelsOf(inquiry, request.object, namespace);
  const plan = planOf(policy, request.object, levels.all);
  return request.door === 'mutate' ? mutate(one, levels, plan) : validate(one, levels, plan);
}

/** Refuses only what no later webhook can heal: the grammar, and the states of Secrets that it injects. */
function mutate(one: Case, levels: Levels, plan: Plan): Decision {
  const { request, policy } = one;
  const judgement = judgeGroups(benchOf(one, levels, plan), plan.groups);
  const marks = { injected: plan.injected, versions: versionsOf(plan, judgement.records) };
  const drafts = policy.findings.concat(plan.findings, judgement.drafts);
  const patch = patchOf(request.object, gapsOf(request.object, plan), marks);
  const waits = waitsForOwn(one, { levels, plan, drafts });
  return decisionOn(one, plan, {
    drafts: waits ? waitingDrafts(drafts) : drafts,
    verdicts: judgement.verdicts,
    patch: waits ? [...patch, ...gatePatch(request.object)] : patch,
  });
}

/** Where nothing is to be said, pods of the same plan share their decision. */
function decisionOn(
  one: Case,
  plan: Plan,
  outcome: Required<Pick<Outcome, 'drafts' | 'verdicts' | 'patch'>>,
): Decision {
  const { inquiry, request } = one;
  const make = (): Decision =>
    decide(inquiry, mannerOf(one), {
      ...outcome,
      injected: plan.secrets,
      plugin: plan.plugin,
      mayWait: plan.pending !== 'deny',
    });
  const isQuiet = outcome.drafts.length === 0 && inquiry.wanted.length === 0;
  return isQuiet ? sharedDecision(request.door, plan, outcome, make) : make();
}

/** Whether the pod gets a gate. Only this call can give it one, so the pod's own references count here too. */
function waitsForOwn(
  one: Case,
  {
    levels,
    plan,
    drafts,
  }: { readonly levels: Levels; readonly plan: Plan; readonly drafts: readonly Draft[] },
): boolean {
  const choice = gateChoice(one, plan);
  if (choice === 'deny') return false;
  const references = [...referencesOf(one.request.object), ...requiredKeyReferences(plan)];
  const own = judgeGroups(benchOf(one, levels, plan), groupsOf(references, plan.secrets));
  return isWaiting(choice, [...levels.findings, ...drafts, ...own.drafts]);
}

/** `name=resourceVersion` of what is injected; a Secret of a file may have no version. */
function versionsOf({ secrets }: Plan, records: readonly SecretRecord[]): string {
  let versions = '';
  for (const secret of secrets) {
    const version = records.find(({ name }) => name === secret)?.resourceVersion ?? '';
    if (version !== '') versions += `${versions === '' ? '' : ','}${secret}=${version}`;
  }
  return versions;
}

function validate(one: Case, levels: Levels, plan: Plan): Decision {
  const { request, policy } = one;
  const containers = containersOf(request.object);
  const references = referencesOf(request.object, containers).concat(requiredKeyReferences(plan));
  const judgement = judgeGroups(benchOf(one, levels, plan), groupsOf(references, plan.secrets));
  const gaps = gapsOf(request.object, plan);
  const drafts = policy.findings.concat(
    levels.findings,
    plan.findings,
    plan.absentContainers,
    notCarried(gaps, plan),
    judgement.drafts,
    gaps.taken,
    literalFindings(containers),
    variableFindings(containers, judgement.records),
    unknownKeys(request.object, 'the pod'),
  );
  const waits = hasGate(request.object) && isWaiting(gateChoice(one, plan), drafts);
  const { verdicts } = judgement;
  return decisionOn(one, plan, { drafts: waits ? waitingDrafts(drafts) : drafts, verdicts, patch: [] });
}

export function benchOf(
  { inquiry, request, policy }: Case,
  levels: Pick<Levels, 'serviceAccount'>,
  plan: Bench['plan'],
  pod: unknown = request.object,
): Bench {
  const { serviceAccount } = levels;
  return {
    inquiry,
    policy,
    plan,
    identity: {
      serviceAccountName: serviceAccountNameOf(pod),
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
    },
    user: request.user,
    isSelfProvided: selfProvision(inquiry, pod),
    absentIsLater: false,
  };
}

function mannerOf({ request, policy }: Case): Manner {
  return { mode: policy.mode, bare: controllerOf(request.object) === undefined, dryRun: request.dryRun };
}

/**
 * E807. A container that carries nothing while another carries everything came after our last call; where none
 * carries all of it, the mutating call was skipped.
 */
function notCarried(gaps: Gaps, plan: Plan): readonly Draft[] {
  if (gaps.containers.every(isWhole)) return [];
  const wholeElsewhere = gaps.containers.some(isWhole);
  return gaps.containers
    .filter((gap) => !isWhole(gap))
    .map((gap) => notCarriedBy(gap, wholeElsewhere && carriesNothing(gap, plan)));
}

function notCarriedBy({ container, envFrom, env, mounts }: ContainerGap, late: boolean): Draft {
  const entries = [...envFrom, ...env, ...mounts.flatMap((volume) => volume.files)];
  const names = [...new Set(entries.map((entry) => `'${entry.secret}'`))].join(', ');
  const words = container.type === 'init' ? 'init container' : 'container';
  return draft('FLOE-E807', `${words} '${container.name}' does not carry what the pod asked for: ${names}`, {
    severity: late ? 'warning' : 'error',
    ...(entries[0] === undefined ? {} : { secret: entries[0].secret }),
    container: container.name,
    suggestion: late
      ? 'another webhook added it after the injection; let it name the Secrets itself'
      : 'the mutating webhook was skipped or its injection taken out; create the pod again',
  });
}

function carriesNothing(gap: ContainerGap, plan: Plan): boolean {
  return (
    gap.envFrom.length === plan.inject.length &&
    gap.env.length === plan.env.length &&
    gap.mounts.length === plan.volumes.length
  );
}
