/** Kubernetes objects as text: YAML or JSON, several documents, `List`s. */
import type { Json, JsonObject } from './json.ts';
import { asArray, get, isObject, text } from './json.ts';
import type { NodePath, PlainDocument } from './yaml.ts';
import { BadManifest, parseDocuments } from './yaml.ts';

/** One object of a file. */
export interface Manifest {
  readonly raw: JsonObject;
  /** As the reader named it; '-' for standard input. */
  readonly file: string;
  /** Where the document or the item of a List begins, from 1. */
  readonly line: number;
  /** The line of a part of the object, or of the nearest known part around it. */
  readonly lineOf: (path: NodePath) => number;
}

/** Lists in Lists; kubectl flattens them too. */
const MAX_NESTED_LISTS = 5;

/** Every Kubernetes object of a text, in order; empty documents are nothing. Throws BadManifest. */
export function parseManifests(content: string, file: string): readonly Manifest[] {
  return parseDocuments(content, file).flatMap((document) => objectsOf(document, file));
}

function objectsOf(document: PlainDocument, file: string): readonly Manifest[] {
  return flatten(document.value, [], { document, file });
}

interface Source {
  readonly document: PlainDocument;
  readonly file: string;
}

function flatten(value: Json, path: NodePath, source: Source): readonly Manifest[] {
  const line = source.document.quickLineOf(path);
  const kind = text(value, 'kind');
  if (!isObject(value) || kind === undefined || kind === '') {
    throw new BadManifest(source.file, line, 'no Kubernetes object: it has no kind');
  }
  if (text(value, 'apiVersion') === undefined) {
    throw new BadManifest(source.file, line, `${kind} has no apiVersion`);
  }
  if (!kind.endsWith('List') || !Array.isArray(get(value, 'items'))) {
    const lineOf = (inner: NodePath): number => source.document.lineOf([...path, ...inner]);
    return [{ raw: value, file: source.file, line, lineOf }];
  }
  if (path.length / 2 >= MAX_NESTED_LISTS)
    throw new BadManifest(source.file, line, 'too many Lists in Lists');
  return asArray(get(value, 'items')).flatMap((item, index) =>
    flatten(typed(item, value, kind), [...path, 'items', index], source),
  );
}

/** Items of a `SecretList` may leave out the kind that its name tells. */
function typed(item: Json, list: JsonObject, listKind: string): Json {
  if (listKind === 'List' || !isObject(item) || get(item, 'kind') !== undefined) return item;
  return { apiVersion: get(list, 'apiVersion'), kind: listKind.slice(0, -'List'.length), ...item };
}
