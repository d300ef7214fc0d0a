import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { folderOf } from './captured.ts';

async function script(shell: string): Promise<string> {
  let out = '';
  const output = { write: (text: string) => (out += text) };
  const code = await runProgram(['completion', shell], {
    terminal: { stdout: output, stderr: output, stdin: (async function* () {})(), env: {}, cwd: '/' },
    version: '0',
    serve: async () => 0,
  });
  expect(code).toBe(0);
  return out;
}

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

const folder = folderOf({ 'pod.yaml': '' });

/** What the shell itself makes of a line, the last word of which is being typed. */
function bash(source: string, line: readonly string[]): readonly string[] {
  writeFileSync(join(folder, 'completion'), source);
  const words = ['floe-secrets', ...line].map((word) => `'${word}'`).join(' ');
  const asked = `source ./completion; COMP_WORDS=(${words}); COMP_CWORD=${line.length}; _floe_secrets; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-eu', '-c', asked], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\n').filter((word) => word !== '');
}

describe.skipIf(!isInstalled('bash'))('bash', () => {
  it('completes commands, options, formats and arguments', async () => {
    const source = await script('bash');
    const names = COMMANDS.map(({ name }) => name);
    expect(bash(source, ['']).filter((word) => !word.startsWith('-'))).toEqual(names);
    expect(bash(source, ['sc'])).toEqual(['scan']);
    expect(bash(source, ['-n', 'list', 'expl'])).toEqual(['explain']);
    expect(bash(source, ['list', '--ex'])).toEqual(['--exit-code']);
    expect(bash(source, ['review', '-o', 'sa'])).toEqual(['sarif']);
    expect(bash(source, ['review', '--assume-namespace', ''])).toEqual(['audit', 'warn', 'strict', 'out']);
    expect(bash(source, ['completion', 'f'])).toEqual(['fish']);
    expect(bash(source, ['list', '--kubec'])).toEqual(['--kubeconfig']);
    // Left to the shell, which knows files.
    expect(bash(source, ['review', '-f', 'po'])).toEqual([]);
  });
});

describe('fish', () => {
  it('knows each command and option', async () => {
    const source = await script('fish');
    for (const { name, about } of COMMANDS) {
      expect(source).toContain(` -f -a ${name} -d '${about.replaceAll("'", "\\'")}'`);
    }
    expect(source).toMatch(
      /^complete -c floe-secrets -n '__fish_seen_subcommand_from list' -l exit-code -d /m,
    );
    expect(source).toMatch(/^complete -c floe-secrets -s o -l output -x -a 'text json yaml/m);
  });

  it.skipIf(!isInstalled('fish'))('reads it', async () => {
    writeFileSync(join(folder, 'completion.fish'), await script('fish'));
    const asked = 'source completion.fish; complete -C "floe-secrets sc"';
    const { stdout } = spawnSync('fish', ['--no-config', '-c', asked], { cwd: folder, encoding: 'utf8' });
    expect(stdout).toMatch(/^scan\t/m);
  });
});

describe('zsh', () => {
  it.skipIf(!isInstalled('zsh'))('reads it', async () => {
    writeFileSync(join(folder, 'completion.zsh'), await script('zsh'));
    const asked = 'source ./completion.zsh && whence -w _floe_secrets';
    const { stdout, status } = spawnSync('zsh', ['-f', '-c', asked], { cwd: folder, encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '_floe_secrets: function\n']);
  });

  it('is bash, by its own way to run that', async () => {
    const source = await script('zsh');
    expect(source).toMatch(/^#compdef floe-secrets\n/);
    expect(source.endsWith(await script('bash'))).toBe(true);
  });
});
