import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiError } from '../../src/cluster/api-error.ts';
import type { Election, ElectionOptions, ElectionReport, ElectionTimes } from '../../src/cluster/leader.ts';
import { startElection } from '../../src/cluster/leader.ts';
import { asObject, get } from '../../src/kube/json.ts';
import type { FakeLeases } from './fake-leases.ts';
import { fakeLeases } from './fake-leases.ts';

const CEILING = { timeout: 60_000, interval: 5 };
const CALM: ElectionTimes = { lease: 60_000, renew: 40_000, retry: 20 };
const BRIEF: ElectionTimes = { lease: 2_000, renew: 1_000, retry: 20 };

let leases: FakeLeases;
let candidates: Election[];
let story: string[];

beforeEach(() => {
  leases = fakeLeases();
  candidates = [];
  story = [];
});
afterEach(async () => {
  leases.fail(undefined);
  await Promise.all(candidates.map(async (one) => one.stop()));
});

function candidate(
  identity: string,
  more: Partial<ElectionOptions> & { readonly work?: number } = {},
): Election {
  const election = startElection({
    client: leases.client,
    stands: more.stands ?? true,
    namespace: 'floe-secrets-system',
    name: 'floe-secrets-webhook',
    identity,
    controllers: ['gates', 'reload'],
    ...(more.notes === undefined ? {} : { notes: more.notes }),
    isOutdated: more.isOutdated,
    times: more.times ?? CALM,
    report: ({ event, failure }: ElectionReport) =>
      story.push(`${identity} ${event}${failure === undefined ? '' : `: ${failure.message}`}`),
    async lead(signal) {
      story.push(`${identity} begins`);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      // Work that takes its time to end.
      await new Promise((resolve) => setTimeout(resolve, more.work ?? 0));
      story.push(`${identity} ends`);
    },
  });
  candidates.push(election);
  return election;
}

