import { describe, expect, it } from 'vitest';
import { run as list } from '../../src/cli/list.ts';
import { run as status } from '../../src/cli/status.ts';
import { PLUGINS } from '../../src/plugins/index.ts';
import { captured, folderOf } from '../cli/captured.ts';
import { render } from '../stories/rendering.ts';
import { cellsOf, listCells, loadGolden, statusCells } from './golden.ts';

const golden = loadGolden();

describe.each(golden.map((one) => [one.plugin, one] as const))('%s', (_plugin, one) => {
  const items = render(one.objects, { now: new Date() });
  const world = folderOf({ 'world.yaml': JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  const options = { world: [world], namespace: 'floe-jobs' };

  it('list shows each row', async () => {
    const { out, err, code } = await captured(list, options);
    expect([err, code]).toEqual(['', 0]);
    expect(cellsOf(out)).toEqual(listCells(one));
  });

  it('status shows each row', async () => {
    const { out, err, code } = await captured(status, options);
    expect([err, code]).toEqual(['', 0]);
    expect(cellsOf(out)).toEqual(statusCells(one));
  });
});

describe('every kind of every plugin', () => {
  const kinds = new Set(PLUGINS.flatMap((plugin) => plugin.kinds.map(({ resource }) => resource.kind)));
  const rows = golden.flatMap((one) => one.rows);
  const without = golden.flatMap((one) => Object.entries(one.without));

  it.each([...kinds])('%s is shown healthy, failed, pending and stale', (kind) => {
    const states = rows.filter(({ type }) => type === kind).map(({ state }) => state);
    const impossible = without.filter(([name]) => name === kind).flatMap(([, names]) => names);
    for (const state of impossible) expect(states).not.toContain(state);
    expect([...states, ...impossible]).toEqual(
      expect.arrayContaining(['Synced', 'Failed', 'Pending', 'Stale']),
    );
  });
});
