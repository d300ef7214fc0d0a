import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { groupsNamed, makeControlGroups } from '../../tools/control-plane/control-groups.ts';
import { commandLine } from '../../tools/control-plane/process-identity.ts';
import { createWorkspace, removeWorkspace, sweep } from '../../tools/control-plane/workspace.ts';
import { needs } from '../needs.ts';
import { eventually, gone, program, temporaryDirectory } from './temporary.ts';

const OWNER = fileURLToPath(new URL('owner.ts', import.meta.url));

interface Owned {
  readonly directory: string;
  readonly server: string;
  readonly pids: readonly number[];
  kill(): Promise<void>;
}

async function startOwner(...args: string[]): Promise<Owned> {
  const owner = spawn(process.execPath, [OWNER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const [line = ''] = await once(createInterface(owner.stdout), 'line');
  const { directory, server }: { directory: string; server: string } = JSON.parse(String(line));
  await eventually(() => pidFiles(directory).length > 0, 'a server has started');
  const pids = pidFiles(directory).map((name) => Number(readFileSync(join(directory, name), 'utf8')));
  const kill = async (): Promise<void> => {
    owner.kill('SIGKILL');
    await once(owner, 'exit');
  };
  return { directory, server, pids, kill };
}

function pidFiles(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.pid'));
}

describe('when the owner is killed', () => {
  it("ends a program of upstream's, which does not care, and removes the directory", async () => {
    const standIn = program(join(temporaryDirectory(), 'server'), 'trap "" TERM; while :; do sleep 1; done');
    const owned = await startOwner(standIn);
    expect(owned.pids.map(commandLine).join(' ')).toContain(owned.directory);
    await owned.kill();
    await gone(owned.directory);
    await eventually(() => owned.pids.every((pid) => commandLine(pid) === undefined), 'the program is gone');
  });

  it.skipIf(!needs('apiserver'))('leaves nothing of a real control plane', async () => {
    const owned = await startOwner();
    expect(existsSync(owned.directory)).toBe(true);
    await owned.kill();
    await gone(owned.directory);
    await eventually(() => owned.pids.every((pid) => commandLine(pid) === undefined), 'the servers are gone');
    await expect(fetch(`${owned.server}/version`)).rejects.toThrow();
  });

  it.skipIf(!needs('node'))('keeps the directory as a reminder while a control group is in use', async () => {
    const owned = await startOwner(program(join(temporaryDirectory(), 'server'), 'sleep 600'));
    const name = basename(owned.directory);
    makeControlGroups(name);
    const member = spawn('sleep', ['600']);
    onTestFinished(() => void member.kill('SIGKILL'));
    enter(name, member.pid ?? 0);
    await owned.kill();
    await eventually(() => owned.pids.every((pid) => commandLine(pid) === undefined), 'the program is gone');
    // Longer than such groups usually take.
    await sleep(6_000);
    expect(existsSync(owned.directory)).toBe(true);
    member.kill('SIGKILL');
    await gone(owned.directory);
    expect(groupsNamed(name)).toEqual([]);
  });

  it.skipIf(!needs('node'))('leaves no control group either whose directory is gone', async () => {
    const name = basename(createWorkspace());
    makeControlGroups(name);
    sweep();
    expect(groupsNamed(name)).not.toEqual([]);
    removeWorkspace(join(tmpdir(), name));
    sweep();
    expect(groupsNamed(name)).toEqual([]);
  });

  it.skipIf(!needs('node'))('leaves nothing of a node', async () => {
    const owned = await startOwner('node');
    const name = basename(owned.directory);
    expect(groupsNamed(name)).not.toEqual([]);
    await owned.kill();
    await gone(owned.directory);
    await eventually(
      () => owned.pids.every((pid) => commandLine(pid) === undefined),
      'the programs are gone',
    );
    // A group goes when the kernel has let go of its last process.
    await eventually(() => groupsNamed(name).length === 0, 'the control groups are gone');
  });

  it.skipIf(!needs('node'))(
    'leaves nothing of a node once somebody sweeps, its watchdogs killed too',
    async () => {
      const owned = await startOwner('node');
      const name = basename(owned.directory);
      watchdogsOf(owned.directory).forEach(end);
      await owned.kill();
      // Whatever was ended a moment ago is still in its group at the first look.
      await eventually(() => {
        sweep();
        return !existsSync(owned.directory);
      }, 'it is swept');
      await eventually(() => {
        sweep();
        return groupsNamed(name).length === 0;
      }, 'the control groups are swept');
    },
  );
});

/** Puts a process into a control group of this name; of the older hierarchies not each takes any. */
function enter(name: string, pid: number): void {
  const entered = groupsNamed(name).filter((group) => {
    try {
      writeFileSync(join(group, 'cgroup.procs'), String(pid));
      return true;
    } catch {
      return false;
    }
  });
  expect(entered).not.toEqual([]);
}

/** Kills it, unless it has ended since: with the sandbox's first process go all others, and whoever watches them. */
function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The shells that would clean up; what they guard runs on without them. */
function watchdogsOf(directory: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const words = commandLine(pid) ?? '';
      return words.startsWith('/bin/sh -c') && words.includes(directory);
    });
}
