/** The image that the Dockerfile describes, put together from what a clone has: its Node, the libraries, the bundle. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPinnedNode } from '../bin/node-version.js';
import type { Image, Layer } from './image-archive.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the Dockerfile says behind its last FROM. */
export type Recipe = Pick<Image, 'entrypoint' | 'command' | 'user' | 'workingDirectory' | 'labels'>;

/** Reads the last stage; the arguments' defaults count where none is given. */
export function readRecipe(dockerfile: string, given: Readonly<Record<string, string>> = {}): Recipe {
  const lines = dockerfile.split('\n');
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const every = (word: string): readonly string[] =>
    stage.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1).trim());
  const only = (word: string): string => {
    const [value, ...more] = every(word);
    if (value !== undefined && more.length === 0) return value;
    throw new Error(`the Dockerfile's last stage should have one ${word}`);
  };
  const defaults = Object.fromEntries(every('ARG').map(pairOf));
  const fill = (text: string): string =>
    text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => given[name] ?? defaults[name] ?? '');
  const labels = every('LABEL').map((line) => {
    const [key, value] = pairOf(line);
    return [key, fill(value.replaceAll('"', ''))] as const;
  });
  return {
    entrypoint: JSON.parse(only('ENTRYPOINT')),
    command: JSON.parse(only('CMD')),
    user: only('USER'),
    workingDirectory: only('WORKDIR'),
    labels: Object.fromEntries(labels),
  };
}

function pairOf(line: string): readonly [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

/** The webhook's image; `npm run build` has written the bundle. */
export function webhookImage(name: string, given: Readonly<Record<string, string>> = {}): Image {
  const recipe = readRecipe(readFileSync(join(root, 'Dockerfile'), 'utf8'), given);
  return { ...recipe, name, layers: [runtimeLayer(), bundleLayer()] };
}

/** What stands in for the Dockerfile's RUNTIME_IMAGE: Node, the libraries that it loads, and names for users. */
export function runtimeLayer(): Layer {
  if (process.platform !== 'linux')
    throw new Error('an image is put together from Linux programs; elsewhere: docker build .');
  const node = findPinnedNode();
  if (node === undefined) throw new Error('there is no Node in node_modules; npm ci brings it');
  const libraries = librariesOf(node).map((path) => [path, { file: path, mode: 0o755 }] as const);
  return {
    ...Object.fromEntries(libraries),
    '/nodejs/bin/node': { file: node },
    '/etc/passwd': { text: 'root:x:0:0::/root:\nnonroot:x:65532:65532::/home/nonroot:\n' },
    '/etc/group': { text: 'root:x:0:\nnonroot:x:65532:\n' },
    '/tmp': { directory: 0o1777 },
  };
}

/** By the dynamic linker's own word; its first line, the kernel's, is no file. */
function librariesOf(program: string): readonly string[] {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
}

function bundleLayer(): Layer {
  const files = readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [`/app/${file.slice(join(root, 'dist/').length)}`, { file }] as const);
  return { '/app/LICENSE': { file: join(root, 'LICENSE') }, ...Object.fromEntries(files) };
}
