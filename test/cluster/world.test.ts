import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLiveCluster } from '../../src/cluster/live.ts';
import type { LiveCluster } from '../../src/cluster/live.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { JOB, SERVICE_ACCOUNT, nameOf } from '../../src/kube/object.ts';
import type { SyncKind } from '../../src/plugins/plugin.ts';
import type { FakeApi, Item } from './fake-api.ts';
import { send, startFakeApi, status } from './fake-api.ts';
import { WIDGET, fakeReview, requestFor, widgetTargets } from './fake-review.ts';

const WIDGETS = '/apis/example.com/v1/widgets';
const NAMESPACES = '/api/v1/namespaces';
const ACCOUNTS = '/api/v1/serviceaccounts';
const SECRETS = '/api/v1/secrets';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const CEILING = { timeout: 60_000, interval: 5 };

const kind: SyncKind = {
  resource: WIDGET,
  targets: widgetTargets,
  health: () => ({ verdict: 'ok', generation: 'current', words: '', neverOld: false, everSynced: true }),
  scope: () => ({ projects: [], environments: [], paths: [] }),
  credentialNamespaces: () => [],
  revive: '',
};

let api: FakeApi;
let cluster: LiveCluster | undefined;
beforeEach(async () => {
  api = await startFakeApi();
  api.serve(NAMESPACES, [{ metadata: { name: 'floe-jobs', labels: { mode: 'strict' } } }]);
  api.serve(ACCOUNTS, [
    { metadata: { namespace: 'floe-jobs', name: 'default' }, imagePullSecrets: [{ name: 'registry' }] },
  ]);
  api.serve(CRDS);
});
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
  await api.close();
});

const widget = (name: string, target: string): Item => ({
  metadata: { namespace: 'floe-jobs', name },
  spec: { target },
});

function start(access: 'get' | 'watch' = 'get', kinds: readonly SyncKind[] = [kind]): LiveCluster {
  cluster = createLiveCluster({
    client: api.client(),
    kinds,
    config: { secrets: { access, cacheTtl: 60_000, cacheMax: 100 } },
    times: { backoff: { base: 5, max: 40 }, probe: 600_000, eagerProbe: 10 },
  });
  return cluster;
}

const isReady = async () => vi.waitFor(() => expect(cluster?.ready().ready).toBe(true), CEILING);
const claimants = (secret: string) =>
  cluster?.world.targeting('floe-jobs', secret).map(({ raw }) => nameOf(raw));
const becomes = async (secret: string, ...names: string[]) =>
  vi.waitFor(() => expect(claimants(secret)).toEqual(names), CEILING);

