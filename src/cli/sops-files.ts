/** Files that SOPS encrypted, as people name them: files, or folders to look through. Nothing is decrypted here. */
import type { Dirent } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { BadManifest } from '../kube/yaml.ts';
import type { SopsFile } from '../migrate/sops-file.ts';
import { formatOf, readSopsFile } from '../migrate/sops-file.ts';
import { CommandError, EXIT } from './terminal.ts';

export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  /** As people named it, or below the folder that they named. */
  readonly shown: string;
  /** What its name makes of a Secret's; '' where it has none. */
  readonly name: string;
  readonly content: SopsFile;
}

export interface Found {
  readonly files: readonly FoundFile[];
  /** Of those that look like files of SOPS, why they cannot be read. */
  readonly unreadable: readonly { readonly shown: string; readonly why: string }[];
}

/** A Secret holds 1 MiB, which SOPS makes some two of. */
const MAX_BYTES = 32 * 1024 * 1024;
const DEEPEST = 20;
const NOT_LOOKED_INTO: ReadonlySet<string> = new Set(['.git', 'node_modules']);

/** Throws what the file system says, and CommandError for a named file that is none of SOPS. */
export async function findSopsFiles(paths: readonly string[], cwd: string): Promise<Found> {
  const files = new Map<string, FoundFile>();
  const unreadable: { shown: string; why: string }[] = [];
  for (const named of paths) {
    const isFolder = (await stat(resolve(cwd, named))).isDirectory();
    for (const shown of isFolder ? await filesBelow(named, cwd) : [named]) {
      const path = resolve(cwd, shown);
      try {
        const found = await readFound(path, shown);
        if (found !== undefined) files.set(path, found);
        else if (!isFolder) throw notEncrypted(shown);
      } catch (error) {
        if (!isFolder || !(error instanceof BadManifest)) throw error;
        unreadable.push({ shown, why: error.message });
      }
    }
    if (isFolder && files.size + unreadable.length === 0) {
      throw new CommandError(`${named}: there is no file in it that SOPS has encrypted`, EXIT.fileNotFound);
    }
  }
  return { files: [...files.values()], unreadable };
}

function notEncrypted(shown: string): CommandError {
  const why =
    formatOf(shown) === undefined
      ? 'only what SOPS takes for YAML, JSON or dotenv by its ending has keys to migrate: .yaml, .yml, .json, .env'
      : 'SOPS has not encrypted it';
  return new CommandError(`${shown}: ${why}`, EXIT.usage);
}

/** Undefined where it is none of SOPS. */
async function readFound(path: string, shown: string): Promise<FoundFile | undefined> {
  const format = formatOf(shown);
  if (format === undefined) return undefined;
  if ((await stat(path)).size > MAX_BYTES) throw new BadManifest(shown, 1, 'it is larger than 32 MiB');
  const text = await readFile(path, 'utf8');
  // What is not YAML at all, such as a template of Helm, is no concern of ours.
  if (!text.includes('sops')) return undefined;
  const content = readSopsFile(text, shown, format);
  return content === undefined ? undefined : { path, shown, name: secretNameOf(shown), content };
}

/** 'secrets/DB_main.enc.yaml' is 'db-main'. */
export function secretNameOf(path: string): string {
  return basename(path)
    .replace(/\.(?:ya?ml|json|env)$/, '')
    .replace(/\.(?:enc|sops|encrypted)$/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

/** Sorted; without links, which may lead in circles or out of the folder. */
async function filesBelow(folder: string, cwd: string, depth = 0): Promise<readonly string[]> {
  const entries = await readdir(resolve(cwd, folder), { withFileTypes: true });
  const found = await Promise.all(
    entries
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map(async (entry) => {
        const path = join(folder, entry.name);
        if (!entry.isDirectory()) return isCandidate(entry) ? [path] : [];
        const isDue = !NOT_LOOKED_INTO.has(entry.name) && depth < DEEPEST;
        return isDue ? filesBelow(path, cwd, depth + 1) : [];
      }),
  );
  return found.flat();
}

function isCandidate(entry: Dirent): boolean {
  return entry.isFile() && formatOf(entry.name) !== undefined;
}
