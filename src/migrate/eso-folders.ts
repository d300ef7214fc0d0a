/** An ExternalSecret on Infisical: the same folders, read by Infisical's own operator. Nothing is copied. */
import type { Json } from '../kube/json.ts';
import { asArray, asObject, get, isObject, text } from '../kube/json.ts';
import type { Conversion, Obstacle } from './conversion.ts';
import { isTemplated } from './eso-metadata.ts';
import type { InfisicalStore, Placed } from './eso-stores.ts';
import { addressOf, isInfisical } from './eso-stores.ts';
import { translateTemplate } from './eso-template.ts';
import type { About, Folder, InfisicalWish } from './infisical-target.ts';
import { resourceFor } from './infisical-target.ts';
import { valueOf } from './values.ts';

interface Request extends About {
  readonly placed: readonly Placed[];
  /** `spec.target`. */
  readonly template: Json | undefined;
}

type Made = Pick<Conversion, 'to' | 'obstacles' | 'notes'>;

/** What copies instead, where the same cannot be said in another way. */
const COPY = '--copy-values copies the values that the Secret has now';

export function sameFolder(wish: InfisicalWish, request: Request): Made {
  const { placed } = request;
  const stores = placed.map(({ store }) => store).filter(isInfisical);
  const special = placed.flatMap(({ entry }) => entry.special);
  const scopeless = stores.find(({ project, environment }) => project === '' || environment === '');
  const obstacles: readonly Obstacle[] = [
    ...special,
    ...(scopeless === undefined
      ? []
      : [{ where: '', why: `${scopeless.title} names no project and environment` }]),
    ...(isTemplated(request.metadata)
      ? [{ where: 'spec.target.template.metadata', why: 'labels or annotations are made of values' }]
      : []),
  ];
  if (obstacles.length > 0) return refused(obstacles);
  const values = valuesOf(request);
  if ('why' in values) return refused([values]);
  const rendered = renderedBy(request.template, values);
  if ('why' in rendered) return refused([rendered]);
  const made = resourceFor(wish, request, {
    folders: foldersOf(placed),
    template: rendered.template,
    login: wish.login ?? stores.find(({ login }) => login !== undefined)?.login,
  });
  return { ...made, notes: values.notes };
}

function refused(obstacles: readonly Obstacle[]): Made {
  return { obstacles: obstacles.map((one) => ({ fix: COPY, ...one })), notes: [] };
}

interface Values {
  /** Names to operands of a template; undefined where the Secret is the whole folder as it is. */
  readonly operands: ReadonlyMap<string, string> | undefined;
  readonly notes: readonly string[];
}

/** What each key of External Secrets' own data is made of. Later entries stand over earlier ones. */
function valuesOf({ placed, target, template }: Request): Values | Obstacle {
  const wholes = placed.filter(({ entry }) => entry.reads.how !== 'key');
  const [whole] = wholes;
  if (wholes.length > 1) {
    return { where: 'spec.dataFrom', why: 'several entries bring keys, and which brings which is not known' };
  }
  const rendering = isObject(get(get(template, 'template'), 'data'));
  if (whole !== undefined && rendering) {
    return { where: whole.entry.where, why: 'a template of the Secret hides which keys it brings' };
  }
  if (placed.length === 1 && whole?.entry.reads.how === 'find' && !whole.entry.reads.selects) {
    return { operands: undefined, notes: [] };
  }
  const operands = new Map<string, string>();
  const named = new Set(placed.flatMap(({ entry }) => (entry.reads.how === 'key' ? [entry.reads.key] : [])));
  for (const { entry, store } of placed) {
    const { reads } = entry;
    if (!isInfisical(store)) continue;
    if (reads.how === 'key') operands.set(reads.key, operandOf(reads.remote, store));
    else {
      for (const key of target.keys.filter((one) => !named.has(one))) {
        operands.set(key, reads.how === 'find' ? valueOf(key) : propertyOf(reads.remote.key, key, store));
      }
    }
  }
  const notes =
    whole === undefined
      ? []
      : ['keys that are added later do not come by themselves: its template names each'];
  return { operands, notes };
}

interface Reference {
  readonly key: string;
  readonly property: string;
  readonly decodes: boolean;
}

function operandOf({ key, property, decodes }: Reference, store: InfisicalStore): string {
  const value = property === '' ? valueOf(addressOf(key, store).key) : propertyOf(key, property, store);
  return decodes ? `(decodeBase64ToBytes ${value})` : value;
}

function propertyOf(key: string, property: string, store: InfisicalStore): string {
  const value = `fromJson ${valueOf(addressOf(key, store).key)}`;
  return `(index (${value}) ${JSON.stringify(property)})`;
}

type Rendered = { readonly template: Readonly<Record<string, string>> | undefined };

/** `spec.target.template` in the words of the other operator. */
function renderedBy(target: Json | undefined, { operands }: Values): Rendered | Obstacle {
  const template = get(target, 'template');
  const data = asObject(get(template, 'data'));
  const where = 'spec.target.template';
  if (asArray(get(template, 'templateFrom')).length > 0) {
    return { where: `${where}.templateFrom`, why: 'its text is in another object' };
  }
  if (text(template, 'engineVersion') === 'v1') {
    return { where: `${where}.engineVersion`, why: 'the functions of the old engine are others' };
  }
  const own = operands ?? new Map<string, string>();
  const plain = [...own].map(([key, operand]) => [key, `{{ ${operand} }}`] as const);
  const keys = Object.keys(data);
  if (keys.length === 0) return { template: operands === undefined ? undefined : Object.fromEntries(plain) };
  const texts: (readonly [string, string])[] = [];
  for (const key of keys) {
    const translated = translateTemplate(text(data, key) ?? '', own);
    if ('why' in translated)
      return { where: `${where}.data.${key}`, why: `${translated.why}, which cannot be said otherwise` };
    texts.push([key, translated.text]);
  }
  const merged = text(template, 'mergePolicy') === 'Merge' ? plain : [];
  return { template: Object.fromEntries([...merged, ...texts]) };
}

/** Each folder once, in the order in which they are read. */
function foldersOf(placed: readonly Placed[]): readonly Folder[] {
  const folders = new Map<string, Folder>();
  for (const { entry, store } of placed) {
    if (!isInfisical(store)) continue;
    const { hostAPI, project, environment, recursive } = store;
    const { reads } = entry;
    const path = reads.how === 'find' ? store.path : addressOf(reads.remote.key, store).path;
    const folder = { hostAPI, project, environment, path, recursive: recursive && reads.how === 'find' };
    folders.set(JSON.stringify([hostAPI, project, environment, path]), folder);
  }
  return [...folders.values()];
}
