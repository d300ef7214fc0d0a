/**
 * A file that SOPS encrypted, as a tree of texts: names of keys stand in it in the clear, so most can be told without
 * the key. The same reading takes what SOPS decrypted. Errors quote nothing of either.
 */
import { LineCounter, isScalar, parseAllDocuments, visit } from 'yaml';
import type { Document } from 'yaml';
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asObject, get, isObject, text } from '../kube/json.ts';
import { BadManifest } from '../kube/yaml.ts';

/** By the ending of the name, as SOPS itself tells them; what it calls binary and INI are no keys and values. */
export type SopsFormat = 'yaml' | 'json' | 'dotenv';

/** Scalars are texts as they are written, numbers too: `1.10` is not 1.1. A null is null. */
export type Tree = Json;

export interface SopsFile {
  readonly format: SopsFormat;
  /** Of a file of several documents each in its place; without SOPS' own part. */
  readonly documents: readonly Tree[];
  /** For whom it is encrypted: 'age age1…', 'arn:aws:kms:…'. */
  readonly recipients: readonly string[];
}

export function formatOf(path: string): SopsFormat | undefined {
  if (/\.ya?ml$/.test(path)) return 'yaml';
  if (path.endsWith('.json')) return 'json';
  return path.endsWith('.env') ? 'dotenv' : undefined;
}

/** Undefined where SOPS has not encrypted it. Throws BadManifest where it cannot be read at all. */
export function readSopsFile(content: string, path: string, format: SopsFormat): SopsFile | undefined {
  const documents = format === 'dotenv' ? [dotenv(content)] : treesOf(content, path, format);
  const metadata = documents.map((document) => metadataOf(document, format));
  if (!metadata.some((part) => part !== undefined)) return undefined;
  return {
    format,
    documents: documents.map((document) => withoutMetadata(document, format)),
    recipients: [...new Set(metadata.flatMap((part) => recipientsOf(part)))],
  };
}

/** What SOPS is asked to write: JSON has every value as it is, but of several documents only the first. */
export function decryptedFormat({ documents }: SopsFile): 'yaml' | 'json' {
  return documents.length > 1 ? 'yaml' : 'json';
}

/** What SOPS ends a line with in YAML, and no reader of YAML 1.2 takes for an end. */
const OLD_LINE_ENDS = /[\u0085\u2028\u2029]/;

/** The documents of a text that SOPS decrypted. Throws BadManifest, also where a value would come out another one. */
export function decryptedDocuments(content: string, path: string, format: 'yaml' | 'json'): readonly Tree[] {
  if (format === 'yaml' && OLD_LINE_ENDS.test(content)) {
    const why = 'a value has a line separator of Unicode, which does not survive beside other documents';
    throw new BadManifest(path, 1, `${why}: split the file`);
  }
  return treesOf(content, path, format);
}

function treesOf(content: string, path: string, format: 'yaml' | 'json'): readonly Tree[] {
  return format === 'json' ? [jsonTree(content, path)] : yamlTrees(content, path);
}

function jsonTree(content: string, path: string): Tree {
  try {
    return JSON.parse(content, asWritten) as Tree;
  } catch {
    throw new BadManifest(path, 1, 'not valid JSON');
  }
}

/** A number beyond 2^53 would come out another one. */
function asWritten(_key: string, value: unknown, { source }: { readonly source?: string } = {}): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? (source ?? String(value)) : value;
}

const MAX_ALIASES = 100;
const NULL = /^(?:~|null|Null|NULL|)$/;

function yamlTrees(content: string, path: string): readonly Tree[] {
  const lineCounter = new LineCounter();
  // Without a schema a text is what is written: which of them is a number is nothing to a Secret.
  const options = { schema: 'failsafe', prettyErrors: false, logLevel: 'silent', lineCounter } as const;
  const documents = guarded(path, () => parseAllDocuments(content, options));
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    const [error] = document.errors;
    if (error === undefined) return yamlTree(document, path);
    throw new BadManifest(path, lineCounter.linePos(error.pos[0]).line, `not valid YAML (${error.code})`);
  });
}

function yamlTree(document: Document.Parsed, path: string): Tree {
  visit(document, {
    Scalar: (_key, node) => {
      if (isScalar(node) && node.type === 'PLAIN' && NULL.test(node.source ?? '')) node.value = null;
    },
  });
  return guarded(path, () => document.toJS({ maxAliasCount: MAX_ALIASES }) as Tree);
}

function guarded<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new BadManifest(path, 1, 'nested too deeply, or with aliases that lead nowhere');
  }
}

/** As SOPS reads it: lines of KEY=value, blank ones and comments; whatever is around a value belongs to it. */
function dotenv(content: string): Tree {
  const entries = content
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const equals = line.indexOf('=');
      const value = line.slice(equals + 1).replaceAll(String.raw`\n`, '\n');
      return equals === -1 ? ([line, null] as const) : ([line.slice(0, equals), value] as const);
    });
  return Object.fromEntries(entries);
}

const DOTENV_METADATA = 'sops_';

/** What SOPS wrote of itself into a document; undefined where it did not. */
function metadataOf(document: Tree, format: SopsFormat): JsonObject | undefined {
  const own = format === 'dotenv' ? flatMetadata(document) : asObject(get(document, 'sops'));
  return text(own, 'mac') === undefined && text(own, 'version') === undefined ? undefined : own;
}

function flatMetadata(document: Tree): JsonObject {
  const entries = Object.entries(asObject(document)).filter(([key]) => key.startsWith(DOTENV_METADATA));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(DOTENV_METADATA.length), value]));
}

function withoutMetadata(document: Tree, format: SopsFormat): Tree {
  if (!isObject(document)) return document;
  const isOwn = (key: string): boolean =>
    format === 'dotenv' ? key.startsWith(DOTENV_METADATA) : key === 'sops';
  return Object.fromEntries(Object.entries(document).filter(([key]) => !isOwn(key)));
}

/** The field that names a recipient, by the list that it stands in. */
const RECIPIENTS: Readonly<Record<string, string>> = {
  age: 'recipient',
  kms: 'arn',
  pgp: 'fp',
  gcp_kms: 'resource_id',
  azure_kv: 'vault_url',
  hc_vault: 'vault_address',
  hckms: 'key_id',
};

function recipientsOf(metadata: JsonObject | undefined): readonly string[] {
  if (metadata === undefined) return [];
  const groups = [metadata, ...asArray(get(metadata, 'key_groups'))];
  const nested = groups.flatMap((group) =>
    Object.entries(RECIPIENTS).flatMap(([list, field]) =>
      asArray(get(group, list)).map((one) => named(list, text(one, field))),
    ),
  );
  const flat = Object.keys(metadata).flatMap((key) => {
    const [field, list = ''] = key.split(/__list_\d+__map_/).toReversed();
    return RECIPIENTS[list] === field ? [named(list, text(metadata, key))] : [];
  });
  return [...nested, ...flat].filter((one) => one !== '');
}

/** They are for messages, and all of them are ASCII where nobody has played with the file. */
function named(list: string, recipient = ''): string {
  return recipient === '' ? '' : `${list.replace('_', ' ')} ${recipient.replaceAll(/[^ -~]/g, '?')}`;
}