describe('the live world', () => {
  it('knows Namespaces, ServiceAccounts and who targets what, and leaves the rest unread', async () => {
    api.serve(WIDGETS, [widget('b', 'db'), widget('a', 'db'), widget('c', 'api')]);
    const { world, syncObjects } = start();
    await isReady();
    expect(world.namespace('floe-jobs')).toMatchObject({ state: 'present' });
    expect(world.object(SERVICE_ACCOUNT, 'floe-jobs', 'default')).toMatchObject({
      value: { raw: { imagePullSecrets: [{ name: 'registry' }] } },
    });
    expect(claimants('db')).toEqual(['a', 'b']);
    expect(world.targetsIn('floe-jobs')).toEqual(['api', 'db']);
    expect([...syncObjects()]).toHaveLength(3);
    expect(world.kind(WIDGET)).toEqual({ state: 'known' });
    for (const read of [
      world.namespace('other'),
      world.object(SERVICE_ACCOUNT, 'floe-jobs', 'other'),
      world.object(JOB, 'floe-jobs', 'nightly'),
      world.secret('floe-jobs', 'db'),
      world.access({ username: 'x', groups: [] }, 'list', 'secrets', 'floe-jobs'),
    ]) {
      expect(read).toEqual({ state: 'unread' });
    }
  });

  it('follows sync resources that turn to other Secrets and that go', async () => {
    api.serve(WIDGETS, [widget('a', 'db')]);
    const { world } = start();
    await isReady();
    await vi.waitFor(() => expect(api.watching(WIDGETS)).toBe(1), CEILING);
    api.modify(WIDGETS, widget('a', 'api'));
    await becomes('api', 'a');
    expect(claimants('db')).toEqual([]);
    api.remove(WIDGETS, widget('a', 'api'));
    await becomes('api');
    expect(world.targetsIn('floe-jobs')).toEqual([]);
  });

  it('remembers no Secret whose sync resource says something new', async () => {
    api.serve(WIDGETS, [widget('a', 'db'), widget('b', 'api')]);
    const names = ['db', 'api', 'plain'];
    api.serve(
      SECRETS,
      names.map((name) => ({ metadata: { namespace: 'floe-jobs', name } })),
    );
    const admit = start().admission({ review: fakeReview, now: () => 0 });
    await isReady();
    const reads = (): readonly string[] =>
      api.requests.flatMap(({ path }) =>
        path.startsWith('/api/v1/namespaces/floe-jobs/secrets/') ? [path.split('/').at(-1)!] : [],
      );
    const admitted = async (): Promise<void> => {
      expect(await admit(requestFor(names.map((secret) => ({ secret }))), 10_000)).toMatchObject({
        allowed: true,
      });
    };
    await admitted();
    await admitted();
    expect(reads()).toEqual(names);
    await vi.waitFor(() => expect(api.watching(WIDGETS)).toBe(1), CEILING);
    api.modify(WIDGETS, { ...widget('a', 'db'), status: { synced: 'again' } });
    await vi.waitFor(async () => {
      await admitted();
      expect(reads()).toEqual([...names, 'db']);
    }, CEILING);
  });

  it('asks for Namespaces and CRDs as metadata, and never for Secrets', async () => {
    api.serve(WIDGETS);
    start();
    await isReady();
    for (const path of [NAMESPACES, CRDS]) {
      await vi.waitFor(
        () => expect(api.asked(path)[0]?.accept).toContain('as=PartialObjectMetadata'),
        CEILING,
      );
    }
    expect(api.asked(SECRETS)).toEqual([]);
  });

  it('survives a plugin that fails on an object', async () => {
    api.serve(WIDGETS, [widget('a', 'db'), widget('bad', 'db')]);
    const targets = (object: KubeObject) => {
      if (nameOf(object.raw) === 'bad') throw new Error('bug');
      return widgetTargets(object);
    };
    start('get', [{ ...kind, targets }]);
    await isReady();
    expect(claimants('db')).toEqual(['a']);
  });

  it('keeps the metadata of all Secrets where the config says so', async () => {
    api.serve(WIDGETS);
    api.serve(SECRETS, [{ metadata: { namespace: 'floe-jobs', name: 'db' } }]);
    const { world } = start('watch');
    await isReady();
    expect(world.secret('floe-jobs', 'db')).toMatchObject({
      state: 'present',
      value: { keysComplete: false },
    });
    // A watch may be late: that something is not in it proves nothing.
    expect(world.secret('floe-jobs', 'other')).toEqual({ state: 'unread' });
    for (const { accept } of api.asked(SECRETS)) expect(accept).toContain('as=PartialObjectMetadata');
  });
});

describe('companions', () => {
  const STORE = { ...WIDGET, kind: 'WidgetStore', plural: 'widgetstores' };
  const STORES = '/apis/example.com/v1/widgetstores';
  const leaning: SyncKind = { ...kind, companions: [STORE, WIDGET] };
  const store = (name: string): Item => ({ metadata: { namespace: 'floe-jobs', name } });

  it('are watched once, found by their names, and target nothing', async () => {
    api.serve(WIDGETS, [widget('a', 'db')]);
    api.serve(STORES, [store('vault')]);
    const { world, syncObjects } = start('get', [leaning]);
    await isReady();
    expect(world.watched(STORE, 'floe-jobs', 'vault')).toMatchObject({
      state: 'present',
      value: { kind: STORE },
    });
    expect(world.watched(WIDGET, 'floe-jobs', 'a')).toMatchObject({ state: 'present' });
    expect(world.watched(STORE, 'floe-jobs', 'other')).toEqual({ state: 'absent' });
    expect([...syncObjects()]).toHaveLength(1);
    expect(api.asked(WIDGETS).filter(({ query }) => query.get('watch') === null)).toHaveLength(1);
  });

  it('that nobody serves are absent; that nobody may read are not known', async () => {
    api.serve(WIDGETS);
    const { world } = start('get', [leaning]);
    await isReady();
    expect(world.watched(STORE, 'floe-jobs', 'vault')).toEqual({ state: 'absent' });
    await cluster?.stop();
    api.intercept(({ path }, response) => {
      if (path === '/apis/example.com/v1')
        send(response, 200, { resources: [{ name: 'widgets' }, { name: 'widgetstores' }] });
      else if (path === STORES) status(response, 403, 'Forbidden', 'forbidden');
      else return false;
      return true;
    });
    const second = start('get', [leaning]);
    await isReady();
    expect(second.world.watched(STORE, 'floe-jobs', 'vault')).toMatchObject({ state: 'failed' });
    expect(second.world.kind(WIDGET)).toEqual({ state: 'known' });
  });
});

