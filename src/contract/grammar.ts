/**
 * The grammar of annotation values (contract, section 3). An entry is read from its right: one trailing `?`,
 * then the last `=`, then the first `/` behind it. Linear in the length of the text.
 */
import { DEFAULT_KEY } from './keys.ts';
import { isDnsSubdomain, isSecretKey, isVariableName } from '../kube/names.ts';

/** `[PREFIX=]secret[?]` of `inject`. */
export interface InjectEntry {
  readonly secret: string;
  readonly prefix: string;
  readonly optional: boolean;
}

/** `[NAME=]secret[/key][?]` of `env`; `dotted` where the default name had to replace a dot. */
export interface EnvEntry {
  readonly secret: string;
  readonly key: string;
  readonly name: string;
  readonly optional: boolean;
  readonly dotted: boolean;
}

/** `[/dir=]secret[/key][?]` of `files`. */
export interface FileEntry {
  readonly secret: string;
  readonly key?: string;
  readonly directory: string;
  readonly optional: boolean;
}

/** `secret/KEY` of `require-keys`. */
export interface KeyEntry {
  readonly secret: string;
  readonly key: string;
}

/** `name`, `*`, `init:name`, `init:*` of `containers`. */
export interface ContainerEntry {
  readonly init: boolean;
  readonly name: string;
}

/** An entry that cannot be read: which, where it stands (from 1), and why. */
export interface Mistake {
  readonly entry: string;
  readonly position: number;
  readonly why: string;
}

export interface Parsed<T> {
  readonly entries: readonly T[];
  readonly mistakes: readonly Mistake[];
}

interface Parts {
  readonly left?: string;
  readonly secret: string;
  readonly key?: string;
  readonly optional: boolean;
}

type Reading<T> = { readonly entry: T } | { readonly why: string };

