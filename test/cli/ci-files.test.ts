// What other repositories take from this one: the workflow and the hook run what the program understands.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import { ROOT } from '../sources.ts';
import { programFile } from '../stories/program.ts';
import { NAMESPACE, SECRET, folderOf } from './captured.ts';

interface Workflow {
  readonly on: {
    readonly workflow_call: { readonly inputs: Readonly<Record<string, { readonly default?: string }>> };
  };
  readonly jobs: {
    readonly review: { readonly steps: readonly { readonly name?: string; readonly run?: string }[] };
  };
}

const read = (path: string): unknown => parse(readFileSync(join(ROOT, path), 'utf8'));
const workflow = read('.github/workflows/review-manifests.yaml') as Workflow;
const [hook] = read('.pre-commit-hooks.yaml') as readonly { readonly entry: string }[];

const POD = (secret: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: dbt, namespace: floe-jobs}\nspec: {containers: [{name: dbt, image: dbt, envFrom: [{secretRef: {name: ${secret}}}]}]}\n`;

/** Docker's stand-in runs the program itself: everything behind the image's name, in this folder. */
function repository(secret: string): string {
  const folder = folderOf({
    'deploy/pod.yaml': POD(secret),
    'world/world.yaml': `${NAMESPACE}---\n${SECRET}`,
  });
  mkdirSync(join(folder, 'bin'));
  writeFileSync(
    join(folder, 'bin/docker'),
    `#!/bin/bash\nwhile [ "$1" != review ]; do shift; done\nexec "${process.execPath}" "${programFile()}" "$@"\n`,
  );
  chmodSync(join(folder, 'bin/docker'), 0o755);
  return folder;
}

function run(folder: string): number {
  const script = workflow.jobs.review.steps.find(({ name }) => name === 'Review')?.run ?? '';
  const env = {
    PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
    RUNNER_TEMP: folder,
    IMAGE: 'image',
    MANIFESTS: 'deploy',
    WORLD: 'world',
    BASELINE: '',
    ASSUME: 'strict',
  };
  try {
    execFileSync('bash', ['-e', '-c', script], { cwd: folder, env, stdio: 'pipe' });
    return 0;
  } catch (error) {
    return (error as { readonly status: number }).status;
  }
}

describe('the workflow', () => {
  it('passes where nothing is denied, and fails after it has written what it found', () => {
    expect(run(repository('snowflake-credentials'))).toBe(0);
    const folder = repository('nowhere');
    expect(run(folder)).toBe(5);
    expect(readFileSync(join(folder, 'floe-secrets.sarif'), 'utf8')).toContain('FLOE-E801');
  });

  it('fails where a file is not there', () => {
    const folder = repository('snowflake-credentials');
    writeFileSync(join(folder, 'deploy/pod.yaml'), 'kind: [');
    expect(run(folder)).toBe(1);
  });

  it('runs the image of this version, as the hook does', () => {
    const image = `ghcr.io/obsidian-owl/floe-secrets-webhook:${manifest.version}`;
    expect(workflow.on.workflow_call.inputs['image']?.default).toBe(image);
    expect(hook?.entry).toBe(`${image} review`);
  });
});

describe('the hook', () => {
  it('is given files without an option', () => {
    const folder = repository('nowhere');
    const args = (hook?.entry ?? '').split(' ').slice(1);
    let status = 0;
    try {
      execFileSync(process.execPath, [programFile(), ...args, 'deploy/pod.yaml', 'world/world.yaml'], {
        cwd: folder,
        stdio: 'pipe',
      });
    } catch (error) {
      ({ status } = error as { readonly status: number });
    }
    expect([status, existsSync(join(folder, 'deploy/pod.yaml'))]).toEqual([5, true]);
  });
});
