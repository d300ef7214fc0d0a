/** One object through both of the webhook's doors, as the API server would send it. */
import { patched } from '../cluster/two-calls.ts';
import type { JsonObject } from '../kube/json.ts';
import { groupOf } from '../kube/object.ts';
import { text } from '../kube/json.ts';
import type { Decision, Finding } from '../review/decision.ts';
import type { Door, Request } from '../review/request.ts';
import type { Subject } from './bundle.ts';
import type { LiveWorld } from './live-world.ts';
import type { Result } from './review-report.ts';

/** Judges one request; whoever makes it knows the world. */
export type Judge = (request: Request) => Promise<Decision>;

/** A person, and no `system:` user: the one who runs the command line. */
const PERSON = { username: 'floe-secrets', groups: [] } as const;

/** Judges over a live world: what the judgement wants is read, and it judges again. */
export function judgeOver(live: LiveWorld, judge: (request: Request) => Decision): Judge {
  return async (request) => {
    for (;;) {
      const decision = judge(request);
      if (!(await live.read(decision.wanted))) return decision;
    }
  };
}

/** A pod as it stands, by `/validate` alone: whether it carries what it asked for. */
export async function validateAsIs(subject: Subject, judge: Judge): Promise<Result> {
  const decision = await judge(requestOf('validate', subject, subject.manifest.raw));
  return { ...resultOf(subject, decision), patch: [], injected: decision.injected };
}

/** The result of an object: a pod goes through both doors, a sync resource through `/validate`. */
export async function reviewSubject(subject: Subject, judge: Judge): Promise<Result> {
  if (subject.pod === undefined) {
    return { ...(await validateAsIs(subject, judge)), injected: [] };
  }
  return reviewPod(subject, subject.pod, judge);
}

async function reviewPod(subject: Subject, pod: JsonObject, judge: Judge): Promise<Result> {
  const mutated = await judge(requestOf('mutate', subject, pod));
  const final = patched(pod, mutated);
  const validated = await judge(requestOf('validate', subject, final));
  if (!mutated.allowed) return refusedAtOnce(subject, mutated, validated);
  return {
    ...resultOf(subject, validated),
    findings: merged(validated.findings, mutated.findings),
    patch: mutated.patch,
    injected: mutated.injected,
    patched: final,
  };
}

/**
 * `/mutate` refused, so nothing was injected and `/validate` was never asked. What it would have found besides is
 * worth knowing in the same go; that the pod lacks its injection is not.
 */
function refusedAtOnce(subject: Subject, mutated: Decision, validated: Decision): Result {
  const besides = validated.findings.filter((finding) => finding.code !== 'FLOE-E807');
  return {
    ...resultOf(subject, mutated),
    findings: merged(mutated.findings, besides),
    verdicts: [...mutated.verdicts, ...validated.verdicts],
    patch: [],
    injected: [],
  };
}

function resultOf(subject: Subject, decision: Decision): Omit<Result, 'patch' | 'injected'> {
  const { allowed, mode, plugin, findings, warnings, verdicts } = decision;
  return { subject, allowed, ...(mode === undefined ? {} : { mode }), plugin, findings, warnings, verdicts };
}

/** The first findings, and those of the second that say something else. */
function merged(first: readonly Finding[], second: readonly Finding[]): readonly Finding[] {
  const subjectOf = ({ code, secret, key, message }: Finding): string =>
    secret === undefined ? message : `${code} ${secret} ${key ?? ''}`;
  const said = new Set(first.map(subjectOf));
  return [...first, ...second.filter((finding) => !said.has(subjectOf(finding)))];
}

function requestOf(
  door: Door,
  { kind, name, namespace, manifest, pod }: Subject,
  object: JsonObject,
): Request {
  const isPod = pod !== undefined;
  return {
    door,
    uid: 'review',
    operation: 'CREATE',
    group: isPod ? '' : groupOf(text(manifest.raw, 'apiVersion') ?? ''),
    kind: isPod ? 'Pod' : kind,
    subResource: '',
    name: isPod && kind !== 'Pod' ? '' : name,
    namespace,
    object,
    user: PERSON,
    dryRun: true,
  };
}
