/** What `explain` is asked about: a pod by its name, a workload, or the workload of a pod that never came to be. */
import { wordsOf } from '../cluster/failure.ts';
import type { Refusal } from '../cluster/refusals.ts';
import type { Survey } from '../cluster/survey.ts';
import type { JsonObject } from '../kube/json.ts';
import { asArray, dig, get, text } from '../kube/json.ts';
import { nearest } from '../kube/nearest.ts';
import { controllerOf, nameOf, namespaceOf, uidOf } from '../kube/object.ts';
import type { WorkloadObject } from '../kube/workload.ts';
import { WORKLOADS } from '../kube/workload.ts';
import { exitCodeOfFailure } from './observe.ts';
import { CommandError, EXIT, worstExit } from './terminal.ts';

/** kubectl's short names. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  po: 'pod',
  deploy: 'deployment',
  sts: 'statefulset',
  ds: 'daemonset',
  rs: 'replicaset',
  rc: 'replicationcontroller',
  cj: 'cronjob',
};

export interface Target {
  readonly raw: JsonObject;
  /** Said beforehand, where something else is explained than was asked for. */
  readonly instead?: string;
}

interface Asked {
  /** In small letters; undefined where only a name was given. */
  readonly kind?: string;
  readonly name: string;
}

/** Throws CommandError where nothing of that name is there. */
export function targetOf(
  written: string,
  { survey, namespace }: { survey: Survey; namespace: string },
): Target {
  const asked = askedFor(written);
  const workloads = survey.workloads.filter(({ raw }) => namespaceOf(raw) === namespace);
  if (asked.kind !== undefined && asked.kind !== 'pod') {
    const found = workloads.find(({ kind, raw }) => isKind(kind.kind, asked) && nameOf(raw) === asked.name);
    if (found !== undefined) return { raw: found.raw };
    const known = workloads.filter(({ kind }) => isKind(kind.kind, asked)).map(({ raw }) => nameOf(raw));
    throw notFound(`${asked.kind} '${asked.name}'`, namespace, {
      survey,
      next:
        nextStep(asked.name, known) ??
        `see kubectl get ${asked.kind} -n ${namespace}, or give its manifest with -f`,
    });
  }
  const pod = survey.pods.find((one) => nameOf(one) === asked.name && namespaceOf(one) === namespace);
  if (pod !== undefined) return { raw: pod };
  const maker = makerOf(asked.name, workloads);
  if (maker === undefined) {
    const known = [...survey.pods, ...workloads.map(({ raw }) => raw)].filter(
      (one) => namespaceOf(one) === namespace,
    );
    const near = nextStep(asked.name, known.map(nameOf));
    const next = near === undefined ? NEVER_MADE : `${near} Else: ${NEVER_MADE}`;
    throw notFound(`pod '${asked.name}'`, namespace, { survey, next });
  }
  const title = `${maker.kind.kind} '${nameOf(maker.raw)}'`;
  return {
    raw: maker.raw,
    instead: `There is no pod '${asked.name}': explaining ${title}, which makes such pods.`,
  };
}

/** `pod/x`, `deployment/x`, `deployments.apps/x`, or a name alone. */
function askedFor(written: string): Asked {
  const slash = written.indexOf('/');
  if (slash === -1) return { name: written };
  const [word = ''] = written.slice(0, slash).toLowerCase().split('.');
  const kind = SHORT_NAMES[word] ?? word.replace(/s$/, '');
  const known = ['pod', ...WORKLOADS.map((one) => one.kind.toLowerCase())];
  if (known.includes(kind)) return { kind, name: written.slice(slash + 1) };
  throw new CommandError(`'${word}' is no kind with pods: use one of ${known.join(', ')}`, EXIT.usage);
}

function isKind(kind: string, asked: Asked): boolean {
  return kind.toLowerCase() === asked.kind;
}

/** The workload of this name, else the one whose pods would have such names: the longest that the name begins with. */
function makerOf(name: string, workloads: readonly WorkloadObject[]): WorkloadObject | undefined {
  const makers = workloads.filter(({ raw }) => name === nameOf(raw) || name.startsWith(`${nameOf(raw)}-`));
  // A Deployment says more than the ReplicaSet between it and its pods.
  const tops = makers.filter(({ raw }) => controllerOf(raw) === undefined);
  return (tops.length > 0 ? tops : makers).toSorted(
    (one, other) => nameOf(other.raw).length - nameOf(one.raw).length,
  )[0];
}

const NEVER_MADE =
  'a pod that was refused never came to be: name its owner, such as deployment/NAME, or give its manifest with -f';

function nextStep(name: string, known: Iterable<string>): string | undefined {
  const near = nearest(name, known);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}

interface Missing {
  readonly survey: Survey;
  /** What to try instead. */
  readonly next: string;
}

function notFound(what: string, namespace: string, { survey: { failures }, next }: Missing): CommandError {
  const found =
    failures.length === 0
      ? `there is no ${what} in namespace ${namespace}`
      : `no ${what} could be seen in namespace ${namespace}: ${wordsOf(failures).join('; ')}`;
  return new CommandError(`${found}; ${next}`, worstExit([...failures.map(exitCodeOfFailure), EXIT.general]));
}

/** What controllers noted when their last pod was refused, for a workload and what it controls. */
export function notedRefusal({ raw }: Target, { workloads }: Survey): Refusal | undefined {
  const message = [raw, ...childrenOf(raw, workloads)]
    .flatMap((one) => asArray(dig(one, 'status', 'conditions')))
    .filter((one) => text(one, 'type') === 'ReplicaFailure' && text(one, 'status') === 'True')
    .map((one) => text(one, 'message'))
    .find((words) => words !== undefined);
  return message === undefined ? undefined : { message };
}

/** The uids that events about a refused pod of this workload would name. */
export function uidsOf({ raw }: Target, { workloads }: Survey): ReadonlySet<string> {
  return new Set([raw, ...childrenOf(raw, workloads)].map(uidOf));
}

function childrenOf(raw: JsonObject, workloads: readonly WorkloadObject[]): readonly JsonObject[] {
  return workloads
    .map((one) => one.raw)
    .filter((one) => controllerOf(one)?.uid === uidOf(raw) && get(raw, 'kind') !== 'Pod');
}
