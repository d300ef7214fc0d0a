/** The control groups of a run's containers: directories in the kernel, one in each hierarchy. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
const ATTEMPTS = 300;

/** Makes the group that a kubelet keeps its pods in, with whatever the kernel can limit. */
export function makeControlGroups(name: string): void {
  const controllers = join(ROOT, 'cgroup.controllers');
  if (existsSync(controllers)) {
    // A group can limit what the group above hands down.
    const all = readFileSync(controllers, 'utf8').trim().split(' ');
    writeFileSync(join(ROOT, 'cgroup.subtree_control'), all.map((one) => `+${one}`).join(' '));
    mkdirSync(join(ROOT, name));
    return;
  }
  // The older hierarchies, one for each controller; the unified one beside them, if any, has no file `tasks`.
  const hierarchies = directoriesIn(ROOT).filter((one) => existsSync(join(ROOT, one, 'tasks')));
  for (const hierarchy of hierarchies) mkdirSync(join(ROOT, hierarchy, name));
}

/** Removes the groups of that name from every hierarchy; those who were in there may take a moment to be gone. */
export async function removeControlGroups(name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const left = removeUnused(name);
    if (left.length === 0) return;
    if (attempt === ATTEMPTS) throw new Error(`control groups are still in use: ${left.join(', ')}`);
    await sleep(100);
  }
}

/** Removes those that nobody is in any more, and returns the others. */
export function removeUnused(name: string): readonly string[] {
  return groupsNamed(name).filter((group) => !removed(group));
}

/** The one directory of the unified hierarchy, or one in each of the older ones. */
export function groupsNamed(name: string): readonly string[] {
  return ['', ...directoriesIn(ROOT)].map((hierarchy) => join(ROOT, hierarchy, name)).filter(isThere);
}

/** The names of all that begin so, each once. */
export function groupNamesLike(prefix: string): readonly string[] {
  const all = ['', ...directoriesIn(ROOT)].flatMap((hierarchy) => directoriesIn(join(ROOT, hierarchy)));
  return [...new Set(all)].filter((name) => name.startsWith(prefix));
}

function removed(group: string): boolean {
  const below = directoriesIn(group).map((child) => removed(join(group, child)));
  if (below.includes(false)) return false;
  try {
    rmdirSync(group);
    return true;
  } catch {
    return !isThere(group);
  }
}

function directoriesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function isThere(directory: string): boolean {
  try {
    readdirSync(directory);
    return true;
  } catch {
    return false;
  }
}
