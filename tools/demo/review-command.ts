import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { text as textOf } from 'node:stream/consumers';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What `floe-secrets review` says about a file, and whether that is the explanation with the corrected form. */
export async function explainShape(
  file: string,
): Promise<{ readonly output: string; readonly explained: boolean }> {
  const args = ['bin/floe-secrets.js', 'review', '-f', file];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'close'),
  ]);
  // The corrected form has the scope two levels deeper than the form that it corrects.
  const explained =
    /secretsScope stands under spec/.test(output) && /universalAuth:[^]*secretsScope:/.test(output);
  return { output: output + errors, explained };
}
