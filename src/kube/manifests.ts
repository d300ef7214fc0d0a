/**
 * Manifests as text: YAML or JSON, several documents, `List`s. YAML is read as kubectl reads it (1.1: `off` is a
 * boolean, `0400` is octal, a time is a string). Texts may hold Secrets, so no error quotes what it read.
 */
import { LineCounter, isCollection, isMap, isNode, isScalar, parseAllDocuments } from 'yaml';
import type { Document, ErrorCode, Node, Tags, YAMLError } from 'yaml';
import type { Json, JsonObject } from './json.ts';
import { asArray, get, isObject, text } from './json.ts';

/** One object of a file. */
export interface Manifest {
  readonly raw: JsonObject;
  /** As the reader named it; '-' for standard input. */
  readonly file: string;
  /** Where the document or the item of a List begins, from 1. */
  readonly line: number;
}

/** Text that is no manifest: 'pods.yaml:12: two keys of one mapping are equal'. */
export class BadManifest extends Error {
  override readonly name = 'BadManifest';
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, problem: string) {
    super(`${file}:${line}: ${problem}`);
    this.file = file;
    this.line = line;
  }
}

/** Aliases that one document may resolve to: more is a bomb, not a manifest. */
const MAX_ALIASES = 100;

/** Lists in Lists; kubectl flattens them too. */
const MAX_NESTED_LISTS = 5;

/** YAML 1.1 has these types, Kubernetes' reader (sigs.k8s.io/yaml) leaves their texts alone. */
const NOT_IN_KUBERNETES = new Set(
  ['binary', 'omap', 'pairs', 'set', 'timestamp'].map((tag) => `tag:yaml.org,2002:${tag}`),
);

/** Every Kubernetes object of a text, in order; empty documents are nothing. Throws BadManifest. */
export function parseManifests(content: string, file: string): readonly Manifest[] {
  return parseDocuments(content, file).flatMap((document) => objectsOf(document, file));
}

/** Every document of a text, whatever it holds but nothing. Throws BadManifest where it is neither YAML nor JSON. */
export function parseDocuments(content: string, file: string): readonly PlainDocument[] {
  return parseJson(content) ?? parseYaml(content, file);
}

/** A document as JSON, with the line of any part of it. */
export interface PlainDocument {
  readonly value: Json;
  /** The line on which the part at this path begins; of its nearest known parent where it is not known. */
  lineOf(path: readonly (string | number)[]): number;
}

/** JSON is YAML, but its own parser is far quicker; where it fails the YAML parser knows the line. */
function parseJson(content: string): readonly PlainDocument[] | undefined {
  if (!/^\s*[{[]/.test(content)) return undefined;
  try {
    const value: Json = JSON.parse(content);
    return [{ value, lineOf: () => 1 }];
  } catch {
    return undefined;
  }
}

function parseYaml(content: string, file: string): readonly PlainDocument[] {
  const lines = new LineCounter();
  const documents = guarded(file, () =>
    parseAllDocuments(content, {
      version: '1.1',
      customTags: withoutForeignTags,
      lineCounter: lines,
      // A pretty error quotes the source, which may be the value of a Secret.
      prettyErrors: false,
      logLevel: 'silent',
    }),
  );
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => plain(document, lines, file));
}

function plain(document: Document.Parsed, lines: LineCounter, file: string): readonly PlainDocument[] {
  const error = document.errors[0];
  if (error !== undefined) throw new BadManifest(file, lines.linePos(error.pos[0]).line, problemOf(error));
  const value = guarded<Json>(
    file,
    () => document.toJS({ maxAliasCount: MAX_ALIASES }),
    lineOfNode(document.contents, lines),
  );
  if (value === null) return [];
  return [{ value, lineOf: (path) => lineOfPath(document, path, lines) }];
}

/** What the library throws instead of collecting: too many aliases, nesting that overflows the stack. */
function guarded<T>(file: string, read: () => T, line = 1): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new BadManifest(file, line, 'the document is nested too deeply');
    throw new BadManifest(file, line, `more than ${MAX_ALIASES} aliases, or an alias without its anchor`);
  }
}

function withoutForeignTags(tags: Tags): Tags {
  return tags.filter(
    (tag) =>
      typeof tag === 'string' ||
      !(NOT_IN_KUBERNETES.has(tag.tag) || ('format' in tag && tag.format === 'TIME')),
  );
}

function lineOfPath(
  document: Document.Parsed,
  path: readonly (string | number)[],
  lines: LineCounter,
): number {
  let node: unknown = document.contents;
  let line = lineOfNode(node, lines);
  for (const part of path) {
    if (!isCollection(node)) return line;
    const key = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && pair.key.value === part)?.key
      : undefined;
    node = node.get(part, true);
    // The line of a mapping's entry is that of its key: a value may begin on the next one.
    line = lineOfNode(isNode(key) ? key : node, lines, line);
  }
  return line;
}

function lineOfNode(node: unknown, lines: LineCounter, otherwise = 1): number {
  const range = isNode(node) ? (node as Node).range : undefined;
  return range === undefined || range === null ? otherwise : lines.linePos(range[0]).line;
}

function objectsOf(document: PlainDocument, file: string): readonly Manifest[] {
  return flatten(document.value, [], { document, file });
}

interface Source {
  readonly document: PlainDocument;
  readonly file: string;
}

function flatten(value: Json, path: readonly (string | number)[], source: Source): readonly Manifest[] {
  const line = source.document.lineOf(path);
  const kind = text(value, 'kind');
  if (!isObject(value) || kind === undefined || kind === '') {
    throw new BadManifest(source.file, line, 'no Kubernetes object: it has no kind');
  }
  if (text(value, 'apiVersion') === undefined) {
    throw new BadManifest(source.file, line, `${kind} has no apiVersion`);
  }
  if (!kind.endsWith('List') || !Array.isArray(get(value, 'items'))) {
    return [{ raw: value, file: source.file, line }];
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

/** The library's own messages quote the text, so each code has words here. */
const PROBLEMS: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: 'the indentation is wrong',
  BAD_ALIAS: 'an alias has no anchor, or is not allowed here',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping begins where a value was expected: check the indentation and the quotes',
  DUPLICATE_KEY: 'two keys of one mapping are equal',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key runs over several lines: a colon is missing, or the indentation is wrong',
  TAB_AS_INDENT: 'tabs are not allowed as indentation',
  UNEXPECTED_TOKEN: 'an unexpected character: check the quotes, brackets and indentation',
  BAD_SCALAR_START: 'a value begins with a character that needs quotes',
  BAD_DQ_ESCAPE: 'an unknown escape in a double-quoted text',
  RESOURCE_EXHAUSTION: 'the document is nested too deeply, or too large',
};

function problemOf(error: YAMLError): string {
  return PROBLEMS[error.code] ?? `not valid YAML (${error.code})`;
}
