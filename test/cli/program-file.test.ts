import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { programFile } from '../stories/program.ts';
import { NAMESPACE, SECRET, folderOf, infisicalSecret } from './captured.ts';

const pod = (name: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: floe-jobs, annotations: {secrets.floe.dev/inject: snowflake-credentials}}\nspec: {containers: [{name: dbt, image: dbt}]}\n`;

const folder = folderOf({
  'world/world.yaml': `${NAMESPACE}---\n${SECRET}`,
  'world/sync.yaml': infisicalSecret('db'),
  'manifest.yaml': 'a: {secret_ref: snowflake-credentials}\n',
});

function program(args: readonly string[], input = '') {
  const env = { PATH: process.env['PATH'], FORCE_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [programFile(), ...args], {
    cwd: folder,
    input,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return { status, stdout, stderr };
}

describe('the program', () => {
  it('reviews a pipe, in plain text', () => {
    expect(program(['review', '-f', '-', '--world', 'world'], pod('dbt'))).toEqual({
      status: 0,
      stdout:
        '✓ Pod floe-jobs/dbt: allowed (strict), injected snowflake-credentials\n\n1 object reviewed: 1 allowed, 0 denied, 0 warnings.\n',
      stderr: '',
    });
  });

  it('takes -f and --world more than once', () => {
    const { status, stdout } = program(
      [
        'review',
        '-f',
        '-',
        '-f',
        'world/sync.yaml',
        '--world',
        'world/world.yaml',
        '--world',
        'world/sync.yaml',
      ],
      pod('dbt'),
    );
    expect(stdout).toContain('2 objects reviewed: 2 allowed');
    expect(status).toBe(0);
  });

  it('writes all of a long result into a pipe', () => {
    const pods = Array.from({ length: 500 }, (_, index) => pod(`dbt-${index}`)).join('---\n');
    const { status, stdout } = program(['review', '-f', '-', '--world', 'world', '-o', 'json'], pods);
    expect((JSON.parse(stdout) as { results: readonly unknown[] }).results).toHaveLength(500);
    expect(status).toBe(0);
  });

  it('ends in silence when its reader has seen enough', async () => {
    const pods = Array.from({ length: 500 }, (_, index) => pod(`dbt-${index}`)).join('---\n');
    const child = spawn(process.execPath, [programFile(), 'review', '-f', '-', '--world', 'world'], {
      cwd: folder,
    });
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.stdout.destroy();
    child.stdin.end(pods);
    await once(child, 'close');
    expect(err).toBe('');
  });

  it('lists, tells the status and validates over files', () => {
    expect(program(['list', '--world', 'world', '-n', 'floe-jobs']).stdout).toMatch(/^NAME {22}TYPE/);
    expect(program(['status', '--world', 'world', '-A']).stdout).toMatch(/^NAMESPACE {2}NAME {22}PROJECT/);
    expect(program(['validate', '--world', 'world', '-n', 'floe-jobs'])).toEqual({
      status: 0,
      stdout:
        'Validating secret references in manifest.yaml...\n✓ snowflake-credentials: exists, 3 keys\n\nAll 1 reference found.\n',
      stderr: '',
    });
  });

  it.each([
    [['review'], 2],
    [['review', '-f', 'nope.yaml'], 3],
    [['review', '-f', '-', '--baseline', 'nope.json'], 3],
    [['list', '-o', 'sarif'], 2],
    [['list', '-o', 'diff'], 2],
    [['list', '--world', 'nope'], 3],
    [['validate', '-c', 'nope.yaml', '--world', 'world'], 3],
    [['status', '--drift', '--world', 'world'], 2],
    [['list', '--kubeconfig', 'nope'], 3],
  ])('%j exits with %i', (args, code) => {
    const { status, stdout, stderr } = program(args);
    expect([status, stdout]).toEqual([code, '']);
    expect(stderr).toMatch(/^error: |^Error: /);
  });
});
