import { execFileSync } from 'node:child_process';
import { binariesIn, cacheDirectory, hasControllers } from '../tools/control-plane/binaries.ts';
import { buildName } from '../tools/control-plane/assets.ts';
import { findTool } from '../tools/control-plane/kubectl.ts';
import { join } from 'node:path';

export type Need = 'apiserver' | 'controllers' | 'docker' | 'kubectl';

/** Whether this machine has what a test needs. */
export function needs(need: Need): boolean {
  if (need === 'kubectl') return findTool('kubectl').path !== undefined;
  if (need === 'docker') return dockerAnswers();
  const assets = process.env['KUBEBUILDER_ASSETS'] ?? '';
  const found = binariesIn(assets === '' ? join(cacheDirectory(), buildName()) : assets);
  return found !== undefined && (need === 'apiserver' || hasControllers(found));
}

function dockerAnswers(): boolean {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
