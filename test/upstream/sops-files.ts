/** Real SOPS for tests: a key of age, and files that are encrypted for it. Everything is below one folder. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findSops } from '../../tools/sops.ts';

export interface SopsKey {
  /** What SOPS needs to decrypt. */
  readonly env: Readonly<Record<string, string>>;
  readonly recipient: string;
}

export function makeKey(folder: string, name = 'age.key'): SopsKey {
  const file = join(folder, name);
  succeed('age-keygen', ['-o', file]);
  const [, recipient = ''] = /public key: (\S+)/.exec(readFileSync(file, 'utf8')) ?? [];
  // Nothing of whoever runs the tests.
  return { env: { PATH: process.env['PATH'] ?? '', HOME: folder, SOPS_AGE_KEY_FILE: file }, recipient };
}

/** Writes a file and encrypts it in its place; gives its path. `more` are options of SOPS. */
export function encrypted(
  file: string,
  content: string,
  { recipient, more = [] }: Pick<SopsKey, 'recipient'> & { readonly more?: readonly string[] },
): string {
  writeFileSync(file, content);
  succeed(findSops() ?? '', ['--encrypt', '--in-place', '--age', recipient, ...more, file]);
  return file;
}

/** As Flux asks for it: names and kinds stay readable. */
export const MANIFESTS = ['--encrypted-regex', '^(data|stringData)$'] as const;

function succeed(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${error?.message ?? stderr}`);
}
