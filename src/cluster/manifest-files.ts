/** Manifests on disk: which files a path means, and what stands in them. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Manifest } from '../kube/manifests.ts';
import { parseManifests } from '../kube/manifests.ts';

/** A manifest with the age of its file, in milliseconds since the epoch. */
export interface DatedManifest extends Manifest {
  readonly modifiedAt: number;
}

const EXTENSION = /\.(?:ya?ml|json)$/i;

/** Where relative paths begin; '' is the process's working directory. Files keep the names that they were given. */
type From = string;

/**
 * The files that a path means: itself, or every `.yaml`, `.yml` and `.json` below a folder, sorted. Hidden files
 * and folders are left out (a mounted ConfigMap keeps its older copies in one). Throws what the file system says.
 */
async function manifestFilesAt(path: string, from: From = ''): Promise<readonly string[]> {
  const place = resolve(from, path);
  if (!(await stat(place)).isDirectory()) return [path];
  const names = (await readdir(place)).filter((name) => !name.startsWith('.')).sort();
  const found = await Promise.all(names.map((name) => filesIn(join(path, name), from)));
  return found.flat();
}

async function filesIn(path: string, from: From): Promise<readonly string[]> {
  const isFolder = (await stat(resolve(from, path))).isDirectory();
  if (isFolder) return manifestFilesAt(path, from);
  return EXTENSION.test(path) ? [path] : [];
}

/** Every manifest of these files and folders. Throws BadManifest, or what the file system says. */
export async function readManifestsAt(
  paths: readonly string[],
  from: From = '',
): Promise<readonly DatedManifest[]> {
  const files = (await Promise.all(paths.map((path) => manifestFilesAt(path, from)))).flat();
  const manifests: DatedManifest[] = [];
  // One after the other, so that the first file that cannot be read is the one that is named.
  for (const file of new Set(files)) manifests.push(...(await readManifestFile(file, from)));
  return manifests;
}

async function readManifestFile(file: string, from: From): Promise<readonly DatedManifest[]> {
  const place = resolve(from, file);
  const [content, { mtimeMs }] = await Promise.all([readFile(place, 'utf8'), stat(place)]);
  return parseManifests(content, file).map((manifest) => ({ ...manifest, modifiedAt: mtimeMs }));
}

/** Changes whenever a file of this path comes, goes or is written, and when one cannot be looked at. */
export async function fingerprintOf(path: string): Promise<string> {
  try {
    const files = await manifestFilesAt(path);
    const marks = await Promise.all(files.map(markOf));
    return marks.join('\n');
  } catch (error) {
    return String(error);
  }
}

async function markOf(file: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return [file, ino, size, mtimeNs, ctimeNs].join(' ');
}
