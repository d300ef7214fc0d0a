/** The program as people start it: the bin file where it was built from these sources, else the sources. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Arguments for node, before those of the command line. */
export function programFile(): string {
  const built = `${root}dist/cli.mjs`;
  const isFresh = existsSync(built) && statSync(built).mtimeMs >= newest(`${root}src`);
  return isFresh ? `${root}bin/floe-secrets.js` : `${root}src/main.ts`;
}

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Math.max(...files.map((file) => statSync(`${file.parentPath}/${file.name}`).mtimeMs));
}
