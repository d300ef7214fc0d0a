/** The projected volumes that carry injected files. */
import { createHash } from 'node:crypto';
import type { FileEntry } from '../contract/grammar.ts';
import { dig } from '../kube/json.ts';
import type { Container } from '../kube/pod.ts';
import { isWindows } from '../kube/pod.ts';
import type { Settings } from './settings.ts';

/** One projected volume: every file entry of one directory. */
export interface VolumePlan {
  readonly name: string;
  readonly directory: string;
  readonly files: readonly FileEntry[];
  /** Absent on Windows, where files have no modes. */
  readonly defaultMode?: number;
}

/** One volume a directory, in the order of the entries. */
export function volumePlansOf(
  settings: Settings,
  pod: unknown,
  files: readonly FileEntry[],
  containers: readonly Container[],
): readonly VolumePlan[] {
  if (files.length === 0) return [];
  const mode = fileMode(settings, pod, containers);
  const byDirectory = Map.groupBy(files, (entry) => entry.directory);
  return [...byDirectory].map(([directory, entries]) => ({
    name: `floe-${createHash('sha256').update(directory).digest('hex').slice(0, 10)}`,
    directory,
    files: entries,
    ...(mode === undefined ? {} : { defaultMode: mode }),
  }));
}

/** As narrow as the receiving processes can still read: by group, by root alone, else by all. */
function fileMode(settings: Settings, pod: unknown, containers: readonly Container[]): number | undefined {
  if (isWindows(pod)) return undefined;
  const configured = settings.config.files.defaultMode;
  if (configured !== 'auto') return configured;
  if (typeof dig(pod, 'spec', 'securityContext', 'fsGroup') === 'number') return 0o440;
  const podUser = dig(pod, 'spec', 'securityContext', 'runAsUser');
  const root = ({ raw }: Container): boolean => (dig(raw, 'securityContext', 'runAsUser') ?? podUser) === 0;
  return containers.length > 0 && containers.every(root) ? 0o400 : 0o444;
}
