/** The Dockerfile itself, built by Docker. FLOE_TEST_DOCKER_BUILD has more words for `docker build`, such as base images. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { readRecipe } from '../../tools/image-recipe.ts';
import { needs } from '../needs.ts';
import { ROOT } from '../sources.ts';

const IMAGE = `floe.test/dockerfile:${process.pid}`;
const NODE = '/nodejs/bin/node';
const MEGABYTE = 1_000_000;

describe.skipIf(!needs('docker'))('the image that Docker builds', { timeout: 600_000 }, () => {
  const docker = (...args: readonly string[]): string =>
    execFileSync('docker', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const runIn = (entrypoint: string, ...args: readonly string[]): string =>
    docker(
      'run',
      '--rm',
      '--read-only',
      '--cap-drop=ALL',
      '--network=none',
      `--entrypoint=${entrypoint}`,
      IMAGE,
      ...args,
    );

  beforeAll(() => {
    const words = (process.env['FLOE_TEST_DOCKER_BUILD'] ?? '').split(' ').filter((word) => word !== '');
    docker('build', '--tag', IMAGE, '--build-arg', 'REVISION=abc', ...words, '.');
  }, 900_000);
  afterAll(() => {
    docker('image', 'rm', '--force', IMAGE);
  });

  it('is what the image without an engine takes from the Dockerfile', () => {
    const [{ Config: config }] = JSON.parse(docker('image', 'inspect', IMAGE));
    const recipe = readRecipe(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'), { REVISION: 'abc' });
    expect(config).toMatchObject({
      Entrypoint: recipe.entrypoint,
      Cmd: recipe.command,
      User: recipe.user,
      WorkingDir: recipe.workingDirectory,
      Labels: recipe.labels,
    });
    expect(config.Healthcheck).toBeUndefined();
  });

  it('runs with a read-only root and no capabilities, as a user who is not root', () => {
    const { entrypoint } = readRecipe(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
    expect(runIn(entrypoint[0] ?? '', ...entrypoint.slice(1), '--version')).toContain(manifest.version);
    expect(runIn(NODE, '-p', 'process.getuid()')).toBe('65532\n');
  });

  it('has no shell', () => {
    for (const shell of ['/bin/sh', '/bin/bash', '/busybox/sh'])
      expect(() => runIn(shell, '-c', 'true')).toThrow(/no such file/);
  });

  it('is small beyond its Node, and says what it is made of', () => {
    const script = `
      const fs = require('fs');
      const files = fs.readdirSync('/app', { recursive: true }).map((name) => fs.statSync('/app/' + name));
      const { bomFormat, components } = JSON.parse(fs.readFileSync('/app/sbom.cdx.json', 'utf8'));
      const bytes = files.reduce((sum, file) => sum + file.size, 0);
      console.log(JSON.stringify({ bytes, bomFormat, names: components.map(({ name }) => name) }));`;
    const { bytes, bomFormat, names } = JSON.parse(runIn(NODE, '-e', script));
    expect(bytes).toBeLessThan(60 * MEGABYTE);
    expect(bomFormat).toBe('CycloneDX');
    expect(names).toEqual(expect.arrayContaining(['fastify', 'pino', 'undici', 'yaml']));
  });
});
