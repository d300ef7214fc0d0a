import { describe, expect, it } from 'vitest';
import type { PodRecord } from '../../src/kube/running.ts';
import { afterEviction, beginRound, nextStep } from '../../src/reload/eviction.ts';
import { at, pod } from './setup.ts';

const OLD = [pod('a', { createdAt: at(2) }), pod('b', { createdAt: at(1) })];
const FRESH = pod('c');
const uids = OLD.map(({ uid }) => uid);

function told(round: Parameters<typeof nextStep>[0], live: readonly PodRecord[], replicas?: number): string {
  const step = nextStep(round, live, replicas);
  return step.what === 'evict' ? `evict ${step.pod.name}` : step.what;
}

describe('a round of evictions', () => {
  const round = beginRound(uids, [...OLD, FRESH]);
  const [a, b] = [OLD[0]!, OLD[1]!];

  it('begins with the oldest, and leaves pods that are not too old alone', () => {
    expect(told(round, [...OLD, FRESH])).toBe('evict b');
    expect(told(beginRound([], [FRESH]), [FRESH])).toBe('over');
  });

  it('goes on when the pod has gone and its successor is ready', () => {
    const after = afterEviction(round, b.uid);
    expect(told(after, [a, { ...b, terminating: true }, FRESH])).toBe('wait');
    expect(told(after, [a, FRESH])).toBe('wait');
    expect(told(after, [a, FRESH, pod('d', { ready: false })])).toBe('wait');
    expect(told(after, [a, FRESH, pod('d')])).toBe('evict a');
  });

  it('does not wait for replicas that are not wanted any more', () => {
    expect(told(afterEviction(round, b.uid), [a, FRESH], 2)).toBe('evict a');
  });

  it('does not wait to evict a pod that serves nothing', () => {
    const crashed = { ...a, ready: false };
    expect(told(round, [crashed, b, FRESH])).toBe('evict a');
    expect(told(afterEviction(round, b.uid), [crashed, FRESH])).toBe('evict a');
  });

  it('ends when its pods are gone, and takes no new ones in', () => {
    const after = afterEviction(afterEviction(round, b.uid), a.uid);
    expect(told(after, [FRESH, pod('d'), pod('e')])).toBe('over');
    expect(told(afterEviction(round, b.uid), [FRESH])).toBe('over');
  });
});
