/** A cluster that really runs pods, with this project's image in it: for all end-to-end tests, before and after them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import manifest from '../../package.json' with { type: 'json' };
import { openTestCluster } from '../../tools/control-plane/cluster.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { writeImage } from '../../tools/image-archive.ts';
import { webhookImage } from '../../tools/image-recipe.ts';
import { wantOf } from '../needs.ts';
import { ROOT } from '../sources.ts';

/** The chart's own default, so that what a person types works as it stands. */
export const IMAGE = `ghcr.io/obsidian-owl/${manifest.name}:${manifest.version}`;

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- only an interface can be added to
  interface ProvidedContext {
    /** Path of the administrator's kubeconfig. */
    readonly realCluster: string | undefined;
  }
}

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Where it is required and missing, the test file fails for itself.
  if (!wantOf('node').available) {
    project.provide('realCluster', undefined);
    return undefined;
  }
  const plane = await openTestCluster({ controllers: true, node: 'real' });
  try {
    await loadWebhook(plane);
  } catch (error) {
    await plane.stop();
    throw error;
  }
  project.provide('realCluster', plane.kubeconfig);
  return () => plane.stop();
}

/** The image of `npm run build`'s bundle as it is now. */
async function loadWebhook(plane: ControlPlane): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'floe-image-'));
  try {
    const archive = join(directory, 'webhook.tar');
    await writeWebhook(archive);
    await plane.loadImage(archive);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function writeWebhook(archive: string): Promise<void> {
  if (process.platform === 'linux') return writeImage(archive, webhookImage(IMAGE));
  // kind on another system; its Docker builds what cannot be put together here.
  execFileSync('docker', ['build', '--tag', IMAGE, '.'], { cwd: ROOT });
  execFileSync('docker', ['save', '--output', archive, IMAGE]);
}