/** Entries between commas and newlines, without the blanks around them; empty ones are nothing. */
export function splitEntries(text: string): readonly string[] {
  return text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

export function parseInject(text: string): Parsed<InjectEntry> {
  const read = readEach<InjectEntry>(text, (entry) => {
    const parts = readParts(entry);
    if ('why' in parts) return parts;
    if (parts.key !== undefined)
      return { why: `'${parts.secret}/${parts.key}' has a key; env and files take keys` };
    if (parts.left !== undefined && !isVariableName(parts.left)) {
      return { why: `'${parts.left}' is no prefix of variable names` };
    }
    return { entry: { secret: parts.secret, prefix: parts.left ?? '', optional: parts.optional } };
  });
  return parsed(unique(read, (entry) => `${entry.prefix}=${entry.secret}`));
}

export function parseEnv(text: string): Parsed<EnvEntry> {
  const read = readEach<EnvEntry>(text, (entry) => {
    const parts = readParts(entry);
    if ('why' in parts) return parts;
    if (parts.left !== undefined && !isVariableName(parts.left)) {
      return { why: `'${parts.left}' is no variable name` };
    }
    return { entry: envEntry(parts) };
  });
  const once = unique(read, (entry) => `${entry.name}=${entry.secret}/${entry.key}`);
  return parsed(withoutClashes(once, (entry) => `variable ${entry.name}`));
}

export function parseFiles(text: string): Parsed<FileEntry> {
  const read = readEach<FileEntry>(text, (entry) => {
    const parts = readParts(entry);
    if ('why' in parts) return parts;
    const directory = parts.left ?? `/run/secrets/${parts.secret}`;
    const why = directoryMistake(directory);
    if (why !== undefined) return { why };
    const key = parts.key === undefined ? {} : { key: parts.key };
    return { entry: { secret: parts.secret, ...key, directory, optional: parts.optional } };
  });
  const once = unique(read, (entry) => `${entry.directory}=${entry.secret}/${entry.key ?? ''}`);
  // Two whole Secrets may share a directory; two keys of one name would be one file.
  return parsed(
    withoutClashes(once, ({ directory, key }) =>
      key === undefined ? undefined : `file ${directory}/${key}`,
    ),
  );
}

export function parseRequireKeys(text: string): Parsed<KeyEntry> {
  const read = readEach<KeyEntry>(text, (entry) => {
    const parts = readParts(entry);
    if ('why' in parts) return parts;
    if (parts.left !== undefined) return { why: "it has a '='; the form is secret/KEY" };
    if (parts.optional) return { why: "a required key cannot be optional; drop the '?'" };
    if (parts.key === undefined) return { why: 'the key is missing; the form is secret/KEY' };
    return { entry: { secret: parts.secret, key: parts.key } };
  });
  return parsed(read);
}

export function parseContainers(text: string): Parsed<ContainerEntry> {
  const read = readEach<ContainerEntry>(text, (entry) => {
    const init = entry.startsWith('init:');
    const name = init ? entry.slice('init:'.length) : entry;
    if (name !== '*' && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
      return { why: `'${name}' is no container name` };
    }
    return { entry: { init, name } };
  });
  return parsed(read);
}

/** The variable name that an `env` entry without a name gets: floe's own convention. */
export function defaultVariableName(secret: string, key?: string): string {
  const words = key === undefined ? secret : `${secret}_${key}`;
  return `FLOE_SECRET_${words.toUpperCase().replaceAll(/[-.]/g, '_')}`;
}

function envEntry(parts: Parts): EnvEntry {
  const key = parts.key ?? DEFAULT_KEY;
  const named = parts.left !== undefined;
  const dotted = !named && (parts.secret.includes('.') || (parts.key ?? '').includes('.'));
  const name = parts.left ?? defaultVariableName(parts.secret, parts.key);
  return { secret: parts.secret, key, name, optional: parts.optional, dotted };
}

function readParts(entry: string): Parts | { readonly why: string } {
  const optional = entry.endsWith('?');
  const body = optional ? entry.slice(0, -1) : entry;
  const equals = body.lastIndexOf('=');
  const left = equals === -1 ? undefined : body.slice(0, equals);
  const right = body.slice(equals + 1);
  if (left === '') return { why: "nothing stands before the '='" };
  const slash = right.indexOf('/');
  const secret = slash === -1 ? right : right.slice(0, slash);
  const key = slash === -1 ? undefined : right.slice(slash + 1);
  if (secret === '') return { why: 'the name of the Secret is missing' };
  if (!isDnsSubdomain(secret))
    return { why: `'${secret}' is no Secret name (lower case letters, digits, '-' and '.')` };
  if (key === '') return { why: "nothing stands after the '/'" };
  if (key !== undefined && !isSecretKey(key)) return { why: `'${key}' is no key of a Secret` };
  return { ...(left === undefined ? {} : { left }), secret, ...(key === undefined ? {} : { key }), optional };
}

function directoryMistake(directory: string): string | undefined {
  if (!directory.startsWith('/')) return `'${directory}' is no absolute directory`;
  if (directory === '/') return "'/' cannot be mounted over";
  if (directory.includes(':')) return `'${directory}' has a ':', which no mount path may have`;
  const plain = directory.slice(1).split('/');
  if (plain.some((part) => part === '' || part === '.' || part === '..')) {
    return `'${directory}' is not a plain path (no '//', '/./', '/../' or '/' at the end)`;
  }
  return undefined;
}

interface Placed<T> {
  readonly entry: T;
  readonly text: string;
  readonly position: number;
}

interface Placing<T> {
  readonly placed: readonly Placed<T>[];
  readonly mistakes: readonly Mistake[];
}

function parsed<T>({ placed, mistakes }: Placing<T>): Parsed<T> {
  return { entries: placed.map(({ entry }) => entry), mistakes };
}

function readEach<T>(text: string, read: (entry: string) => Reading<T>): Placing<T> {
  const placed: Placed<T>[] = [];
  const mistakes: Mistake[] = [];
  for (const [index, entry] of splitEntries(text).entries()) {
    const reading = read(entry);
    const position = index + 1;
    if ('why' in reading) mistakes.push({ entry, position, why: reading.why });
    else placed.push({ entry: reading.entry, text: entry, position });
  }
  return { placed, mistakes };
}

/** Equal entries count once; with and without `?` is without. */
function unique<T extends { readonly optional: boolean }>(
  { placed, mistakes }: Placing<T>,
  identity: (entry: T) => string,
): Placing<T> {
  const byIdentity = new Map<string, Placed<T>>();
  for (const one of placed) {
    const id = identity(one.entry);
    const earlier = byIdentity.get(id);
    if (earlier === undefined) byIdentity.set(id, one);
    else if (!one.entry.optional)
      byIdentity.set(id, { ...earlier, entry: { ...earlier.entry, optional: false } });
  }
  return { placed: [...byIdentity.values()], mistakes };
}

/** Of several entries that would set the same thing, the first stays and the others are mistakes. */
function withoutClashes<T>(
  { placed, mistakes }: Placing<T>,
  clash: (entry: T) => string | undefined,
): Placing<T> {
  const taken = new Map<string, Placed<T>>();
  const kept: Placed<T>[] = [];
  const clashes: Mistake[] = [];
  for (const one of placed) {
    const what = clash(one.entry);
    const earlier = what === undefined ? undefined : taken.get(what);
    if (what !== undefined && earlier !== undefined) {
      const why = `${what} is already set by entry ${earlier.position} ('${earlier.text}')`;
      clashes.push({ entry: one.text, position: one.position, why });
      continue;
    }
    if (what !== undefined) taken.set(what, one);
    kept.push(one);
  }
  const all = [...mistakes, ...clashes];
  return { placed: kept, mistakes: all.sort((a, b) => a.position - b.position) };
}