const leads = async (one: Election) => vi.waitFor(() => expect(one.leading()).toBe(true), CEILING);
const sleep = async (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('an election', () => {
  it('has one winner, and the loser waits', async () => {
    const first = candidate('a');
    await leads(first);
    const second = candidate('b');
    await vi.waitFor(() => expect(second.serves('gates')).toBe(true), CEILING);
    expect(second.leading()).toBe(false);
    expect(story).toEqual(['a leading', 'a begins']);
    expect(leases.lease()).toMatchObject({
      metadata: { annotations: { 'secrets.floe.dev/controllers': 'gates,reload' } },
      spec: { holderIdentity: 'a', leaseDurationSeconds: 60, leaseTransitions: 0 },
    });
    expect(second.serves('something-else')).toBe(false);
  });

  it('has one winner where all stand at once', async () => {
    const all = ['a', 'b', 'c', 'd'].map((name) => candidate(name));
    await vi.waitFor(() => expect(all.some((one) => one.leading())).toBe(true), CEILING);
    await sleep(100);
    expect(all.filter((one) => one.leading())).toHaveLength(1);
  });

  it('renews, and keeps what others wrote on the Lease', async () => {
    const first = candidate('a');
    await leads(first);
    leases.write((lease) => ({
      ...lease,
      metadata: { ...asObject(get(lease, 'metadata')), labels: { a: 'b' } },
    }));
    const before = leases.writes.length;
    await vi.waitFor(() => expect(leases.writes.length).toBeGreaterThan(before + 2), CEILING);
    expect(first.leading()).toBe(true);
    expect(leases.lease()).toMatchObject({ metadata: { labels: { a: 'b' } }, spec: { leaseTransitions: 0 } });
    expect(story).toEqual(['a leading', 'a begins']);
  });
});

describe('what a leader tells besides', () => {
  const annotations = () => get(get(leases.lease(), 'metadata'), 'annotations');

  it('stands on the Lease, follows it, and goes with it', async () => {
    const notes: Record<string, string> = { 'secrets.floe.dev/reload-polling': 'secrets=1' };
    const first = candidate('a', { notes: () => notes });
    await leads(first);
    leases.write((lease) => {
      const metadata = asObject(get(lease, 'metadata'));
      return {
        ...lease,
        metadata: { ...metadata, annotations: { ...asObject(metadata['annotations']), other: 'x' } },
      };
    });
    notes['secrets.floe.dev/reload-polling'] = 'secrets=2';
    const mine = { 'secrets.floe.dev/controllers': 'gates,reload', other: 'x' };
    await vi.waitFor(
      () => expect(annotations()).toEqual({ ...mine, 'secrets.floe.dev/reload-polling': 'secrets=2' }),
      CEILING,
    );
    delete notes['secrets.floe.dev/reload-polling'];
    await vi.waitFor(() => expect(annotations()).toEqual(mine), CEILING);
    notes['secrets.floe.dev/reload-polling'] = 'secrets=3';
    await vi.waitFor(() => expect(annotations()).not.toEqual(mine), CEILING);
    await first.stop();
    expect(annotations()).toEqual({ other: 'x' });
  });

  it('is not taken over from a leader that died', async () => {
    const metadata = { annotations: { 'secrets.floe.dev/reload-polling': 'secrets=9', other: 'x' } };
    const spec = { holderIdentity: 'dead', leaseDurationSeconds: 1, renewTime: '2001-01-01T00:00:00Z' };
    leases.write(() => ({ metadata, spec }));
    await leads(candidate('a'));
    expect(annotations()).toEqual({ 'secrets.floe.dev/controllers': 'gates,reload', other: 'x' });
  });
});

describe('who has outdated settings', () => {
  it('lets others lead as soon as the settings change, and stands behind them', async () => {
    let changed = false;
    const former = candidate('former', { isOutdated: () => changed });
    await leads(former);
    const next = candidate('next');
    await sleep(100);
    expect(former.leading()).toBe(true);
    changed = true;
    await leads(next);
    expect(story).toEqual([
      'former leading',
      'former begins',
      'former ends',
      'former released',
      'next leading',
      'next begins',
    ]);
    await sleep(300);
    expect([former.leading(), next.leading()]).toEqual([false, true]);
  });

  it('leads all the same where nobody else does, for a while at a time', async () => {
    const lonely = candidate('lonely', { isOutdated: () => true, times: { ...CALM, term: 200 } });
    await leads(lonely);
    await sleep(100);
    expect(lonely.leading()).toBe(true);
    await vi.waitFor(() => expect(story.filter((one) => one === 'lonely leading')).toHaveLength(2), CEILING);
    const next = candidate('next');
    await leads(next);
  });
});

describe('who does not stand', () => {
  it('knows what the leader runs, and never leads', async () => {
    const onlooker = candidate('looks', { stands: false });
    await sleep(100);
    expect(onlooker.serves('gates')).toBe(false);
    await leads(candidate('a'));
    await vi.waitFor(() => expect(onlooker.serves('gates')).toBe(true), CEILING);
    leases.fail(new ApiError(403, 'Forbidden', 'no'));
    await vi.waitFor(
      () =>
        expect(story).toContain(
          'looks failed: cannot get leases.coordination.k8s.io in namespace floe-secrets-system (RBAC)',
        ),
      CEILING,
    );
    expect(onlooker.leading()).toBe(false);
    expect(leases.lease()).toMatchObject({ spec: { holderIdentity: 'a' } });
  });
});

describe('a leader that stops', () => {
  it('ends its work, then gives the Lease back, and another goes on at once', async () => {
    const first = candidate('a', { work: 50 });
    await leads(first);
    const second = candidate('b');
    await vi.waitFor(() => expect(second.serves('gates')).toBe(true), CEILING);
    await first.stop();
    expect(first.leading()).toBe(false);
    await leads(second);
    expect(story).toEqual(['a leading', 'a begins', 'a ends', 'a released', 'b leading', 'b begins']);
    expect(leases.lease()).toMatchObject({ spec: { holderIdentity: 'b', leaseTransitions: 1 } });
  });

  it('never takes the Lease of another with it', async () => {
    const first = candidate('a');
    await leads(first);
    leases.write((lease) => ({ ...lease, spec: { ...asObject(get(lease, 'spec')), holderIdentity: 'x' } }));
    await first.stop();
    expect(leases.holder()).toBe('x');
  });
});

describe('a leader that cannot renew', () => {
  it('ends its work before the Lease can be anybody else’s', async () => {
    const first = candidate('a', { times: BRIEF });
    await leads(first);
    leases.fail(new ApiError(0, 'ECONNREFUSED', 'connection refused'));
    await vi.waitFor(() => expect(story).toContain('a ends'), CEILING);
    expect(first.leading()).toBe(false);
    leases.fail(undefined);
    const second = candidate('b', { times: BRIEF });
    await vi.waitFor(() => expect(first.leading() || second.leading()).toBe(true), CEILING);
    // Whoever begins again, it is after the first had ended.
    const begun = story.findLastIndex((line) => line.endsWith('begins'));
    expect(begun).toBeGreaterThan(story.indexOf('a ends'));
    expect(story[2]).toBe(
      'a failed: cannot update leases.coordination.k8s.io in namespace floe-secrets-system: connection refused',
    );
    const failures = story.filter((line) => line.startsWith('a failed'));
    expect(failures).toEqual([...new Set(failures)]);
  });

  it('ends at once where another holds the Lease', async () => {
    const first = candidate('a');
    await leads(first);
    leases.write((lease) => ({ ...lease, spec: { ...asObject(get(lease, 'spec')), holderIdentity: 'x' } }));
    await vi.waitFor(() => expect(story).toEqual(['a leading', 'a begins', 'a ends', 'a lost']), CEILING);
    expect(leases.holder()).toBe('x');
  });

  it('counts as no leader any more where its process was stopped for too long', async () => {
    const first = candidate('a', { times: BRIEF });
    await leads(first);
    const until = performance.now() + BRIEF.renew + 50;
    while (performance.now() < until); // nothing else runs: no timer, no renewal
    expect(first.leading()).toBe(false);
  });
});

describe('a Lease that a dead leader left', () => {
  const left = (renewTime: string) => ({
    metadata: { name: 'floe-secrets-webhook', namespace: 'floe-secrets-system' },
    spec: { holderIdentity: 'dead', leaseDurationSeconds: 1, renewTime, leaseTransitions: 3 },
  });

  it.each(['2001-01-01T00:00:00.000000Z', '2099-01-01T00:00:00.000000Z'])(
    'is taken after its time without a renewal, whatever clock wrote %s',
    async (renewTime) => {
      leases.write(() => left(renewTime));
      const began = performance.now();
      const next = candidate('b');
      await leads(next);
      expect(performance.now() - began).toBeGreaterThanOrEqual(1_000);
      expect(leases.lease()).toMatchObject({ spec: { holderIdentity: 'b', leaseTransitions: 4 } });
    },
  );

  it('stays its holder’s while that renews', async () => {
    // A machine that stands still for a second would be a holder that does not renew.
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    leases.write(() => left('2026-01-01T00:00:00.000000Z'));
    const next = candidate('b');
    for (let renewal = 1; renewal < 30; renewal += 1) {
      leases.write(() => left(`2026-01-01T00:00:${String(renewal).padStart(2, '0')}.000000Z`));
      await vi.advanceTimersByTimeAsync(200);
    }
    expect(next.leading()).toBe(false);
    expect(story).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(next.leading()).toBe(true);
    const stopped = next.stop();
    await vi.advanceTimersByTimeAsync(100);
    await stopped;
  });
});

it('says once which permission is missing, and goes on trying', async () => {
  leases.fail(new ApiError(403, 'Forbidden', 'forbidden'));
  const first = candidate('a');
  await vi.waitFor(() => expect(story).toHaveLength(1), CEILING);
  await sleep(100);
  expect(story).toEqual([
    'a failed: cannot update leases.coordination.k8s.io in namespace floe-secrets-system (RBAC)',
  ]);
  expect(first.serves('gates')).toBe(false);
  leases.fail(undefined);
  await leads(first);
});
