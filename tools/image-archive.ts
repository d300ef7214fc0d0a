/**
 * Writes container images without an engine: the archive that `docker save` writes, and that `docker load`,
 * `ctr images import` and `kind load image-archive` read. The same content gives the same bytes.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import type { Pack } from 'tar-stream';

/** What lies at a path: text, a file of this machine, a link, or an empty directory. */
export type Content =
  | { readonly text: string }
  | { readonly file: string; readonly mode?: number }
  | { readonly link: string }
  | { readonly directory: number };

/** Content by absolute path; directories above are made. */
export type Layer = Readonly<Record<string, Content>>;

export interface Image {
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly entrypoint: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Times would make two archives of one content differ. */
const NO_TIME = new Date(0);

export async function writeImage(file: string, image: Image): Promise<void> {
  const scratch = mkdtempSync(join(dirname(file), '.image-'));
  try {
    const layers: WrittenLayer[] = [];
    for (const [index, layer] of image.layers.entries()) {
      layers.push(await writeLayer(join(scratch, `${index}.tar`), layer));
    }
    await writeArchive(file, image, layers);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface WrittenLayer {
  readonly file: string;
  readonly digest: string;
}

async function writeLayer(file: string, layer: Layer): Promise<WrittenLayer> {
  const tar = pack();
  const hash = createHash('sha256');
  const written = pipeline(
    Readable.from(tar),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file),
  );
  await Promise.all([written, fillLayer(tar, layer)]);
  return { file, digest: hash.digest('hex') };
}

async function fillLayer(tar: Pack, layer: Layer): Promise<void> {
  const above = new Set(Object.keys(layer).flatMap(directoriesAbove));
  for (const path of [...above, ...Object.keys(layer)].toSorted()) {
    const content = layer[path] ?? { directory: 0o755 };
    await addContent(tar, path.slice(1), content);
  }
  tar.finalize();
}

function directoriesAbove(path: string): readonly string[] {
  const above = dirname(path);
  return above === '/' ? [] : [above, ...directoriesAbove(above)];
}

async function addContent(tar: Pack, name: string, content: Content): Promise<void> {
  if ('file' in content) return addFile(tar, name, content.file, content.mode ?? modeOf(content.file));
  const header = { name, mtime: NO_TIME };
  if ('text' in content) tar.entry({ ...header, mode: 0o644 }, content.text);
  else if ('link' in content) tar.entry({ ...header, type: 'symlink', mode: 0o777, linkname: content.link });
  else tar.entry({ ...header, name: `${name}/`, type: 'directory', mode: content.directory });
}

async function addFile(tar: Pack, name: string, file: string, mode: number): Promise<void> {
  const entry = tar.entry({ name, mtime: NO_TIME, mode, size: statSync(file).size });
  await pipeline(createReadStream(file), entry);
}

/** Readable by everybody, as nobody in the image owns it; run by everybody where it is run at all. */
function modeOf(file: string): number {
  return (statSync(file).mode & 0o100) === 0 ? 0o644 : 0o755;
}

async function writeArchive(file: string, image: Image, layers: readonly WrittenLayer[]): Promise<void> {
  const config = JSON.stringify(configOf(image, layers));
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
  const layerName = ({ digest }: WrittenLayer): string => `${digest}.tar`;
  const manifest = [{ Config: configName, RepoTags: [image.name], Layers: layers.map(layerName) }];
  const tar = pack();
  const output = createWriteStream(file);
  const written = pipeline(Readable.from(tar), output);
  tar.entry({ name: configName, mtime: NO_TIME }, config);
  for (const layer of layers) await addFile(tar, layerName(layer), layer.file, 0o644);
  tar.entry({ name: 'manifest.json', mtime: NO_TIME }, JSON.stringify(manifest));
  tar.finalize();
  await written;
}

function configOf(image: Image, layers: readonly WrittenLayer[]): object {
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: NO_TIME.toISOString(),
    config: {
      Entrypoint: image.entrypoint,
      Cmd: image.command ?? [],
      User: image.user ?? '',
      WorkingDir: image.workingDirectory ?? '/',
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
      Labels: image.labels ?? {},
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => `sha256:${digest}`) },
    history: layers.map(() => ({ created: NO_TIME.toISOString(), created_by: 'floe-secrets-webhook' })),
  };
}
