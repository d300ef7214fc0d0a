/** YAML files with the lines that their keys stand on. */
import { readFileSync } from 'node:fs';
import type { Document } from 'yaml';
import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import { ConfigError } from './error.ts';

export interface YamlFile {
  /** The document as plain data; an empty file is an empty mapping. */
  readonly data: unknown;
  /** `config.yaml:12`: the line of the key at this path, or of the nearest key above it. */
  readonly place: (path: readonly PropertyKey[]) => string;
}

/**
 * Reads one YAML document. Throws ConfigError: exit code 3 where there is no such file, 2 where it is no YAML.
 */
export function readYaml(file: string, what: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(readText(file, what), { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new ConfigError(`${what} ${file}:${line}:${col} is not valid YAML: ${problem.message}`);
  }
  return {
    data: toData(document, file, what),
    place: (path) => `${file}:${lines.linePos(offsetOf(document, path)).line}`,
  };
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const gone = code === 'ENOENT' || code === 'ENOTDIR';
    throw new ConfigError(
      `${what} ${file} ${gone ? 'does not exist' : `cannot be read: ${String(code)}`}`,
      3,
    );
  }
}

function toData(document: Document, file: string, what: string): unknown {
  try {
    return (document.toJS() as unknown) ?? {};
  } catch (error) {
    // An alias without an anchor, or a "billion laughs" of aliases.
    throw new ConfigError(`${what} ${file} is not valid YAML: ${String(error)}`);
  }
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    const [mark, next] = enter(node, step);
    offset = startOf(mark) ?? offset;
    node = next;
  }
  return offset;
}

/** The node that marks an entry (its key, or the item itself), and the node below. */
function enter(node: unknown, step: PropertyKey): readonly [mark: unknown, next: unknown] {
  if (isSeq(node) && typeof step === 'number') return [node.items[step], node.items[step]];
  if (!isMap(node)) return [undefined, undefined];
  const pair = node.items.find(({ key }) => (isScalar(key) ? key.value : key) === step);
  return [pair?.key, pair?.value];
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
