/**
 * Documents as text, YAML as kubectl reads it or JSON. Texts may hold Secrets, so no error quotes what it read.
 */
import { LineCounter, isCollection, isMap, isNode, isScalar, parseAllDocuments } from 'yaml';
import type { Document, ErrorCode, Node, YAMLError } from 'yaml';
import type { Json } from './json.ts';
import { kubernetesTags } from './yaml-tags.ts';

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

/** Every document of a text, whatever it holds but nothing. Throws BadManifest where it is neither YAML nor JSON. */
export function parseDocuments(content: string, file: string): readonly PlainDocument[] {
  return parseJson(content, file) ?? parseYaml(content, file);
}

/** Keys and indexes from the top of a document. */
export type NodePath = readonly (string | number)[];

/** A document as JSON, with the line of any part of it. */
export interface PlainDocument {
  readonly value: Json;
  /** The line on which the part at this path begins; of its nearest known parent where it is not known. */
  lineOf(path: NodePath): number;
  /** The same where it costs nothing: in JSON, whose lines another parser would have to find, it is the first. */
  quickLineOf(path: NodePath): number;
}

/** JSON is YAML, but its own parser is far quicker; the YAML parser is asked for lines alone. */
function parseJson(content: string, file: string): readonly PlainDocument[] | undefined {
  if (!/^\s*[{[]/.test(content)) return undefined;
  try {
    const value: Json = JSON.parse(content);
    let known: PlainDocument | undefined;
    const lineOf: PlainDocument['lineOf'] = (path) =>
      (known ??= parseYaml(content, file)[0])?.lineOf(path) ?? 1;
    return [{ value, lineOf, quickLineOf: () => 1 }];
  } catch {
    return undefined;
  }
}

function parseYaml(content: string, file: string): readonly PlainDocument[] {
  const lines = new LineCounter();
  const documents = guarded(file, () =>
    parseAllDocuments(content, {
      version: '1.1',
      customTags: kubernetesTags,
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
  const lineOf: PlainDocument['lineOf'] = (path) => lineOfPath(document, path, lines);
  return [{ value, lineOf, quickLineOf: lineOf }];
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

function lineOfPath(document: Document.Parsed, path: NodePath, lines: LineCounter): number {
  let node: unknown = document.contents;
  let line = lineOfNode(node, lines);
  for (const part of path) {
    if (!isCollection(node)) return line;
    // Keys that YAML 1.1 takes for booleans or numbers are texts in the value.
    const pair = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      : undefined;
    node = pair === undefined ? node.get(part, true) : pair.value;
    // The line of a mapping's entry is that of its key: a value may begin on the next one.
    line = lineOfNode(isNode(pair?.key) ? pair.key : node, lines, line);
  }
  return line;
}

function lineOfNode(node: unknown, lines: LineCounter, otherwise = 1): number {
  const range = isNode(node) ? (node as Node).range : undefined;
  return range === undefined || range === null ? otherwise : lines.linePos(range[0]).line;
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
