/**
 * `--from-literal`, `--from-file` and `--from-env-file` with kubectl's meaning and kubectl's refusals; but no error
 * quotes a value. `-` for a file is standard input.
 */
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isSecretKey } from '../kube/names.ts';
import type { Options } from './options.ts';
import { listOption } from './options.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT } from './terminal.ts';

/** Keys and values; bytes where they are no text. */
export type Sources = Readonly<Record<string, string | Uint8Array>>;

/** What the API server takes as one Secret. */
const MAX_BYTES = 1024 * 1024;

type Entry = readonly [key: string, value: string | Uint8Array];

/** Everything that the options name. Throws CommandError of kubectl's kinds, ENOENT where a file is not there. */
export async function readSources(options: Options, terminal: Terminal): Promise<Sources> {
  const literals = listOption(options, 'fromLiteral');
  const files = listOption(options, 'fromFile');
  const envFiles = listOption(options, 'fromEnvFile');
  if (envFiles.length > 0 && literals.length + files.length > 0)
    throw usage('--from-env-file cannot be combined with --from-file or --from-literal');
  if (literals.length + files.length + envFiles.length === 0)
    throw usage('nothing to write: give --from-literal, --from-file or --from-env-file');
  const stdin = onceOnly(terminal);
  const entries: Entry[] = literals.map(literalEntry);
  for (const source of files) entries.push(...(await fileEntries(source, terminal, stdin)));
  for (const file of envFiles) entries.push(...(await envFileEntries(file, terminal, stdin)));
  return collectedEntries(entries);
}

function usage(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}

function literalEntry(source: string, index: number): Entry {
  const equals = source.indexOf('=');
  // The whole of it may be the value, so only its place is named.
  if (equals < 1)
    throw usage(`invalid literal source, --from-literal number ${index + 1}: expected key=value`);
  return [source.slice(0, equals), source.slice(equals + 1)];
}

async function fileEntries(source: string, terminal: Terminal, stdin: Read): Promise<readonly Entry[]> {
  const { key, path } = fileSource(source);
  if (path === '-') {
    if (key === undefined) throw usage('--from-file=-: standard input needs a key name: --from-file=KEY=-');
    return [[key, textOrBytes(await stdin())]];
  }
  const file = resolve(terminal.cwd, path);
  if (!(await stat(file)).isDirectory()) return [[key ?? basename(file), textOrBytes(await readFile(file))]];
  if (key !== undefined) throw usage(`cannot give a key name for a directory path: ${path}`);
  // As kubectl: regular files whose names can be keys; what else is there is passed over.
  const names = (await readdir(file, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && isSecretKey(entry.name))
    .map((entry) => entry.name)
    .toSorted();
  return Promise.all(
    names.map(async (name): Promise<Entry> => [name, textOrBytes(await readFile(join(file, name)))]),
  );
}

function fileSource(source: string): { readonly key?: string; readonly path: string } {
  const [first = '', second, ...more] = source.split('=');
  if (second === undefined) return { path: first };
  if (more.length > 0) throw usage('--from-file: key names or file paths cannot contain "="');
  if (first === '') throw usage(`--from-file: key name for file path ${second} missing`);
  if (second === '') throw usage(`--from-file: file path for key name ${first} missing`);
  return { key: first, path: second };
}

/** kubectl's own rule for the names in an env file. */
const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

async function envFileEntries(path: string, terminal: Terminal, stdin: Read): Promise<readonly Entry[]> {
  const bytes = path === '-' ? await stdin() : await readFile(resolve(terminal.cwd, path));
  const content = textOrBytes(bytes);
  if (typeof content !== 'string') throw usage(`env file ${path} contains invalid utf8 bytes`);
  return content
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line, index) => envLine(line.replace(/\r$/, ''), `${path}:${index + 1}`, terminal));
}

function envLine(line: string, where: string, { env }: Terminal): readonly Entry[] {
  const written = line.trimStart();
  if (written === '' || written.startsWith('#')) return [];
  const equals = written.indexOf('=');
  const name = equals === -1 ? written : written.slice(0, equals);
  if (!ENV_NAME.test(name))
    throw usage(`${where}: not a valid name: letters, digits, '_', '-' and '.', and no digit first`);
  // A name alone takes the value of the variable, as kubectl and Docker do.
  return [[name, equals === -1 ? (env[name] ?? '') : written.slice(equals + 1)]];
}

function collectedEntries(entries: readonly Entry[]): Sources {
  const sources = new Map<string, string | Uint8Array>();
  let size = 0;
  for (const [key, value] of entries) {
    if (!isSecretKey(key)) {
      const shown = key.length > 60 ? `${key.slice(0, 60)}…` : key;
      throw usage(`'${shown}' is not a valid key name for a Secret: letters, digits, '-', '_' or '.'`);
    }
    if (sources.has(key)) throw usage(`cannot add key ${key}, another key by that name already exists`);
    sources.set(key, value);
    size += key.length + Buffer.byteLength(value);
  }
  if (size > MAX_BYTES) throw usage(`the values are ${size} bytes, and a Secret holds ${MAX_BYTES} at most`);
  return Object.fromEntries(sources);
}

type Read = () => Promise<Uint8Array>;

/** Standard input can be read once. */
function onceOnly({ stdin }: Terminal): Read {
  let read = false;
  return async () => {
    if (read) throw usage('standard input can be given once');
    read = true;
    const chunks: Uint8Array[] = [];
    for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    return Buffer.concat(chunks);
  };
}

function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}
