import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identify, isAlive } from '../../tools/control-plane/process-identity.ts';
import { createWorkspace, sweep } from '../../tools/control-plane/workspace.ts';
import { program, temporaryDirectory } from './temporary.ts';

function ownedBy(parent: string, owner: unknown): string {
  const directory = createWorkspace(parent);
  writeFileSync(join(directory, 'owner.json'), JSON.stringify(owner));
  return directory;
}

const DEAD = { pid: 2 ** 22 + 1, started: '1' };

describe('identify', () => {
  it('tells a process from a later one with the same pid', () => {
    const self = identify(process.pid);
    expect(self).toBeDefined();
    if (self === undefined) return;
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, started: 'another time' })).toBe(false);
    expect(isAlive(DEAD)).toBe(false);
  });
});

describe('sweep', () => {
  it('leaves alone what belongs to a living process', () => {
    const parent = temporaryDirectory();
    const directory = createWorkspace(parent);
    expect(sweep(parent)).toEqual([]);
    expect(existsSync(directory)).toBe(true);
  });

  it('removes what a dead owner left, also when its pid lives again', () => {
    const parent = temporaryDirectory();
    const dead = ownedBy(parent, DEAD);
    const reused = ownedBy(parent, { pid: process.pid, started: 'another time' });
    expect(sweep(parent).sort()).toEqual([dead, reused].sort());
    expect(existsSync(dead)).toBe(false);
  });

  it('touches no directory of another name, and no fresh one without an owner', () => {
    const parent = temporaryDirectory();
    mkdirSync(join(parent, 'somebody'));
    mkdirSync(join(parent, 'floe-kube-fresh'));
    mkdirSync(join(parent, 'floe-kube-stale'));
    utimesSync(join(parent, 'floe-kube-stale'), 0, 0);
    expect(sweep(parent)).toEqual([join(parent, 'floe-kube-stale')]);
  });

  it('ends a process that works in the directory, and no other that has its pid', async () => {
    const parent = temporaryDirectory();
    const directory = ownedBy(parent, DEAD);
    const script = program(join(directory, 'server'), 'sleep 60');
    const server = spawn(script, { stdio: 'ignore' });
    const bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
    await Promise.all([once(server, 'spawn'), once(bystander, 'spawn')]);
    writeFileSync(join(directory, 'server.pid'), String(server.pid));
    writeFileSync(join(directory, 'bystander.pid'), String(bystander.pid));
    expect(readFileSync(join(directory, 'server.pid'), 'utf8')).not.toBe('');
    const ended = once(server, 'exit');
    sweep(parent);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    bystander.kill();
  });
});
