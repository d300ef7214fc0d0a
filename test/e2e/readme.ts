/** The lines that a person copies from the README, run as they stand. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findTool } from '../../tools/control-plane/kubectl.ts';
import type { ToolName } from '../../tools/control-plane/kubectl.ts';
import { ROOT } from '../sources.ts';

/** The first block of shell commands below a heading. */
export function linesBelow(heading: string): readonly string[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, section = ''] = readme.split(`\n${heading}\n`);
  const block = /```sh\n(.*?)```/s.exec(section)?.[1];
  if (block === undefined) throw new Error(`README.md: no commands below '${heading}'`);
  return block.trim().split('\n');
}

/** Runs one line in a shell at the root of the repository; throws with what it wrote on stderr. */
export async function typeLine(kubeconfig: string, line: string): Promise<string> {
  const tools = (['helm', 'kubectl'] as const).map(directoryOf);
  const env = {
    PATH: [...tools, process.env['PATH']].join(':'),
    KUBECONFIG: kubeconfig,
    // Helm's caches go where the cluster's files are, and with them.
    HOME: dirname(kubeconfig),
  };
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', line], { cwd: ROOT, env });
  return stdout;
}

function directoryOf(name: ToolName): string {
  const tool = findTool(name);
  if (tool.path === undefined) throw new Error(tool.reason);
  return dirname(tool.path);
}
