/** What a bundle is made of, in CycloneDX: the packages whose modules are really in it, as the lockfile pins them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Locked {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  /** Algorithm and base64, joined by a dash. */
  readonly integrity?: string;
}

/** The text of the SBOM for the modules of a bundle; the same bundle gives the same bytes. */
export function billOfMaterials(modules: readonly string[]): string {
  const lock: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  const places = [...new Set(modules.flatMap(placeOf))].toSorted();
  const self = lock.packages[''] ?? {};
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: { type: 'application', ...componentOf(self.name ?? '', self) },
    },
    components: places.map((place) => {
      const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const locked = lock.packages[place];
      if (locked === undefined) throw new Error(`package-lock.json does not know ${place}`);
      return { type: 'library', ...componentOf(name, locked) };
    }),
  };
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

/** The package's directory as the lockfile names it; nothing for a module of our own. */
function placeOf(module: string): readonly string[] {
  const match = /(?:^|[/\\])(node_modules[/\\](?:.*[/\\]node_modules[/\\])?(?:@[^/\\]+[/\\])?[^/\\]+)/.exec(
    module,
  );
  return match?.[1] === undefined ? [] : [match[1].replaceAll('\\', '/')];
}

function componentOf(name: string, { version = '', license = '', integrity = '' }: Locked): object {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const at = integrity.indexOf('-');
  const content = Buffer.from(integrity.slice(at + 1), 'base64').toString('hex');
  return {
    'bom-ref': purl,
    name,
    version,
    purl,
    // An expression, such as (MIT OR CC0-1.0), is no identifier.
    licenses: [license.includes(' ') ? { expression: license } : { license: { id: license } }],
    ...(integrity === '' ? {} : { hashes: [{ alg: 'SHA-512', content }] }),
  };
}
