import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import type { ServeOptions } from '../../src/cli/serve.ts';
import type { Config } from '../../src/config/config.ts';
import { folderOf } from './captured.ts';

async function run(...argv: string[]) {
  let stdout = '';
  let stderr = '';
  const served: [Config, ServeOptions][] = [];
  const exitCode = await runProgram(argv, {
    terminal: {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      stdin: (async function* nothing() {})(),
      env: {},
      cwd: '/somewhere',
    },
    version: '1.2.3',
    serve: (config, options) => {
      served.push([config, options]);
      return Promise.resolve(0);
    },
  });
  return { exitCode, stdout, stderr, served };
}

describe('help and usage', () => {
  it('is help on stdout where it was asked for', async () => {
    const { exitCode, stdout, stderr } = await run('--help');
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const command of ['serve', 'review', 'list', 'status', 'validate', 'Examples:', 'Exit codes:']) {
      expect(stdout).toContain(command);
    }
  });

  it('is the version', async () => {
    expect(await run('--version')).toMatchObject({ exitCode: 0, stdout: '1.2.3\n' });
  });

  it.each([
    ['nothing', [], /Usage:/],
    ['an unknown command', ['lst'], /Did you mean list\?/],
    ['an unknown option', ['list', '--exit-cod'], /Did you mean --exit-code\?/],
    ['an argument too many', ['list', 'db'], /too many arguments/],
    [
      'a format that nobody writes',
      ['list', '-o', 'xml'],
      /Allowed choices are text, json, yaml, diff, sarif, junit/,
    ],
    ['nothing to review', ['review'], /-f FILE, DIR or - is needed/],
  ])('is exit code 2 on stderr for %s', async (_what, argv, message) => {
    const { exitCode, stdout, stderr } = await run(...argv);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^error/);
  });

  it('promises of each command only what it writes', async () => {
    const { stdout } = await run('list', '--help');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      '-o, --output <format> text, json or yaml; of review also',
    );
    expect(stdout).not.toContain('choices');
  });

  it('loads no code of a command, so that help is quick', () => {
    const report = `import { registerHooks } from 'node:module';
      registerHooks({ load: (url, context, next) => (console.error(url), next(url, context)) });`;
    const hook = `data:text/javascript,${encodeURIComponent(report)}`;
    const args = ['--import', hook, 'src/main.ts', '--help'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(0);
    const packages = [...stderr.matchAll(/node_modules\/([^/\n]+)/g)].map(([, name]) => name);
    expect([...new Set(packages)]).toEqual(['commander']);
  });
});

describe('serve', () => {
  it('takes every setting as a flag, some of them short', async () => {
    const flags = ['--port', '1', '--ops-port', '2', '--cert-dir', '/certs', '--secrets-cache-ttl', '1m'];
    const { served } = await run(
      'serve',
      ...flags,
      '--gates-enabled',
      'false',
      '--plugins-default',
      'k8s,vault',
    );
    expect(served[0]?.[0]).toMatchObject({
      server: { port: 1, opsPort: 2, certDir: '/certs' },
      secrets: { cacheTtl: 60_000 },
      gates: { enabled: false },
      plugins: { default: ['k8s', 'vault'] },
    });
  });

  it('is told where its cluster is, wherever that option stands', async () => {
    const { served } = await run('--context', 'kind', 'serve', '--world', 'manifests', '--kubeconfig', 'k');
    expect(served[0]?.[1]).toMatchObject({ context: 'kind', kubeconfig: 'k', world: '/somewhere/manifests' });
  });

  it('can read the settings again, as they are by then', async () => {
    const file = (mode: string): string =>
      `apiVersion: floe.dev/v1alpha1\nkind: SecretsWebhookConfig\ncertificates: {mode: ${mode}}\n`;
    const folder = folderOf({ 'config.yaml': file('self') });
    const config = join(folder, 'config.yaml');
    const { served } = await run('serve', '--config', config, '--port', '1');
    writeFileSync(config, file('files'));
    const [before, options] = served[0] ?? [];
    expect(before).toMatchObject({ server: { port: 1 }, certificates: { mode: 'self' } });
    expect(options?.settings()).toMatchObject({ server: { port: 1 }, certificates: { mode: 'files' } });
  });
});
