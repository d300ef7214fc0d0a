// Five thousand objects: list, status and scan stay something that people wait for. The ceiling is far above what
// they take on a quiet machine (see the README's benchmarks), so that only another order of growth would fail.
import { describe, expect, it } from 'vitest';
import { run as list } from '../../src/cli/list.ts';
import { run as scan } from '../../src/cli/scan.ts';
import { run as status } from '../../src/cli/status.ts';
import { captured, folderOf } from './captured.ts';
import { largeWorld } from './large-world.ts';

const COUNT = 5000;

describe('a cluster of 5,000 resources', () => {
  const cwd = folderOf({ 'world.json': largeWorld(COUNT) });

  it.each([
    ['list', list],
    ['status', status],
  ])('%s shows them all', async (_name, run) => {
    const { out, code } = await captured(run, { world: ['world.json'], allNamespaces: true }, { cwd });
    expect([out.split('\n').length, code]).toEqual([COUNT / 2 + 2, 0]);
  });

  it('scan judges them all', async () => {
    const options = { world: ['world.json'], allNamespaces: true, output: 'json' };
    const { out, code } = await captured(scan, options, { cwd });
    const { summary } = JSON.parse(out) as { readonly summary: unknown };
    expect([summary, code]).toEqual([
      {
        namespaces: 50,
        scanned: COUNT / 2,
        allowed: COUNT / 2,
        refused: 0,
        unknown: 0,
        missed: 0,
        warnings: 0,
      },
      0,
    ]);
  });
});
