// Builds dist/cli.mjs and its lazily loaded chunks, with the list of what is in them. Not minified: a crash then prints a line that can be read.
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { billOfMaterials } from './sbom.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

rmSync(`${root}dist`, { recursive: true, force: true });
const bundle = await rolldown({
  input: { cli: `${root}src/main.ts` },
  cwd: root,
  platform: 'node',
  logLevel: 'warn',
});
const { output } = await bundle.write({
  dir: `${root}dist`,
  format: 'esm',
  entryFileNames: '[name].mjs',
  chunkFileNames: 'chunks/[name].mjs',
  banner: '// SPDX-License-Identifier: Apache-2.0',
});
await bundle.close();
const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
writeFileSync(`${root}dist/sbom.cdx.json`, billOfMaterials(modules));
