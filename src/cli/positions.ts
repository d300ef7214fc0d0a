/** Where in its file a finding stands: the line of the entry that names the Secret, or of what asked for it. */
import { KEYS } from '../contract/keys.ts';
import { asArray, dig, get, text } from '../kube/json.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import type { NodePath } from '../kube/yaml.ts';
import type { Finding } from '../review/decision.ts';
import type { Subject } from './bundle.ts';
import { templatePathOf } from './bundle.ts';

const CONTAINER_LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const;

/** The line, from 1, of the most exact place that the manifest has. */
export function lineOf(subject: Subject, finding: Finding): number {
  const { written, lineOf: lineAt } = subject.manifest;
  const found = pathsOf(subject, finding).find((path) => isThere(written, path));
  return found === undefined ? subject.manifest.line : lineAt(found);
}

/** Candidates, the most exact first. An injected entry stands nowhere but in the annotation that asks for it. */
function pathsOf(subject: Subject, finding: Finding): readonly NodePath[] {
  const { written } = subject.manifest;
  const template = templatePathOf(subject) ?? [];
  const pod = dig(written, ...template);
  const inPod = podPaths(pod, finding).map((path) => [...template, ...path]);
  return [...inPod, ...annotationPaths(template, finding), ['metadata', 'name']];
}

function podPaths(pod: Json | undefined, finding: Finding): readonly NodePath[] {
  const { container, field = '', secret = '' } = finding;
  if (container !== undefined) {
    return CONTAINER_LISTS.flatMap((list) =>
      indexesOf(dig(pod, 'spec', list), (one) => text(one, 'name') === container).flatMap((index) => {
        const place = ['spec', list, index];
        const raw = asArray(dig(pod, 'spec', list))[index];
        return entryPaths(raw, field, secret).map((path) => [...place, ...path]);
      }),
    );
  }
  if (field.startsWith('volume ')) {
    const name = field.slice('volume '.length);
    return indexesOf(dig(pod, 'spec', 'volumes'), (one) => text(one, 'name') === name).map((index) => [
      'spec',
      'volumes',
      index,
    ]);
  }
  return field === 'imagePullSecrets' ? [['spec', 'imagePullSecrets']] : [];
}

/** Within a container: the `envFrom` source of the Secret, or the variable. */
function entryPaths(container: Json | undefined, field: string, secret: string): readonly NodePath[] {
  const sources = indexesOf(
    get(container, 'envFrom'),
    (one) => text(get(one, 'secretRef'), 'name') === secret,
  );
  if (field === 'envFrom') return sources.map((index) => ['envFrom', index]);
  if (!field.startsWith('env ')) return [];
  const name = field.slice('env '.length);
  return indexesOf(get(container, 'env'), (one) => text(one, 'name') === name).map((index) => ['env', index]);
}

/** On the template, else on the workload itself: a Job's own annotations count too. */
function annotationPaths(
  template: readonly string[],
  { field = '', container }: Finding,
): readonly NodePath[] {
  const named = /^metadata\.annotations\[(.+)\]$/.exec(field)?.[1];
  const keys = named === undefined ? askingKeys(field, container !== undefined) : [named];
  const above = template.slice(0, template.lastIndexOf('template'));
  return keys.flatMap((key) =>
    [template, above, []].map((place) => [...withoutSpec(place), 'metadata', 'annotations', key]),
  );
}

/** `spec.jobTemplate.spec` is the spec of the object whose metadata is meant. */
function withoutSpec(place: readonly string[]): readonly string[] {
  return place.at(-1) === 'spec' ? place.slice(0, -1) : place;
}

function askingKeys(field: string, inContainer: boolean): readonly string[] {
  if (field === 'envFrom') return [KEYS.inject];
  if (field.startsWith('env ')) return [KEYS.env];
  if (field.startsWith('file ')) return [KEYS.files];
  return inContainer ? [KEYS.inject, KEYS.env, KEYS.files] : [];
}

function indexesOf(list: Json | undefined, is: (item: Json) => boolean): readonly number[] {
  return asArray(list).flatMap((item, index) => (is(item) ? [index] : []));
}

function isThere(root: JsonObject, path: NodePath): boolean {
  let value: Json | undefined = root;
  for (const part of path) {
    value = typeof part === 'number' ? asArray(value)[part] : get(value, part);
    if (value === undefined) return false;
  }
  return true;
}
