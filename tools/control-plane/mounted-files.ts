import { posix } from 'node:path';
import { notFound } from './pod-shape.ts';
import type { Container, FileSource, Pod, ReadSource, SourceKind, Volume } from './pod-shape.ts';

export interface MountedFile {
  readonly content: string;
  readonly mode: number;
}

/** What keeps a volume from being mounted; the pod waits and an event FailedMount tells. */
export class MountError extends Error {
  override readonly name = 'MountError';
}

export type Files = ReadonlyMap<string, MountedFile>;

const DEFAULT_MODE = 0o644;

/** The files of a pod's Secret, ConfigMap and projected volumes, by volume name and relative path. */
export async function volumeFiles(pod: Pod, read: ReadSource): Promise<ReadonlyMap<string, Files>> {
  const volumes = new Map<string, Files>();
  for (const volume of pod.spec.volumes ?? []) {
    try {
      volumes.set(volume.name, await filesOf(volume, read));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new MountError(`MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${why}`);
    }
  }
  return volumes;
}

/** The same files by the absolute path at which one container sees them. */
export function mountedIn(
  container: Container,
  volumes: ReadonlyMap<string, Files>,
): Record<string, MountedFile> {
  const seen: Record<string, MountedFile> = {};
  for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
    for (const [path, file] of volumes.get(name) ?? []) {
      if (subPath === undefined || subPath === '') seen[posix.join(mountPath, path)] = file;
      else if (path === subPath) seen[mountPath] = file;
      else if (path.startsWith(`${subPath}/`)) seen[posix.join(mountPath, path.slice(subPath.length))] = file;
    }
  }
  return seen;
}

async function filesOf(volume: Volume, read: ReadSource): Promise<Files> {
  if (volume.secret !== undefined)
    return sourceFiles('Secret', volume.secret.secretName, volume.secret, read);
  if (volume.configMap !== undefined)
    return sourceFiles('ConfigMap', volume.configMap.name, volume.configMap, read);
  const files = new Map<string, MountedFile>();
  const defaultMode = volume.projected?.defaultMode ?? DEFAULT_MODE;
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    const source = secret ?? configMap;
    // Service account tokens and the downward API are no business of ours.
    if (source === undefined) continue;
    const kind = secret === undefined ? 'ConfigMap' : 'Secret';
    for (const [path, file] of await sourceFiles(kind, source.name, { ...source, defaultMode }, read)) {
      files.set(path, file);
    }
  }
  return files;
}

async function sourceFiles(
  kind: SourceKind,
  name: string,
  source: FileSource,
  read: ReadSource,
): Promise<Files> {
  const { optional = false, defaultMode = DEFAULT_MODE, items } = source;
  const data = await read(kind, name);
  if (data === undefined && !optional) throw new Error(notFound(kind, name));
  const files = new Map<string, MountedFile>();
  const wanted = items ?? [...(data ?? new Map<string, string>()).keys()].map((key) => ({ key, path: key }));
  for (const { key, path, mode = defaultMode } of wanted as NonNullable<FileSource['items']>) {
    const content = data?.get(key);
    if (content !== undefined) files.set(path, { content, mode });
    else if (!optional) throw new Error(`references non-existent ${kind.toLowerCase()} key: ${key}`);
  }
  return files;
}
