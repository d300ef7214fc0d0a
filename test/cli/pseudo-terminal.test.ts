// A real terminal: colours, and tables that fit it. `script` of util-linux gives one.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { programFile } from '../stories/program.ts';
import { runningCluster } from './running.ts';

const hasScript = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '');
const cwd = runningCluster();

interface Settings {
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a terminal of this width is shown. */
function onTerminal(args: string, { columns = 200, env = {} }: Settings = {}): string {
  const line = `stty cols ${columns}; "${process.execPath}" "${programFile()}" ${args} --world world`;
  const { stdout } = spawnSync('script', ['-qec', line, '/dev/null'], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', TERM: 'xterm', LANG: 'C.UTF-8', ...env },
  });
  return stdout.replaceAll('\r\n', '\n');
}

function piped(args: string): string {
  const { stdout } = spawnSync(process.execPath, [programFile(), ...args.split(' '), '--world', 'world'], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8' },
  });
  return stdout;
}

const ESCAPE = '\u001B[';
const USAGE = 'usage db -n floe-jobs';
const SCAN = 'scan -n floe-jobs';

describe.skipIf(!hasScript)('a terminal', () => {
  it('gets colours, unless it refuses them', () => {
    expect(onTerminal(SCAN)).toContain(ESCAPE);
    expect(onTerminal(SCAN, { env: { NO_COLOR: '1' } })).not.toContain(ESCAPE);
    expect(onTerminal(SCAN, { env: { TERM: 'dumb' } })).not.toContain(ESCAPE);
  });

  it('gets symbols that it can show', () => {
    expect(onTerminal(SCAN)).toContain('✗');
    const plain = onTerminal(SCAN, { env: { LANG: 'C', LC_ALL: 'C', NO_COLOR: '1' } });
    expect(plain).not.toContain('✗');
    expect(plain).toMatch(/^x Deployment/m);
  });

  it('gets tables that fit it', () => {
    const lines = (text: string): readonly string[] =>
      text.split('\n').filter((line) => /^\S+ {2,}/.test(line));
    const whole = lines(piped(USAGE));
    const fitted = lines(onTerminal(USAGE, { columns: 50 }));
    expect(Math.max(...whole.map((line) => line.length))).toBeGreaterThan(50);
    expect(fitted).toHaveLength(whole.length);
    expect(fitted.every((line) => line.length <= 50)).toBe(true);
    expect(fitted.some((line) => line.endsWith('…'))).toBe(true);
    expect(lines(onTerminal(USAGE))).toEqual(whole);
  });
});

describe('a pipe', () => {
  it('gets plain text that is never cut', () => {
    expect(piped(SCAN)).not.toContain(ESCAPE);
    expect(piped(USAGE)).not.toContain('…');
    expect(piped(USAGE)).not.toMatch(/[ \t]$/m);
  });
});
