/** Files that a test hands to a process, gone when the tests' own process ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes a text, which may hold a token, for this user alone; gives the path. */
export function temporaryFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'floe-live-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'file');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
