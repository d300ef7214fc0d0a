import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Reflector, WatchReport, WatchTimes } from '../../src/cluster/watch.ts';
import { startReflector } from '../../src/cluster/watch.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { nameOf } from '../../src/kube/object.ts';
import type { ResourceKind } from '../../src/kube/object.ts';
import type { FakeApi, Item } from './fake-api.ts';
import { send, startFakeApi, status } from './fake-api.ts';

const WIDGET: ResourceKind = {
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
};
const WIDGETS = '/apis/example.com/v1/widgets';
const DISCOVERY = '/apis/example.com/v1';
const QUICK: Partial<WatchTimes> = { backoff: { base: 5, max: 40 }, probe: 40, eagerProbe: 10 };
const CEILING = { timeout: 60_000, interval: 5 };

let api: FakeApi;
let reflector: Reflector<string> | undefined;
let reports: WatchReport[];
let rejections: unknown[];
const onRejection = (reason: unknown) => rejections.push(reason);

beforeEach(async () => {
  api = await startFakeApi();
  reports = [];
  rejections = [];
  process.on('unhandledRejection', onRejection);
});
afterEach(async () => {
  await reflector?.stop();
  reflector = undefined;
  await api.close();
  process.off('unhandledRejection', onRejection);
  expect(rejections).toEqual([]);
});

const widget = (name: string, more: object = {}): Item => ({ metadata: { namespace: 'a', name }, ...more });

function start(times: Partial<WatchTimes> = {}, metadataOnly = false): Reflector<string> {
  const reduce = (_kind: ResourceKind, raw: JsonObject) =>
    `${nameOf(raw)}:${JSON.stringify(raw['size'] ?? '')}`;
  const options = { times: { ...QUICK, ...times }, report: (report: WatchReport) => reports.push(report) };
  reflector = startReflector(api.client(), { kind: WIDGET, metadataOnly, reduce }, options);
  return reflector;
}

const names = () =>
  [...(reflector?.objects.values() ?? [])].map((value) => value.split(':')[0] ?? '').toSorted();
const has = async (...expected: string[]) => vi.waitFor(() => expect(names()).toEqual(expected), CEILING);
const isWatching = async () => vi.waitFor(() => expect(api.watching(WIDGETS)).toBe(1), CEILING);
const isKnown = async () => vi.waitFor(() => expect(reflector?.state()).toEqual({ state: 'known' }), CEILING);

describe('a watch in good health', () => {
  it('lists in pages, then follows what is added, changed and removed', async () => {
    api.serve(
      WIDGETS,
      Array.from({ length: 1_100 }, (_, index) => widget(`w${index}`)),
    );
    const watch = start();
    expect(watch.settled()).toBe(false);
    expect(watch.state()).toMatchObject({ state: 'failed', failure: { reason: 'unavailable' } });
    await isWatching();
    expect(watch.settled()).toBe(true);
    expect(watch.objects.size).toBe(1_100);
    expect(api.asked(WIDGETS, 'list')).toHaveLength(3);

    api.add(WIDGETS, widget('new'));
    api.modify(WIDGETS, widget('w0', { size: 2 }));
    api.remove(WIDGETS, widget('w1'));
    await vi.waitFor(() => expect(watch.objects.get('a', 'w1')).toBeUndefined(), CEILING);
    expect(watch.objects.get('a', 'new')).toBe('new:""');
    expect(watch.objects.get('a', 'w0')).toBe('w0:2');
  });

  it('asks for metadata alone where that is enough', async () => {
    api.serve(WIDGETS, [widget('w')]);
    start({}, true);
    await isWatching();
    for (const request of api.asked(WIDGETS)) expect(request.accept).toContain('as=PartialObjectMetadata');
    expect(api.asked(WIDGETS, 'list')[0]?.accept).toContain('as=PartialObjectMetadataList');
  });

  it('goes on from a bookmark when the server ends it', async () => {
    api.serve(WIDGETS, [widget('w')]);
    start();
    await isWatching();
    api.write(WIDGETS, { type: 'BOOKMARK', object: { metadata: { resourceVersion: '4711' } } });
    api.endWatches(WIDGETS);
    await vi.waitFor(() => expect(api.asked(WIDGETS, 'watch')).toHaveLength(2), CEILING);
    expect(api.asked(WIDGETS, 'watch')[1]?.query.get('resourceVersion')).toBe('4711');
    expect(api.asked(WIDGETS, 'list')).toHaveLength(1);
    expect(names()).toEqual(['w']);
  });
});

