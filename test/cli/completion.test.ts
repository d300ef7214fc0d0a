import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { needs } from '../needs.ts';
import { folderOf } from './captured.ts';
import { zshCompletes } from './zsh-session.ts';

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

  it.skipIf(!needs('fish'))('completes commands, options, formats and arguments', async () => {
    const source = await script('fish');
    const names = COMMANDS.map(({ name }) => name).toSorted();
    expect(fish(source, '')).toEqual(names);
    expect(fish(source, 'sc')).toEqual(['scan']);
    expect(fish(source, 'gates ')).toEqual(['list', 'open']);
    expect(fish(source, 'list --ex')).toEqual(['--exit-code']);
    expect(fish(source, 'review -o sa')).toEqual(['sarif']);
    expect(fish(source, 'review --assume-namespace ')).toEqual(['audit', 'out', 'strict', 'warn']);
    expect(fish(source, 'completion f')).toEqual(['fish']);
    expect(fish(source, 'list --kubec')).toEqual(['--kubeconfig']);
    expect(fish(source, 'review -f po')).toEqual(['pod.yaml']);
  });
});

/** What fish offers for the last word of a line, without the descriptions. */
function fish(source: string, line: string): readonly string[] {
  writeFileSync(join(folder, 'completion.fish'), source);
  const asked = `source completion.fish; complete -C "floe-secrets ${line}"`;
  const { stdout, status } = spawnSync('fish', ['--no-config', '-c', asked], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  return stdout
    .split('\n')
    .filter((offer) => offer !== '')
    .map((offer) => offer.split('\t')[0] ?? '')
    .toSorted();
}

describe('zsh', () => {
  const typed = [
    'floe-secrets sc',
    'floe-secrets -n list expl',
    'floe-secrets gates l',
    'floe-secrets list --ex',
    'floe-secrets review -o sa',
    'floe-secrets completion f',
    'floe-secrets review -f po',
    // Several: the line stays.
    'floe-secrets res',
  ];
  const completed = [
    'floe-secrets scan ',
    'floe-secrets -n list explain ',
    'floe-secrets gates list ',
    'floe-secrets list --exit-code ',
    'floe-secrets review -o sarif ',
    'floe-secrets completion fish ',
    'floe-secrets review -f pod.yaml ',
    'floe-secrets rest',
  ];

  it.skipIf(!needs('zsh'))('completes what is typed where the script is sourced', async () => {
    writeFileSync(join(folder, 'completion.zsh'), await script('zsh'));
    expect(zshCompletes(folder, 'source ./completion.zsh', typed)).toEqual(completed);
  });

  it.skipIf(!needs('zsh'))('completes from the first tab where it is a file of fpath', async () => {
    mkdirSync(join(folder, 'functions'), { recursive: true });
    writeFileSync(join(folder, 'functions', '_floe-secrets'), await script('zsh'));
    const start = 'fpath=(./functions $fpath); autoload -U compinit; compinit -D -u';
    expect(zshCompletes(folder, start, typed)).toEqual(completed);
  });

  it('is bash, by its own way to run that', async () => {
    const source = await script('zsh');
    expect(source).toMatch(/^#compdef floe-secrets\n/);
    expect(source).toContain(await script('bash'));
  });
});
