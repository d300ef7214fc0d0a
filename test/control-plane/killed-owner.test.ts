import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { commandLine } from '../../tools/control-plane/process-identity.ts';
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

describe('when the owner is killed', { timeout: 60_000 }, () => {
  it("ends a program of upstream's, which does not care, and removes the directory", async () => {
    const standIn = program(join(temporaryDirectory(), 'server'), 'trap "" TERM; while :; do sleep 1; done');
    const owned = await startOwner(standIn);
    expect(owned.pids.map(commandLine).join(' ')).toContain(owned.directory);
    await owned.kill();
    await gone(owned.directory);
    expect(owned.pids.map(commandLine)).toEqual(owned.pids.map(() => undefined));
  });

  it.skipIf(!needs('apiserver'))('leaves nothing of a real control plane', async () => {
    const owned = await startOwner();
    expect(existsSync(owned.directory)).toBe(true);
    await owned.kill();
    await gone(owned.directory);
    await eventually(() => owned.pids.every((pid) => commandLine(pid) === undefined), 'the servers are gone');
    await expect(fetch(`${owned.server}/version`)).rejects.toThrow();
  });
});