describe('a watch that breaks', () => {
  it('goes on where it was after a reset, without a new list', async () => {
    api.serve(WIDGETS, [widget('w')]);
    start();
    await isWatching();
    api.resetConnections();
    api.add(WIDGETS, widget('x'));
    await has('w', 'x');
    expect(api.asked(WIDGETS, 'list')).toHaveLength(1);
    expect(reflector?.state()).toEqual({ state: 'known' });
  });

  it('is given up when it stays silent', async () => {
    api.serve(WIDGETS, [widget('w')]);
    start({ idle: 200 });
    await isWatching();
    await vi.waitFor(() => expect(api.asked(WIDGETS, 'watch').length).toBeGreaterThan(1), CEILING);
    api.add(WIDGETS, widget('x'));
    await has('w', 'x');
  });

  it.each(['over HTTP', 'as an event'])(
    'lists again after a 410 %s, and drops what has vanished',
    async (way) => {
      api.serve(WIDGETS, [widget('stays'), widget('vanishes')]);
      start();
      await isWatching();
      api.freeze(WIDGETS);
      api.remove(WIDGETS, widget('vanishes'));
      api.add(WIDGETS, widget('comes'));
      api.compact();
      if (way === 'over HTTP') api.resetConnections();
      else api.write(WIDGETS, { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
      await has('comes', 'stays');
      expect(reflector?.state()).toEqual({ state: 'known' });
    },
  );

  it('survives lines that are no JSON and events without an object', async () => {
    api.serve(WIDGETS, [widget('w')]);
    start();
    await isWatching();
    api.write(WIDGETS, { type: 'ADDED' });
    api.write(WIDGETS, '{"type":"ADDED", oops\n');
    await vi.waitFor(() => expect(api.asked(WIDGETS, 'watch')).toHaveLength(2), CEILING);
    api.add(WIDGETS, widget('x'));
    await has('w', 'x');
  });

  it('counts as known for a while only', async () => {
    api.serve(WIDGETS, [widget('w')]);
    start({ stale: 50 });
    await isWatching();
    api.intercept((_, response) => {
      status(response, 503, 'ServiceUnavailable', 'dial tcp 10.0.0.1:2379: connection refused');
      return true;
    });
    api.resetConnections();
    await vi.waitFor(() => expect(reflector?.state().state).toBe('failed'), CEILING);
    const state = reflector?.state();
    expect(JSON.stringify(state)).not.toContain('10.0.0.1');
    expect(state).toMatchObject({ failure: { reason: 'unavailable' } });
    // What is known stays: it is the best there is.
    expect(names()).toEqual(['w']);
    api.intercept(() => false);
    await isKnown();
  });
});

describe('a list that fails', () => {
  it('is tried for ever, and its failure can be seen', async () => {
    let failures = 6;
    api.serve(WIDGETS, [widget('w')]);
    api.intercept((_, response) => {
      if (failures === 0) return false;
      failures -= 1;
      status(response, 500, 'InternalError', 'etcdserver: request timed out');
      return true;
    });
    const watch = start();
    await vi.waitFor(() => expect(reports.some(({ event }) => event === 'failed')).toBe(true), CEILING);
    await has('w');
    await isKnown();
    expect(watch.settled()).toBe(true);
    const message = 'cannot list widgets.example.com in all namespaces: HTTP 500 InternalError';
    // One line for one trouble, however often it comes.
    expect(reports.filter(({ event }) => event === 'failed').map(({ failure }) => failure?.message)).toEqual([
      message,
    ]);
  });

  it('begins anew when its history ends between two pages', async () => {
    api.serve(
      WIDGETS,
      Array.from({ length: 600 }, (_, index) => widget(`w${index}`)),
    );
    let expiries = 1;
    api.intercept(({ query }, response) => {
      if (!query.has('continue') || expiries === 0) return false;
      expiries -= 1;
      status(response, 410, 'Expired', 'the provided continue parameter is too old');
      return true;
    });
    start();
    await isWatching();
    expect(reflector?.objects.size).toBe(600);
  });

  it('names the permission that is missing', async () => {
    api.serve(WIDGETS);
    api.intercept(({ path }, response) => {
      if (path === DISCOVERY) send(response, 200, { resources: [{ name: 'widgets' }] });
      else status(response, 403, 'Forbidden', 'widgets is forbidden: User "x" cannot list');
      return true;
    });
    const watch = start();
    await vi.waitFor(() => expect(watch.settled()).toBe(true), CEILING);
    expect(watch.state()).toEqual({
      state: 'failed',
      failure: { reason: 'forbidden', message: 'cannot list widgets.example.com in all namespaces (RBAC)' },
    });
    api.intercept(() => false);
    await isKnown();
  });
});

describe('a kind that is not served', () => {
  it('is noticed when it appears, and when it goes', async () => {
    const watch = start();
    await vi.waitFor(() => expect(watch.state()).toEqual({ state: 'notServed' }), CEILING);
    expect(watch.settled()).toBe(true);
    api.serve(WIDGETS, [widget('w')]);
    await has('w');
    await isWatching();
    expect(watch.state()).toEqual({ state: 'known' });
    api.unserve(WIDGETS);
    await vi.waitFor(() => expect(watch.state()).toEqual({ state: 'notServed' }), CEILING);
    expect(names()).toEqual([]);
    api.serve(WIDGETS, [widget('again')]);
    await has('again');
    expect(reports.map(({ event }) => event)).toEqual(['notServed', 'listed', 'notServed', 'listed']);
  });

  it('is not mistaken for a missing permission, which RBAC answers first', async () => {
    api.intercept(({ path }, response) => {
      if (path === DISCOVERY) send(response, 200, { resources: [{ name: 'gadgets' }] });
      else status(response, 403, 'Forbidden', 'forbidden');
      return true;
    });
    const watch = start();
    await vi.waitFor(() => expect(watch.state()).toEqual({ state: 'notServed' }), CEILING);
  });

  it('is looked at at once when somebody says that it has changed', async () => {
    const watch = start({ probe: 600_000 });
    await vi.waitFor(() => expect(watch.state()).toEqual({ state: 'notServed' }), CEILING);
    watch.recheck();
    await vi.waitFor(() => expect(api.asked(WIDGETS).length).toBeGreaterThan(2), CEILING);
    api.serve(WIDGETS, [widget('w')]);
    await has('w');
  });

  it('is noticed at once when a live watch is rechecked', async () => {
    api.serve(WIDGETS, [widget('w')]);
    const watch = start({ probe: 600_000 });
    await isWatching();
    api.forget(WIDGETS);
    watch.recheck();
    await vi.waitFor(() => expect(watch.state()).toEqual({ state: 'notServed' }), CEILING);
    expect(names()).toEqual([]);
  });
});

describe('a kind of several versions', () => {
  const OLD = '/apis/example.com/v1beta1/widgets';
  const startVersions = (): Reflector<string> => {
    const kind: ResourceKind = { ...WIDGET, olderVersions: ['v1beta1', 'v1alpha1'] };
    const reduce = ({ version }: ResourceKind, raw: JsonObject) => `${nameOf(raw)}:${version}`;
    const times = { ...QUICK, probe: 600_000 };
    reflector = startReflector(api.client(), { kind, reduce }, { times });
    return reflector;
  };
  const values = () => [...(reflector?.objects.values() ?? [])];

  it('is watched in the newest that is served, and in no other', async () => {
    api.serve(WIDGETS, [widget('one')]);
    api.serve(OLD, [widget('one')]);
    startVersions();
    await vi.waitFor(() => expect(values()).toEqual(['one:v1']), CEILING);
    expect(api.asked(OLD)).toEqual([]);
    expect(reflector?.isMakeshift()).toBe(false);
  });

  it('is watched in an older one where there is no newer, until there is', async () => {
    api.serve(OLD, [widget('one')]);
    startVersions();
    await vi.waitFor(() => expect(values()).toEqual(['one:v1beta1']), CEILING);
    await isKnown();
    await vi.waitFor(() => expect(api.watching(OLD)).toBe(1), CEILING);
    expect(reflector?.isMakeshift()).toBe(true);
    api.serve(WIDGETS, [widget('one')]);
    reflector?.recheck();
    await vi.waitFor(() => expect(values()).toEqual(['one:v1']), CEILING);
    await vi.waitFor(() => expect(api.watching(OLD)).toBe(0), CEILING);
  });

  it('is followed when the older one goes and the newer one comes', async () => {
    api.serve(OLD, [widget('one')]);
    startVersions();
    await vi.waitFor(() => expect(api.watching(OLD)).toBe(1), CEILING);
    api.serve(WIDGETS, [widget('one')]);
    api.unserve(OLD);
    await vi.waitFor(() => expect(values()).toEqual(['one:v1']), CEILING);
  });

  it('is not served where none of them is', async () => {
    startVersions();
    await vi.waitFor(() => expect(reflector?.state()).toEqual({ state: 'notServed' }), CEILING);
    expect(reflector?.settled()).toBe(true);
  });
});

describe('stopping', () => {
  it.each([
    ['while it watches', async () => isWatching()],
    ['while it pauses', async () => vi.waitFor(() => expect(reflector?.settled()).toBe(true), CEILING)],
    ['while it lists', async () => vi.waitFor(() => expect(api.requests.length).toBeGreaterThan(0), CEILING)],
  ])('ends everything %s', async (when, reached) => {
    if (when === 'while it watches') api.serve(WIDGETS, [widget('w')]);
    if (when === 'while it lists') api.intercept(() => true);
    const watch = start({ probe: 600_000 });
    await reached();
    await watch.stop();
    const before = api.requests.length;
    api.serve(WIDGETS);
    watch.recheck();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(api.requests).toHaveLength(before);
  });
});
