import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { writeImage } from '../../tools/image-archive.ts';
import type { Image } from '../../tools/image-archive.ts';
import { readRecipe, webhookImage } from '../../tools/image-recipe.ts';
import { billOfMaterials } from '../../tools/sbom.ts';
import { temporaryDirectory } from '../control-plane/temporary.ts';

const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');

describe('the Dockerfile', () => {
  const recipe = readRecipe(dockerfile, { REVISION: 'abc' });

  it('starts the program as npm start does', () => {
    const flags = /^node (.*) dist\/cli\.mjs serve$/.exec(manifest.scripts.start)?.[1]?.split(' ');
    expect(recipe.entrypoint).toEqual(['/nodejs/bin/node', ...(flags ?? ['?']), '/app/cli.mjs']);
    expect(recipe.command).toEqual(['serve']);
  });

  it('runs it as a user whom Kubernetes can tell from root', () => {
    expect(recipe.user).toBe('65532:65532');
  });

  it('says what the image is, in the version of the package', () => {
    expect(recipe.labels).toEqual({
      'org.opencontainers.image.title': manifest.name,
      'org.opencontainers.image.description': expect.stringMatching(/Secrets/),
      'org.opencontainers.image.licenses': manifest.license,
      'org.opencontainers.image.version': manifest.version,
      'org.opencontainers.image.revision': 'abc',
    });
  });

  it('pins no frontend and no digest, and leaves probing to Kubernetes', () => {
    expect(dockerfile).not.toMatch(/^# *syntax=|@sha256:|^HEALTHCHECK/m);
    expect(dockerfile.match(/^FROM .*/gm)).toEqual(['FROM ${NODE_IMAGE} AS build', 'FROM ${RUNTIME_IMAGE}']);
  });
});

describe.skipIf(process.platform !== 'linux')('the image', () => {
  it('adds to Node what the README says, far less than 60 MB', () => {
    const [, program = {}] = webhookImage('x').layers;
    const sizes = Object.values(program).map((content) =>
      'file' in content ? statSync(content.file).size : 0,
    );
    const megabytes = sizes.reduce((sum, size) => sum + size, 0) / 1_000_000;
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const said = Number(/the bundle of (\d+) MB/.exec(readme)?.[1]);
    expect(Math.abs(megabytes - said)).toBeLessThan(1);
    expect(megabytes).toBeLessThan(60);
  });
});

describe('the bill of materials', () => {
  const read = (modules: readonly string[]) => JSON.parse(billOfMaterials(modules));

  it('names each package once, with what the lockfile says of it', () => {
    const bom = read([
      '/clone/src/main.ts',
      '/clone/node_modules/yaml/browser/index.js',
      '/clone/node_modules/yaml/browser/dist/parse/parser.js',
      '/clone/node_modules/@kubernetes/client-node/dist/index.js',
      '\0rolldown/runtime.js',
    ]);
    const { yaml, '@kubernetes/client-node': client } = manifest.dependencies;
    expect(bom.components.map(({ purl }: { readonly purl: string }) => purl)).toEqual([
      `pkg:npm/%40kubernetes/client-node@${client}`,
      `pkg:npm/yaml@${yaml}`,
    ]);
    const hashes = [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }];
    expect(bom.components[1]).toMatchObject({ licenses: [{ license: { id: 'ISC' } }], hashes });
    expect(bom.metadata.component.name).toBe(manifest.name);
  });

  it('is refused for a package that the lockfile does not pin', () => {
    expect(() => read(['/clone/node_modules/left-pad/index.js'])).toThrow(
      'does not know node_modules/left-pad',
    );
  });
});

describe('an image without an engine', () => {
  const image: Image = {
    name: 'floe.test/x:1',
    entrypoint: ['/bin/x'],
    user: '65532:65532',
    layers: [
      {
        '/etc/deep/text': { text: 'words' },
        '/bin/x': { file: '/bin/sh' },
        '/bin/link': { link: 'x' },
        '/tmp': { directory: 0o1777 },
      },
    ],
  };

  it('holds its layers, and says so', async () => {
    const directory = temporaryDirectory();
    const tar = (...args: string[]): string =>
      execFileSync('tar', args, { cwd: directory, encoding: 'utf8' });
    await writeImage(join(directory, 'image.tar'), image);
    tar('-xf', 'image.tar');
    const read = (name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8'));
    const [entry] = read('manifest.json');
    expect(entry.RepoTags).toEqual(['floe.test/x:1']);
    const [layer] = entry.Layers;
    expect(read(entry.Config)).toMatchObject({
      os: 'linux',
      config: { Entrypoint: ['/bin/x'], User: '65532:65532' },
      rootfs: { diff_ids: [`sha256:${layer.replace('.tar', '')}`] },
    });
    const listed = tar('-tvf', layer).trim().split('\n');
    expect(listed.map((line) => [line.slice(0, 10), line.split(/\d\d:\d\d /)[1]])).toEqual([
      ['drwxr-xr-x', 'bin/'],
      ['lrwxrwxrwx', 'bin/link -> x'],
      ['-rwxr-xr-x', 'bin/x'],
      ['drwxr-xr-x', 'etc/'],
      ['drwxr-xr-x', 'etc/deep/'],
      ['-rw-r--r--', 'etc/deep/text'],
      ['drwxrwxrwt', 'tmp/'],
    ]);
  });

  it('is the same bytes for the same content', async () => {
    const directory = temporaryDirectory();
    const files = ['one.tar', 'two.tar'].map((name) => join(directory, name));
    for (const file of files) await writeImage(file, image);
    const [one, two] = files.map((file) => readFileSync(file));
    expect(two?.equals(one ?? Buffer.alloc(0))).toBe(true);
  });
});
