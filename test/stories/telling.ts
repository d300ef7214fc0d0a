/** From a story to the cases that a door tells: one for each way that the story speaks of. */
import { manifestOf } from './given.ts';
import { asShort, NAMESPACE, ownerReference, textOf } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { manifestFrom, merged, podFrom } from './subject.ts';
import { loadStories } from './story.ts';
import type { Expected, ToldStory } from './story.ts';

/** One pod or object, one world, one expected answer. Times and uids are still words. */
export interface Case {
  readonly title: string;
  readonly file: string;
  readonly story: ToldStory;
  readonly namespace: string;
  /** The cluster, the subject's namespace first. */
  readonly objects: readonly Manifest[];
  readonly subject: Manifest;
  readonly old?: Manifest;
  readonly operation: 'CREATE' | 'UPDATE';
  readonly user: {
    readonly username: string;
    readonly groups: readonly string[];
    readonly may: readonly string[];
  };
  readonly mutate?: Expected;
  readonly mutateSkipped: boolean;
  readonly validate?: Expected;
  readonly verdict?: Expected;
}

interface Way {
  readonly title: string;
  readonly injected?: boolean;
  readonly controlled?: boolean;
  readonly verdict?: Expected;
}

const CONTROLLER = 'system:serviceaccount:kube-system:replicaset-controller';

/** Every case of every story. */
export function loadCases(): readonly Case[] {
  return loadStories().flatMap((story) => waysOf(story).map((way) => caseOf(story, way)));
}

function waysOf(story: ToldStory): readonly Way[] {
  const { bare, controlled, verdict } = story.expect;
  const whose: readonly Way[] = [
    ...(bare === undefined ? [] : [{ title: "a person's pod", controlled: false, verdict: bare }]),
    ...(controlled === undefined
      ? []
      : [{ title: "a controller's pod", controlled: true, verdict: controlled }]),
  ];
  const people: readonly Way[] = whose.length > 0 ? whose : [{ title: '', ...(verdict && { verdict }) }];
  if (story.uses === undefined) return people;
  return people.flatMap((way) => [
    { ...way, injected: true, title: joined('injected', way.title) },
    { ...way, injected: false, title: joined('its own reference', way.title) },
  ]);
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ');
}

function caseOf(story: ToldStory, way: Way): Case {
  const settings = story.namespace === 'out' ? {} : story.namespace;
  const namespace = textOf(settings['name'], NAMESPACE);
  const subject =
    story.object === undefined ? podOf(story, way, namespace) : manifestFrom(story.object, namespace);
  const { mutate, validate } = story.expect;
  return {
    title: story.story + (way.title === '' ? '' : ` (${way.title})`),
    file: story.file,
    story,
    namespace,
    objects: [namespaceOf(story, namespace), ...story.given.map(manifestOf)],
    subject,
    ...(story.was === undefined ? {} : { old: merged(subject, story.was) as Manifest }),
    operation: story.operation ?? (story.was === undefined ? 'CREATE' : 'UPDATE'),
    user: userOf(story, way),
    ...(mutate === undefined || mutate === 'skipped' ? {} : { mutate }),
    mutateSkipped: mutate === 'skipped',
    ...(validate === undefined ? {} : { validate }),
    ...(way.verdict === undefined ? {} : { verdict: way.verdict }),
  };
}

function userOf(story: ToldStory, way: Way): Case['user'] {
  if (typeof story.user === 'object') return story.user;
  const controller = way.controlled === true || story.user === 'controller' || story.owner !== undefined;
  return controller
    ? { username: CONTROLLER, groups: ['system:serviceaccounts', 'system:authenticated'], may: [] }
    : { username: 'ada@floe.dev', groups: ['system:authenticated'], may: [] };
}

/** Settings that are labels of the Namespace; every other one is an annotation. */
const LABELS: Readonly<Record<string, string>> = {
  injection: 'secrets.floe.dev/injection',
  enforcement: 'secrets.floe.dev/enforcement',
  environment: 'floe.dev/environment',
};

function namespaceOf(story: ToldStory, name: string): Manifest {
  const given = story.namespace === 'out' ? {} : { injection: 'enabled', ...story.namespace };
  const settings = Object.entries(given).filter(([key]) => key !== 'name');
  const labels = settings
    .filter(([key]) => LABELS[key] !== undefined)
    .map(([key, value]) => [LABELS[key] ?? '', String(value)]);
  const annotations = settings.filter(([key]) => LABELS[key] === undefined);
  return manifestOf({
    Namespace: name,
    labels: Object.fromEntries(labels),
    annotations: Object.fromEntries(annotations),
  });
}

function podOf(story: ToldStory, way: Way, namespace: string): Manifest {
  const owner = story.owner ?? (way.controlled === true ? 'ReplicaSet/dbt' : undefined);
  const short = story.pod ?? {};
  const inject = way.injected === true ? { inject: story.uses } : {};
  const own = way.injected === false ? [{ secretRef: { name: story.uses } }] : [];
  const base = podFrom({ ...short, annotations: { ...inject, ...asShort(short['annotations']) } });
  const metadata = {
    ...(short['generateName'] === undefined ? { name: 'dbt-run' } : {}),
    namespace,
    ...asShort(base['metadata']),
    ...(owner === undefined ? {} : { ownerReferences: [ownerReference(owner)] }),
  };
  return { ...base, metadata, spec: own.length === 0 ? base['spec'] : withEnvFrom(base['spec'], own) };
}

function withEnvFrom(spec: unknown, own: readonly Manifest[]): Manifest {
  const [first, ...others] = asShort(spec)['containers'] as readonly Manifest[];
  return { ...asShort(spec), containers: [{ ...first, envFrom: own }, ...others] };
}
