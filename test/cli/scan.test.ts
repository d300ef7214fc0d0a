import { describe, expect, it } from 'vitest';
import type { Options } from '../../src/cli/options.ts';
import { run } from '../../src/cli/scan.ts';
import { captured } from './captured.ts';
import { expectGolden } from './golden.ts';
import { runningCluster } from './running.ts';

interface Item {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly owner: { readonly kind: string; readonly name: string } | null;
  readonly allowed: boolean;
  readonly missed: boolean;
  readonly mode: string | null;
  readonly findings: readonly { readonly code: string }[];
}

async function scan(more: Options = {}, cwd = runningCluster()) {
  return captured(run, { world: ['world'], ...more }, { cwd });
}

async function items(more: Options = {}, cwd?: string): Promise<readonly Item[]> {
  const { out } = await scan({ ...more, output: 'json' }, cwd);
  return (JSON.parse(out) as { readonly items: readonly Item[] }).items;
}

describe('scan', () => {
  it.each(['text', 'json', 'yaml'])('writes %s', async (output) => {
    const { code, out, err } = await scan({ output });
    expect([code, err]).toEqual([5, '']);
    await expectGolden(`scan.${output}`, out);
  });

  it('judges as strict would, whatever the mode is today', async () => {
    const found = await items();
    expect(found.find(({ name }) => name === 'web')).toMatchObject({
      allowed: false,
      mode: 'warn',
      findings: [{ code: 'FLOE-E803' }],
    });
    expect(found.find(({ name }) => name === 'store')).toMatchObject({ allowed: true, findings: [] });
  });

  it('tells which pods run without what they asked for, and whose they are', async () => {
    const missed = (await items()).filter((item) => item.missed);
    expect(missed.map(({ name, owner }) => [name, owner])).toEqual([
      ['web-1-a', { kind: 'Deployment', name: 'web' }],
    ]);
  });

  it('leaves out what has ended, and what another workload makes', async () => {
    const names = (await items()).map(({ kind, name }) => `${kind}/${name}`);
    expect(names).not.toContain('Pod/done');
    expect(names).not.toContain('ReplicaSet/web-1');
    expect(names).toContain('CronJob/nightly');
  });

  it('looks at opted-in namespaces; with -A and -n also at others, as if they were', async () => {
    const namespaces = async (more: Options): Promise<readonly string[]> => [
      ...new Set((await items(more)).map(({ namespace }) => namespace)),
    ];
    expect(await namespaces({})).toEqual(['floe-jobs']);
    expect(await namespaces({ allNamespaces: true })).toEqual(['floe-jobs', 'later']);
    expect(await items({ namespace: 'later' })).toMatchObject([
      { name: 'other', allowed: false, mode: null, findings: [{ code: 'FLOE-E801' }] },
    ]);
  });

  it('is exit code 0 where nothing is wrong', async () => {
    const { code, out } = await scan({ namespace: 'nobody-is-here' });
    expect([code, out]).toEqual([
      0,
      '0 objects in 1 namespace scanned: 0 would be refused by strict, 0 missed the injection, 0 warnings.\n',
    ]);
  });

  it('never judges exempt namespaces', async () => {
    const exempt = `apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: kube-system}\nspec: {containers: [{name: c, envFrom: [{secretRef: {name: nope}}]}]}\n`;
    const cwd = runningCluster({ 'world/exempt.yaml': exempt });
    expect((await items({ allNamespaces: true }, cwd)).map(({ namespace }) => namespace)).not.toContain(
      'kube-system',
    );
  });
});