describe('opaque sync resources', () => {
  it('are found by their namespace, beside what can be read of their targets', async () => {
    const isOpaque = (object: KubeObject) => nameOf(object.raw) === 'sealed';
    api.serve(WIDGETS, [widget('sealed', 'db'), widget('open', 'db')]);
    const { world } = start('get', [{ ...kind, isOpaque }]);
    await isReady();
    expect(world.opaqueIn('floe-jobs').map(({ raw }) => nameOf(raw))).toEqual(['sealed']);
    expect(world.opaqueIn('other')).toEqual([]);
    expect(world.targetsIn('floe-jobs')).toEqual(['db']);
    expect(claimants('db')).toEqual(['open', 'sealed']);
  });
});

describe('readiness', () => {
  it('names what it waits for', async () => {
    api.serve(WIDGETS);
    api.intercept(({ path }) => path === ACCOUNTS);
    const { ready } = start();
    await vi.waitFor(() => expect(ready()).toEqual({ ready: false, waiting: ['serviceaccounts'] }), CEILING);
  });

  it('does not wait for kinds that are not served or forbidden', async () => {
    api.intercept(({ path }, response) => {
      if (path === '/api/v1') send(response, 200, { resources: [{ name: 'serviceaccounts' }] });
      else if (path === ACCOUNTS) status(response, 403, 'Forbidden', 'forbidden');
      else return false;
      return true;
    });
    const { world } = start();
    await isReady();
    expect(world.kind(WIDGET)).toEqual({ state: 'notServed' });
  });
});

describe('a CRD', () => {
  const definition: Item = { metadata: { name: 'widgets.example.com' } };

  it('that appears or goes is noticed by its definition, without waiting for the next look', async () => {
    const { world } = start();
    await isReady();
    await vi.waitFor(() => expect(api.watching(CRDS)).toBe(1), CEILING);
    expect(world.kind(WIDGET)).toEqual({ state: 'notServed' });

    // The definition is there before its resources are served.
    api.add(CRDS, definition);
    await vi.waitFor(() => expect(api.asked(WIDGETS).length).toBeGreaterThan(2), CEILING);
    api.serve(WIDGETS, [widget('a', 'db')]);
    await becomes('db', 'a');
    expect(world.kind(WIDGET)).toEqual({ state: 'known' });

    await vi.waitFor(() => expect(api.watching(WIDGETS)).toBe(1), CEILING);
    api.forget(WIDGETS);
    api.remove(CRDS, definition);
    await vi.waitFor(() => expect(world.kind(WIDGET)).toEqual({ state: 'notServed' }), CEILING);
    expect(claimants('db')).toEqual([]);
  });
});

describe('admission over it', () => {
  it('admits, refuses, and admits as soon as the Secret is there', async () => {
    api.serve(WIDGETS, [widget('a', 'db')]);
    api.serve(SECRETS);
    const { admission } = start();
    await isReady();
    const admit = admission({ review: fakeReview, now: Date.now });
    const decide = async () => admit(requestFor([{ secret: 'db', key: 'user' }]), 10_000);
    expect((await decide()).verdicts).toMatchObject([
      { state: 'Missing', claimants: ['Widget/floe-jobs/a'] },
    ]);
    api.add(SECRETS, {
      kind: 'Secret',
      metadata: { namespace: 'floe-jobs', name: 'db' },
      type: 'Opaque',
      data: { user: 'dQ==' },
    });
    expect((await decide()).allowed).toBe(true);
    const before = api.requests.length;
    expect((await decide()).allowed).toBe(true);
    expect(api.requests).toHaveLength(before);
  });

  it('denies the same to many at once with few requests', async () => {
    api.serve(WIDGETS);
    api.serve(SECRETS);
    const { admission } = start();
    await isReady();
    const admit = admission({ review: fakeReview, now: Date.now });
    const pods = Array.from({ length: 100 }, async () => admit(requestFor([{ secret: 'db' }]), 10_000));
    expect((await Promise.all(pods)).every(({ allowed }) => !allowed)).toBe(true);
    expect(api.asked('/api/v1/namespaces/floe-jobs/secrets/db').length).toBeLessThan(10);
  });
});
