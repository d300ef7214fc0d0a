import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startGuarded } from '../../tools/control-plane/guarded-process.ts';
import { commandLine } from '../../tools/control-plane/process-identity.ts';
import { eventually, program, temporaryDirectory } from './temporary.ts';

describe('a guarded process', () => {
  it('ends when it is stopped, and its directory stays', async () => {
    const directory = temporaryDirectory();
    const file = program(join(directory, 'server'), 'echo hello; exec sleep 60');
    const guarded = startGuarded({ name: 'server', directory, file, args: ['x'] });
    await eventually(() => guarded.log() === 'hello\n', 'it says hello');
    const pid = Number(readFileSync(join(directory, 'server.pid'), 'utf8'));
    expect(commandLine(pid)).toContain('sleep');
    await guarded.stop();
    expect(commandLine(pid)).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toContain('hello');
  });

  it('tells how it ended, with its last words', async () => {
    const directory = temporaryDirectory();
    const file = program(join(directory, 'server'), 'echo "no space" >&2; exit 3');
    const guarded = startGuarded({ name: 'server', directory, file, args: [] });
    expect(await guarded.ended).toBe('server ended with code 3');
    expect([guarded.hasEnded(), guarded.succeeded(), guarded.log()]).toEqual([true, false, 'no space\n']);
  });

  it('tells when it could not be started', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'missing');
    const guarded = startGuarded({ name: 'server', directory, file, args: [], settings: {} });
    expect(await guarded.ended).toMatch(/^server could not be started: .*ENOENT/);
  });
});
