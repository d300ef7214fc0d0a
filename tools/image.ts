/** `npm run image`: the image that the Dockerfile describes, as an archive, without an engine. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { writeImage } from './image-archive.ts';
import { webhookImage } from './image-recipe.ts';

const HELP = `The webhook's image without Docker: Node of node_modules, the libraries of this machine that it loads, the bundle.

Usage: npm run image -- [--name NAME:TAG] FILE.tar

  --name       default: ${manifest.name}:${manifest.version}
  --revision   the commit, for the label org.opencontainers.image.revision

docker load -i FILE.tar
ctr --namespace k8s.io images import FILE.tar
kind load image-archive FILE.tar
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', default: `${manifest.name}:${manifest.version}` },
    revision: { type: 'string', default: 'unknown' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const [file, ...more] = positionals;
if (values.help || file === undefined || more.length > 0) {
  (values.help ? process.stdout : process.stderr).write(HELP);
  process.exit(values.help ? 0 : 2);
}
execFileSync(process.execPath, [fileURLToPath(new URL('build.ts', import.meta.url))], { stdio: 'inherit' });
await writeImage(file, webhookImage(values.name, { VERSION: manifest.version, REVISION: values.revision }));
console.log(`${file}: ${values.name}, ${(statSync(file).size / 1e6).toFixed(1)} MB`);
