/**
 * The part of the annotations' grammar that a policy can read, in CEL: `inject` and `containers` of the Pod, else of
 * its Namespace. What CEL cannot do (look at Secrets, ServiceAccounts, owners) stays the webhook's.
 */
import { KEYS } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';

/** A text as CEL writes it. */
export function celText(words: string): string {
  return `'${words.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function celList(words: readonly string[]): string {
  return `[${words.map(celText).join(', ')}]`;
}

/** The nearest of the two levels that has the annotation; an empty value asks for nothing. */
function nearest(key: string): string {
  const of = (object: string): string => `${object}.metadata.?annotations[?${celText(key)}]`;
  return `${of('object')}.orValue(${of('namespaceObject')}.orValue(''))`;
}

/** Entries between commas and newlines, without the blanks around them. */
function entries(text: string): string {
  return `${text}.replace('\\n', ',').split(',').map(e, e.trim()).filter(e, e != '')`;
}

/** In their order: each may stand on those above it. */
export function injectionVariables(skipContainers: readonly string[]): readonly JsonObject[] {
  return Object.entries({
    entries: entries(nearest(KEYS.inject)),
    // One trailing '?', then the last '='.
    split:
      "variables.entries.map(e, e.endsWith('?') ? [e.substring(0, e.size() - 1), 'true'] : [e, ''])" +
      ".map(e, {'text': e[0], 'optional': e[1], 'equals': string(e[0].lastIndexOf('='))})",
    wanted:
      "variables.split.map(e, {'secret': e['text'].substring(int(e['equals']) + 1).trim(), " +
      "'prefix': e['equals'] == '-1' ? '' : e['text'].substring(0, int(e['equals'])).trim(), " +
      "'optional': e['optional']})",
    named: entries(nearest(KEYS.containers)),
    receivers:
      'object.spec.containers.map(c, c.name).filter(n, variables.named.size() == 0 ' +
      `? !(n in ${celList(skipContainers)}) : ('*' in variables.named || n in variables.named))`,
  }).map(([name, expression]) => ({ name, expression }));
}

/** Whether container `c` has what `w` wants. */
const CARRIED =
  "c.?envFrom.orValue([]).exists(f, has(f.secretRef) && f.secretRef.name == w['secret'] && f.?prefix.orValue('') == w['prefix'])";

/** Every receiving container carries every entry. */
export const ALL_CARRIED = `object.spec.containers.all(c, !(c.name in variables.receivers) || variables.wanted.all(w, ${CARRIED}))`;

export const CARRIED_MESSAGE =
  "'FLOE-E807: the pod does not carry what it asked for: ' + variables.wanted.filter(w, !object.spec.containers.all(c, " +
  `!(c.name in variables.receivers) || ${CARRIED})).map(w, w['secret']).join(', ')`;

/** JSON Patch operations that append what is missing, and touch nothing that is there. */
export const INJECTION = [
  'variables.wanted.size() == 0 ? [] : (object.spec.containers.transformList(i, c, ',
  'c.name in variables.receivers && !has(c.envFrom), ',
  "JSONPatch{op: 'add', path: '/spec/containers/' + string(i) + '/envFrom', value: []}) + ",
  'object.spec.containers.transformList(i, c, c.name in variables.receivers, ',
  `variables.wanted.filter(w, !${CARRIED}).map(w, `,
  "JSONPatch{op: 'add', path: '/spec/containers/' + string(i) + '/envFrom/-', ",
  "value: Object.spec.containers.envFrom{prefix: w['prefix'], ",
  "secretRef: Object.spec.containers.envFrom.secretRef{name: w['secret'], optional: w['optional'] == 'true'}}})",
  ').flatten())',
].join('');

/** Containers of both kinds that a pod begins with. */
const CONTAINERS = '(object.spec.containers + object.spec.?initContainers.orValue([]))';

/** Whether a reference is needed and its Secret not in the index, which has no data where it is empty. */
function lacks(reference: string, name = 'name'): string {
  return `!${reference}.?optional.orValue(false) && !(${reference}.${name} in params.?data.orValue({}))`;
}

/** The names, between blanks, of Secrets that the pod needs and the index lacks. */
export const UNINDEXED = [
  `${CONTAINERS}.map(c, c.?envFrom.orValue([]).filter(f, has(f.secretRef) && ${lacks('f.secretRef')}).map(f, f.secretRef.name).join(' '))`,
  `${CONTAINERS}.map(c, c.?env.orValue([]).filter(v, has(v.valueFrom) && has(v.valueFrom.secretKeyRef) && ${lacks('v.valueFrom.secretKeyRef')}).map(v, v.valueFrom.secretKeyRef.name).join(' '))`,
  `object.spec.?volumes.orValue([]).filter(v, has(v.secret) && ${lacks('v.secret', 'secretName')}).map(v, v.secret.secretName)`,
  `object.spec.?volumes.orValue([]).filter(v, has(v.projected)).map(v, v.projected.?sources.orValue([]).filter(s, has(s.secret) && ${lacks('s.secret')}).map(s, s.secret.name).join(' '))`,
]
  .map((list) => `(${list})`)
  .join(' + ');
