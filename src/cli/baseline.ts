/** `--baseline`: findings of an earlier review that are known and fail nothing. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { asArray, asString, get } from '../kube/json.ts';
import type { Json } from '../kube/json.ts';
import { CommandError, EXIT } from './terminal.ts';

/** In SARIF's `partialFingerprints`. */
export const FINGERPRINT = 'floeFinding/v1';

/**
 * The fingerprints of a file that `review -o json` or `-o sarif` wrote. Throws what the file system says, and
 * CommandError where the file is neither.
 */
export async function readBaseline(file: string, cwd: string): Promise<ReadonlySet<string>> {
  const content = await readFile(resolve(cwd, file), 'utf8');
  const found = fingerprintsIn(parsed(content, file));
  if (found !== undefined) return new Set(found);
  throw unreadable(file);
}

function parsed(content: string, file: string): Json {
  try {
    return JSON.parse(content) as Json;
  } catch {
    throw unreadable(file);
  }
}

function fingerprintsIn(document: Json): readonly string[] | undefined {
  const [results, runs] = [get(document, 'results'), get(document, 'runs')];
  if (Array.isArray(results)) {
    return asArray(results)
      .flatMap((result) => asArray(get(result, 'findings')))
      .flatMap((finding) => asString(get(finding, 'fingerprint')) ?? []);
  }
  if (!Array.isArray(runs)) return undefined;
  return asArray(runs)
    .flatMap((run) => asArray(get(run, 'results')))
    .flatMap((result) => asString(get(get(result, 'partialFingerprints'), FINGERPRINT)) ?? []);
}

function unreadable(file: string): CommandError {
  return new CommandError(
    `--baseline ${file} is no result of review: write one with 'floe-secrets review -f … -o json > ${file}'`,
    EXIT.general,
  );
}
