/** When the next certificate may be served: neither before the API server accepts it, nor later than it must. */
import { expect, it } from 'vitest';
import { createHandover } from '../../src/cluster/handover.ts';
import type { Registration } from '../../src/cluster/registrations.ts';
import { VALIDATING } from '../../src/cluster/registrations.ts';
import { makeAuthority } from '../../tools/certificates.ts';

const [old, next] = [await makeAuthority('old'), await makeAuthority('next')];
const [oldLeaf, nextLeaf] = [await old.issue({ names: ['a'] }), await next.issue({ names: ['a'] })];
const expired = await old.issue({ names: ['a'], days: -1 });
const DAY = 86_400_000;

function registered(...bundles: readonly string[]): readonly Registration[] {
  const entries = bundles.map((caBundle, index) => ({ name: `w${index}`, caBundle, failurePolicy: 'Fail' }));
  return [{ kind: VALIDATING, name: 'floe', resourceVersion: '1', injected: false, entries }];
}

function handover(propagation: number) {
  const state = { live: registered(old.certPem), now: Date.now(), settled: true };
  const mayReplace = createHandover(
    { all: () => state.live, settled: () => state.settled },
    { propagation, now: () => state.now },
  );
  return { state, may: () => mayReplace(oldLeaf.certPem, nextLeaf.certPem), mayReplace };
}

it('waits until every caBundle accepts the next certificate, and API servers had the time to read it', () => {
  const { state, may } = handover(5000);
  expect(may()).toBe(false);
  state.live = registered(old.certPem + next.certPem, old.certPem);
  expect(may()).toBe(false);
  state.live = registered(old.certPem + next.certPem, next.certPem + old.certPem);
  expect(may()).toBe(false);
  state.now += 4999;
  expect(may()).toBe(false);
  state.now += 1;
  expect(may()).toBe(true);
});

it('begins to wait anew where a caBundle was reset meanwhile', () => {
  const { state, may } = handover(5000);
  state.live = registered(old.certPem + next.certPem);
  expect(may()).toBe(false);
  state.live = registered(old.certPem);
  state.now += 6000;
  expect(may()).toBe(false);
  state.live = registered(old.certPem + next.certPem);
  expect(may()).toBe(false);
});

it('waits for nothing where the present one is not accepted either', () => {
  const { state, may, mayReplace } = handover(5000);
  state.live = registered(next.certPem);
  expect(may()).toBe(true);
  state.live = registered('');
  expect(may()).toBe(true);
  state.live = registered(old.certPem);
  expect(mayReplace(expired.certPem, nextLeaf.certPem)).toBe(true);
  state.now += 31 * DAY;
  expect(may()).toBe(true);
});

it('waits for nothing where no configuration asks for a certificate', () => {
  const { state, may } = handover(0);
  state.live = [];
  expect(may()).toBe(true);
});
