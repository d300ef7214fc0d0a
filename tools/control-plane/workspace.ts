import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groupNamesLike, groupsNamed, removeUnused } from './control-groups.ts';
import { commandLine, identify, isAlive } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

// Short: a Unix socket's path inside must fit into 104 bytes on macOS.
const PREFIX = 'floe-kube-';
const OWNER = 'owner.json';
const UNCLAIMED_FOR = 600_000;

/** A private directory for one run, marked with the process that owns it. */
export function createWorkspace(parent: string = tmpdir()): string {
  const directory = mkdtempSync(join(parent, PREFIX));
  writeFileSync(join(directory, OWNER), JSON.stringify(identify(process.pid)));
  return directory;
}

export function removeWorkspace(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}

/** Ends and removes what runs left behind whose owner was killed together with its watchdog. */
export function sweep(parent: string = tmpdir()): string[] {
  const removed: string[] = [];
  for (const name of readdirSync(parent)) {
    const directory = join(parent, name);
    if (!name.startsWith(PREFIX) || !isAbandoned(directory)) continue;
    try {
      endProcessesOf(directory);
      // Whoever has just been ended may take a moment, and a kubelet makes its groups anew until it is gone; the
      // directory stays as the reminder to come back.
      if (isNamed(directory) || groupsNamed(name).length > 0) {
        removeUnused(name);
        continue;
      }
      removeWorkspace(directory);
      removed.push(directory);
    } catch {
      // Another user's, or swept by another run at the same moment.
    }
  }
  sweepGroups(parent);
  return removed;
}

/** Of a node whose directory is gone already: a kubelet that was being ended may have made them once more. */
function sweepGroups(parent: string): void {
  const orphans = groupNamesLike(PREFIX).filter((name) => !existsSync(join(parent, name)) && !isNamed(name));
  for (const name of orphans) removeUnused(name);
}

function isAbandoned(directory: string): boolean {
  try {
    const file = join(directory, OWNER);
    // A run that was killed before it wrote its name, or one that is about to write it.
    if (!existsSync(file)) return Date.now() - statSync(directory).mtimeMs > UNCLAIMED_FOR;
    const owner: ProcessIdentity = JSON.parse(readFileSync(file, 'utf8'));
    return !isAlive(owner);
  } catch {
    return false;
  }
}

function endProcessesOf(directory: string): void {
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.pid'))) {
    const pid = Number(readFileSync(join(directory, file), 'utf8').trim());
    // The command line names the directory, so a reused pid is never hit.
    if (pid > 1 && commandLine(pid)?.includes(directory) === true) process.kill(pid, 'SIGKILL');
  }
}

/** Whether a process is left that names it: those in a sandbox go with its first one, and have no file of their own. */
function isNamed(words: string): boolean {
  if (process.platform !== 'linux') return false;
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.some((pid) => commandLine(Number(pid))?.includes(words) === true);
}
