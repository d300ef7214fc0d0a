/** The manifests of every `-f`; `-` is standard input. */
import type { DatedManifest } from '../cluster/manifest-files.ts';
import { readManifestsAt } from '../cluster/manifest-files.ts';
import { parseManifests } from '../kube/manifests.ts';
import type { Options } from './options.ts';
import { listOption } from './options.ts';
import type { Terminal } from './terminal.ts';

/** Throws BadManifest, or what the file system says. */
export async function readBundle(options: Options, terminal: Terminal): Promise<readonly DatedManifest[]> {
  const manifests: DatedManifest[] = [];
  for (const path of bundlePaths(options)) {
    manifests.push(
      ...(path === '-' ? await readStdin(terminal) : await readManifestsAt([path], terminal.cwd)),
    );
  }
  return manifests;
}

/** What `-f` names, and what is named without it. */
export function bundlePaths(options: Options): readonly string[] {
  return [...listOption(options, 'filename'), ...listOption(options, 'files')];
}

async function readStdin({ stdin }: Terminal): Promise<readonly DatedManifest[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  const modifiedAt = Date.now();
  const content = Buffer.concat(chunks).toString('utf8');
  return parseManifests(content, '-').map((manifest) => ({ ...manifest, modifiedAt }));
}
