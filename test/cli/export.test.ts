import { describe, expect, it } from 'vitest';
import { run as exporting } from '../../src/cli/export.ts';
import type { Options } from '../../src/cli/options.ts';
import { run as restoring } from '../../src/cli/restore.ts';
import { SECRET, captured, folderOf } from './captured.ts';
import { expectGolden } from './golden.ts';
import { runningCluster } from './running.ts';

const cwd = runningCluster({ 'secret.yaml': SECRET });

async function wiring(more: Options = {}) {
  return captured(exporting, { world: ['world'], namespace: 'floe-jobs', ...more }, { cwd });
}

describe('export', () => {
  it.each(['text', 'json', 'yaml'])('writes %s', async (output) => {
    const { out, err, code } = await wiring({ output });
    expect([code, err]).toEqual([0, '']);
    await expectGolden(`export.${output}`, out);
  });

  it('has what says where Secrets come from and go, and nothing else', async () => {
    const { out } = await wiring({ allNamespaces: true });
    expect(out).toContain('kind: InfisicalSecret');
    expect(out).toContain('secrets.floe.dev/injection: enabled');
    expect(out).toContain('secrets.floe.dev/inject: db');
    expect(out).not.toMatch(/kind: (Secret|Pod|Deployment)$/m);
    expect(out).not.toContain('status');
    expect(out).not.toMatch(/hunter2|aHVudGVyMg/);
    // A namespace that says nothing of secrets is no part of it.
    expect(out).not.toContain('name: later');
  });

  it('says that there is nothing', async () => {
    expect(await wiring({ namespace: 'later' })).toMatchObject({ code: 0, out: '' });
  });
});

describe('restore', () => {
  it('takes only what export writes', async () => {
    const told = await captured(restoring, { files: ['secret.yaml'] }, { cwd });
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toContain('secret.yaml:1: Secret is no wiring');
  });

  it('names a file that is not there', async () => {
    const told = await captured(restoring, { files: ['nope.yaml'] }, { cwd: folderOf({}) });
    expect(told.code).toBe(3);
  });
});
