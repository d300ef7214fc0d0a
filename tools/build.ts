// Builds dist/cli.mjs and its lazily loaded chunks. Not minified: a crash then prints a line that can be read.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));

rmSync(`${root}dist`, { recursive: true, force: true });
const bundle = await rolldown({
  input: { cli: `${root}src/main.ts` },
  cwd: root,
  platform: 'node',
  logLevel: 'warn',
});
await bundle.write({
  dir: `${root}dist`,
  format: 'esm',
  entryFileNames: '[name].mjs',
  chunkFileNames: 'chunks/[name].mjs',
  banner: '// SPDX-License-Identifier: Apache-2.0',
});
await bundle.close();
