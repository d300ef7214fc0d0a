/**
 * `kubectl debug`: only the references of ephemeral containers that were not there before are judged, nothing is
 * injected, and nothing else of the pod counts; it must work on a sick pod.
 */
import { containersOfType } from '../kube/pod.ts';
import type { Case } from './case.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { judgeGroups } from './judge.ts';
import type { Plan } from './plan.ts';
import { chainText } from './plan.ts';
import { benchOf } from './pod.ts';
import { groupsOf, referencesOfContainer } from './references.ts';
import { accountOf } from './levels.ts';

export function reviewEphemeralContainers(one: Case): Decision {
  const { inquiry, request, policy } = one;
  const before = new Set(containersOfType(request.oldObject, 'ephemeral').map(({ name }) => name));
  const added = containersOfType(request.object, 'ephemeral').filter(({ name }) => !before.has(name));
  const references = added.flatMap(referencesOfContainer);
  const plan: Pick<Plan, 'chain'> = { chain: policy.chain };
  const account = references.length === 0 ? { findings: [] } : accountOf(inquiry, request.object);
  const { drafts, verdicts } = judgeGroups(benchOf(one, account, plan), groupsOf(references));
  // A person waits at the terminal: what passes by itself is answered so that the client tries again.
  const manner = { mode: policy.mode, bare: true, dryRun: request.dryRun };
  return decide(inquiry, manner, {
    drafts: [...account.findings, ...drafts],
    verdicts,
    plugin: chainText(plan.chain),
  });
}
