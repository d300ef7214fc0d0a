import { describe, expect, it } from 'vitest';
import type { Options } from '../../src/cli/options.ts';
import { run as restart } from '../../src/cli/restart.ts';
import { run as usage } from '../../src/cli/usage.ts';
import { captured, folderOf } from './captured.ts';
import { expectGolden } from './golden.ts';
import { runningCluster } from './running.ts';

const cwd = runningCluster();

async function using(more: Options) {
  return captured(usage, { world: ['world'], namespace: 'floe-jobs', ...more }, { cwd });
}

async function restarting(more: Options) {
  return captured(restart, { world: ['world'], namespace: 'floe-jobs', ...more }, { cwd });
}

describe('usage', () => {
  it.each(['text', 'json', 'yaml'])('writes %s', async (output) => {
    const { code, out } = await using({ secret: 'db', output });
    expect(code).toBe(0);
    await expectGolden(`usage.${output}`, out);
  });

  it('says on stderr how to roll pods with an older version', async () => {
    expect((await using({ secret: 'db' })).err).toBe(
      "1 pod with an older version. Run 'floe-secrets restart db -n floe-jobs' to roll.\n",
    );
  });

  it('tells a Secret that nothing uses from one that is not there', async () => {
    const unknown = await using({ secret: 'zzz' });
    expect([unknown.code, unknown.out, unknown.err]).toEqual([
      1,
      '',
      'No Secret zzz in namespace floe-jobs, and nothing uses it.\n',
    ]);
    const missing = await using({ secret: 'lost' });
    expect(missing.code).toBe(0);
    expect(missing.err).toContain('there is no Secret lost');
  });

  it('puts the namespace first with -A', async () => {
    const { out } = await using({ secret: 'nowhere', namespace: undefined, allNamespaces: true });
    expect(out).toMatch(/^NAMESPACE {2}KIND .*\nlater {6}Deployment {2}other /);
  });

  it('refuses what no Secret can be called', async () => {
    expect(await using({ secret: '../x' })).toMatchObject({ code: 2, out: '' });
  });
});

describe('restart', () => {
  it.each(['text', 'json', 'yaml'])('writes %s of a dry run', async (output) => {
    const { code, out, err } = await restarting({ secret: 'db', dryRun: true, output });
    expect([code, err]).toEqual([0, '']);
    await expectGolden(`restart.${output}`, out);
  });

  it('cannot roll files, nor several namespaces', async () => {
    expect(await restarting({ secret: 'db' })).toMatchObject({
      code: 2,
      err: 'Error: manifests of --world cannot be rolled: add --dry-run\n',
    });
    expect(await restarting({ secret: 'db', dryRun: true, allNamespaces: true })).toMatchObject({ code: 2 });
  });

  it('says that nothing uses the Secret', async () => {
    // A name that was mistyped is no success.
    expect(await restarting({ secret: 'zzz', dryRun: true })).toMatchObject({
      code: 1,
      out: '',
      err: 'No Secret zzz in namespace floe-jobs, and nothing uses it.\n',
    });
    const unused = 'apiVersion: v1\nkind: Secret\nmetadata: {name: zzz, namespace: floe-jobs}\n';
    const alone = folderOf({ 'world/secret.yaml': unused });
    const options = { world: ['world'], namespace: 'floe-jobs', secret: 'zzz', dryRun: true };
    expect(await captured(restart, options, { cwd: alone })).toMatchObject({
      code: 0,
      err: 'Nothing in namespace floe-jobs uses Secret zzz.\n',
    });
  });
});
