import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSnapshot } from '../../src/cluster/snapshot.ts';
import { worldOfContents } from '../../src/cluster/world-files.ts';
import { nameOf } from '../../src/kube/object.ts';
import type { SyncKind } from '../../src/plugins/plugin.ts';
import type { FakeApi, Item } from './fake-api.ts';
import { send, startFakeApi, status } from './fake-api.ts';
import { WIDGET, widgetTargets } from './fake-review.ts';

const STORE = { ...WIDGET, kind: 'WidgetStore', plural: 'widgetstores', olderVersions: ['v1beta1'] };
const kind: SyncKind = {
  resource: { ...WIDGET, olderVersions: ['v1beta1', 'v1alpha1'] },
  companions: [STORE],
  targets: widgetTargets,
  health: () => ({ verdict: 'ok', generation: 'current', words: '', neverOld: false, everSynced: true }),
  scope: () => ({ projects: [], environments: [], paths: [] }),
  credentialNamespaces: () => [],
  revive: '',
};

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
  api.serve('/api/v1/namespaces', [{ metadata: { name: 'floe-jobs' } }]);
  api.serve('/api/v1/secrets');
});
afterEach(async () => {
  await api.close();
});

const named = (name: string): Item => ({
  metadata: { namespace: 'floe-jobs', name },
  spec: { target: 'db' },
});
const look = async () => readSnapshot(api.client(), { kinds: [kind] });

describe('one look at a cluster', () => {
  it('lists a kind in the newest version that is served, and reads it again in that one', async () => {
    api.serve('/apis/example.com/v1beta1/widgets', [named('a')]);
    api.serve('/apis/example.com/v1alpha1/widgets', [named('a')]);
    const { syncResources, kindStates } = await look();
    expect(syncResources.map(({ kind: { version }, raw }) => `${version} ${nameOf(raw)}`)).toEqual([
      'v1beta1 a',
    ]);
    expect(kindStates.get('widgets.example.com')).toEqual({ state: 'known' });
    expect(api.asked('/apis/example.com/v1alpha1/widgets')).toEqual([]);
  });

  it('has what stands behind sync resources, which are not sync resources themselves', async () => {
    api.serve('/apis/example.com/v1/widgets', [named('a')]);
    api.serve('/apis/example.com/v1beta1/widgetstores', [named('vault')]);
    const contents = await look();
    const world = worldOfContents(contents, [kind]);
    expect(contents.syncResources).toHaveLength(1);
    expect(world.watched(STORE, 'floe-jobs', 'vault')).toMatchObject({ state: 'present' });
    expect(world.watched(STORE, 'floe-jobs', 'gone')).toEqual({ state: 'absent' });
    expect(world.targetsIn('floe-jobs')).toEqual(['db']);
  });

  it('of one namespace misses what it may not read of the whole cluster', async () => {
    const wide: SyncKind = { ...kind, resource: { ...WIDGET, plural: 'clusterwidgets', namespaced: false } };
    api.intercept(({ path }, response) => {
      if (path.endsWith('/v1')) send(response, 200, { resources: [{ name: 'clusterwidgets' }] });
      else if (path.endsWith('/clusterwidgets')) status(response, 403, 'Forbidden', 'forbidden');
      else return false;
      return true;
    });
    api.serve('/api/v1/namespaces/floe-jobs/secrets');
    const view = { kinds: [wide], namespace: 'floe-jobs' };
    expect((await readSnapshot(api.client(), view)).failures).toEqual([]);
    expect((await readSnapshot(api.client(), { kinds: [wide] })).failures).toHaveLength(1);
  });

  it('knows nothing of a companion that may not be read, and complains of nothing', async () => {
    api.serve('/apis/example.com/v1/widgets', [named('a')]);
    api.intercept(({ path }, response) => {
      if (path.endsWith('/v1')) send(response, 200, { resources: [{ name: 'widgetstores' }] });
      else if (path.endsWith('/widgetstores')) status(response, 403, 'Forbidden', 'forbidden');
      else return false;
      return true;
    });
    const contents = await look();
    expect(contents.failures).toEqual([]);
    expect(worldOfContents(contents, [kind]).watched(STORE, 'floe-jobs', 'vault')).toMatchObject({
      state: 'failed',
    });
  });
});
