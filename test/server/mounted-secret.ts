/** A Secret as the kubelet mounts it: files that are links by way of `..data`, which is swapped as a whole. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface MountedSecret {
  readonly directory: string;
  /** What the kubelet does some time after the Secret has changed. The names stay the same. */
  swap(entries: Readonly<Record<string, string>>): void;
}

export function mountSecret(entries: Readonly<Record<string, string>>): MountedSecret {
  const directory = mkdtempSync(join(tmpdir(), 'floe-mounted-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  let version = 0;
  const swap: MountedSecret['swap'] = (next) => {
    const [former, current] = [`..version_${version}`, `..version_${(version += 1)}`];
    mkdirSync(join(directory, current));
    for (const [name, content] of Object.entries(next))
      writeFileSync(join(directory, current, name), content);
    symlinkSync(current, join(directory, '..data_tmp'));
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    rmSync(join(directory, former), { recursive: true, force: true });
  };
  swap(entries);
  for (const name of Object.keys(entries)) symlinkSync(join('..data', name), join(directory, name));
  return { directory, swap };
}
