/** Who uses a Secret: workloads whose pods will, and pods that do. */
import { KEYS } from '../contract/keys.ts';
import { parseVersions } from '../contract/versions.ts';
import { reducePod } from '../cluster/reduce-running.ts';
import { controllersOf } from '../kube/controllers.ts';
import type { JsonObject } from '../kube/json.ts';
import { annotation, controllerOf, nameOf } from '../kube/object.ts';
import { isOver } from '../kube/pod.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { ReadFailure } from '../kube/world.ts';
import { isFinished } from '../kube/workload.ts';
import { referencesIn } from '../review/explanation.ts';
import type { Inquiry } from '../review/inquiry.ts';
import { freshnessOf } from '../reload/freshness.ts';
import { knowledgeAfter } from '../reload/knowledge.ts';
import { isOptedIn } from '../review/policy.ts';
import type { Use } from '../review/references.ts';
import { referencesOf } from '../review/references.ts';
import type { Settings } from '../review/settings.ts';
import type { Subject } from './bundle.ts';
import { manifestOf, subjectsOf } from './bundle.ts';
import type { LiveWorld } from './live-world.ts';
import type { Surveyed } from './surveyed.ts';

/** `older`: the data was written after the pod began. `follows`: files, which the kubelet brings up to date itself. */
export type Freshness = 'current' | 'older' | 'follows' | 'next run' | 'unknown';

/** One workload or pod that uses the Secret. */
export interface SecretUser {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly raw: JsonObject;
  /** The workload at the top, for a pod that has one. */
  readonly owner?: { readonly kind: string; readonly name: string };
  readonly uses: readonly Use[];
  /** The Secret's version when the pod was admitted, where its injection told. */
  readonly version?: string;
  readonly freshness: Freshness;
}

interface Question {
  readonly settings: Settings;
  readonly secret: string;
  /** undefined: in all of them. */
  readonly namespace?: string;
}

/** Workloads that nothing else controls, and pods that have not ended. */
export async function usersOf(
  { survey, live }: Surveyed,
  question: Question,
): Promise<readonly SecretUser[]> {
  const workloads = survey.workloads
    .map(({ raw }) => raw)
    .filter((raw) => controllerOf(raw) === undefined && !isFinished(raw));
  const pods = survey.pods.filter((pod) => !isOver(pod));
  const subjects = subjectsOf([...workloads, ...pods].map(manifestOf), []).filter(
    ({ namespace }) => question.namespace === undefined || namespace === question.namespace,
  );
  const used = await usesOf(subjects, live, question);
  const places = [...new Set(used.map(({ subject }) => subject.namespace))];
  const secrets = places.map((namespace) => ({ what: 'secret' as const, namespace, name: question.secret }));
  await live.read(secrets.map((want) => ({ ...want, full: false })));
  const controllers = controllersOf(survey.workloads);
  return used.map(({ subject, uses }) => {
    const { kind, namespace, name, manifest } = subject;
    const owner = controllers.topOf(manifest.raw);
    const read = live.world.secret(namespace, question.secret);
    const version = parseVersions(annotation(manifest.raw, KEYS.versions)).get(question.secret);
    const record = read.state === 'present' ? read.value : undefined;
    return {
      kind,
      namespace,
      name,
      raw: manifest.raw,
      ...(owner === undefined ? {} : { owner: { kind: owner.kind.kind, name: nameOf(owner.raw) } }),
      uses,
      ...(version === undefined ? {} : { version }),
      freshness: freshnessIn({ kind, pod: manifest.raw, uses, record }),
    };
  });
}

interface Used {
  readonly subject: Subject;
  readonly uses: readonly Use[];
}

async function usesOf(
  subjects: readonly Subject[],
  live: LiveWorld,
  { settings, secret }: Question,
): Promise<readonly Used[]> {
  for (;;) {
    const inquiry = { settings, world: live.world, now: Date.now(), wanted: [] };
    const used = subjects.map((subject) => ({
      subject,
      uses: referencesBy(subject, { ...inquiry, namespace: subject.namespace })
        .filter((reference) => reference.secret === secret)
        .map(({ use }) => use),
    }));
    if (!(await live.read(inquiry.wanted))) return used.filter(({ uses }) => uses.length > 0);
  }
}

/** A pod uses what it carries; a workload's next pod also what will be injected into it. */
function referencesBy({ kind, pod, namespace }: Subject, inquiry: Inquiry): ReturnType<typeof referencesOf> {
  if (pod === undefined || kind === 'Pod') return referencesOf(pod);
  const read = inquiry.world.namespace(namespace);
  if (read.state === 'unread') inquiry.wanted.push({ what: 'namespace', name: namespace });
  const injects = read.state === 'present' && isOptedIn(read.value);
  return injects ? referencesIn(inquiry, pod, read.value) : referencesOf(pod);
}

interface Aged {
  readonly kind: string;
  readonly pod: JsonObject;
  readonly uses: readonly Use[];
  readonly record: SecretRecord | undefined;
}

/** As the reloader judges it; a look back cannot tell whether data or metadata was written last by who wrote both. */
function freshnessIn({ kind, pod, uses, record }: Aged): Freshness {
  if (kind === 'CronJob') return 'next run';
  if (kind !== 'Pod' || record === undefined) return 'unknown';
  const known = knowledgeAfter(undefined, { state: 'present', record, data: 'first' }, 0);
  if (known === undefined) return 'unknown';
  if (freshnessOf(reducePod(pod), record.name, known) === 'current') return 'current';
  return uses.every(isFile) ? 'follows' : 'older';
}

function isFile({ field }: Use): boolean {
  return field.startsWith('volume ') || field.startsWith('file ');
}

interface Unused {
  readonly secret: string;
  readonly exists: boolean;
  readonly failures: readonly ReadFailure[];
  /** undefined: all of them. */
  readonly namespace: string | undefined;
}

/** What is said of a Secret without users; what could not be seen is not said not to be there. */
export function unusedWords({ secret, exists, failures, namespace }: Unused): string {
  const where = namespace === undefined ? 'in any namespace' : `in namespace ${namespace}`;
  if (failures.length > 0) return `Nothing that could be seen ${where} uses Secret ${secret}.\n`;
  if (exists) return `Nothing ${where} uses Secret ${secret}.\n`;
  return `No Secret ${secret} ${where}, and nothing uses it.\n`;
}
