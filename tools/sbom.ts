// Writes dist/sbom.cdx.json: what the bundle is made of, in CycloneDX, as npm knows it from the lockfile.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Bom {
  readonly serialNumber?: string;
  readonly metadata: {
    readonly timestamp?: string;
    readonly component: Readonly<Record<string, unknown>>;
  };
}

// The pinned Node is an optional dependency of development; the image's Node is its base's.
const args = ['sbom', '--omit=dev', '--omit=optional', '--sbom-format=cyclonedx', '--sbom-type=application'];
const bom: Bom = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' }));
// Without what differs from run to run, and from one clone's directory to another's.
const { serialNumber: _, metadata, ...rest } = bom;
const { timestamp: __, component, ...about } = metadata;
const named = { ...component, name: 'floe-secrets-webhook' };
const text = JSON.stringify({ ...rest, metadata: { ...about, component: named } }, undefined, 2);
writeFileSync(`${root}dist/sbom.cdx.json`, `${text}\n`);
