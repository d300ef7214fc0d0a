import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../src/kube/json.ts';
import { asObject, get } from '../../src/kube/json.ts';
import { parseManifests } from '../../src/kube/manifests.ts';
import type { Example } from './stage.ts';

// Relative to the repository, as a person in it would type them.
const FOLDER = 'deploy/examples/floe';
export const ADR_EXAMPLE = 'deploy/examples/adr-0031-infisicalsecret.yaml';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The one object of a file in deploy/examples/floe. */
export function example(name: string): Example {
  const file = `${FOLDER}/${name}`;
  const [first, second] = parseManifests(readFileSync(ROOT + file, 'utf8'), file);
  if (first === undefined || second !== undefined) throw new Error(`${file} holds not exactly one object`);
  return { file, raw: first.raw };
}

/** The same object with other metadata, as if somebody had edited the file. */
export function edited(given: Example, file: string, metadata: JsonObject): Example {
  const before = asObject(get(given.raw, 'metadata'));
  return { file, raw: { ...given.raw, metadata: { ...before, ...metadata } } };
}
