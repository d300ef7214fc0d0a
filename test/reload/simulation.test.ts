// The whole judgement against a made-up cluster: whatever is written, whoever dies when, no change is missed, and it ends.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodRecord } from '../../src/kube/running.ts';
import type { SecretWrite } from '../../src/kube/secret.ts';
import type { Knowledge } from '../../src/reload/knowledge.ts';
import { knowledgeAfter } from '../../src/reload/knowledge.ts';
import { needOf } from '../../src/reload/need.ts';
import { createSchedule } from '../../src/reload/schedule.ts';
import { at, pod, secret, use, workload } from './setup.ts';

const PACE = { quiet: 10_000, cooldown: 60_000, maxPerMinute: 20 };
const NAMES = ['injected', 'named'] as const;
type Name = (typeof NAMES)[number];

type Act =
  | { readonly what: 'data' | 'metadata'; readonly name: Name; readonly manager: 'operator' | 'person' }
  | { readonly what: 'remove' }
  | { readonly what: 'wait'; readonly seconds: number }
  | { readonly what: 'die' | 'lose' | 'fail' | 'pause' | 'scale' };

/** A Secret with its data, of which the judgement only ever hears whether it is the same. */
interface Held {
  data: number;
  version: number;
  writes: SecretWrite[];
}

interface Running extends PodRecord {
  /** What its containers have read. */
  readonly read: Readonly<Record<Name, number>>;
}

/** One cluster, one workload, and one leader after another. */
function createCluster() {
  const held: Record<Name, Held> = {
    injected: { data: 0, version: 1, writes: [] },
    named: { data: 0, version: 1, writes: [] },
  };
  let seconds = 0;
  let version = 1;
  let count = 0;
  let paused = false;
  let reloadedAt: number | undefined;
  let template = 0;
  let trouble: 'none' | 'fail' | 'lose' = 'none';
  let restarts = 0;
  let pods: Running[] = [];
  let leader = lead();

  function start(): Running {
    const versions = `injected=${held.injected.version}`;
    return {
      ...pod(`p${(count += 1)}`, {
        createdAt: at(seconds),
        annotations: { 'secrets.floe.dev/versions': versions },
        uses: [use('injected'), use('named', 'env')],
        labels: { 'pod-template-hash': String(template) },
      }),
      read: { injected: held.injected.data, named: held.named.data },
    };
  }
  function write(name: Name, manager: string, data: boolean): void {
    const one = held[name];
    version += 1;
    one.version = version;
    if (data) one.data = version;
    // A manager that owned data once has it in its entry for ever, and one time for all that it writes.
    const owned = data || one.writes.some((known) => known.manager === manager && known.data);
    one.writes = [
      ...one.writes.filter((known) => known.manager !== manager),
      { manager, time: at(seconds), data: owned },
    ];
  }
  function lead() {
    return {
      known: new Map<Name, Knowledge>(),
      seen: new Map<Name, number>(),
      schedule: createSchedule(PACE),
    };
  }
  function look(name: Name): void {
    const before = leader.seen.get(name);
    const { data, version: current, writes } = held[name];
    leader.seen.set(name, data);
    const record = { ...secret(String(current), ...writes), name };
    const told = before === undefined ? 'first' : before === data ? 'same' : 'different';
    leader.known.set(
      name,
      knowledgeAfter(leader.known.get(name), { state: 'present', record, data: told }, at(seconds))!,
    );
  }
  function act(): void {
    const { schedule } = leader;
    const standing = workload('Deployment', {
      updateRevision: String(template),
      ...(reloadedAt === undefined ? {} : { reloadedAt }),
    });
    const { causes } = needOf({
      workload: standing,
      pods,
      isWanted: () => true,
      knowledge: (name) => leader.known.get(name as Name),
      other: () => undefined,
    });
    schedule.found(
      'api',
      { causes, paused, ...(reloadedAt === undefined ? {} : { reloadedAt }) },
      at(seconds),
    );
    for (const { key } of schedule.due(at(seconds))) {
      const met = trouble;
      trouble = 'none';
      if (met !== 'fail') {
        restarts += 1;
        template += 1;
        reloadedAt = at(seconds);
      }
      schedule.outcome(key, met === 'none' ? 'done' : 'failed', at(seconds));
    }
  }
  /** One second; the controller replaces one pod of an older template every three. */
  function tick(): void {
    seconds += 1;
    const old = pods.find(({ labels }) => labels['pod-template-hash'] !== String(template));
    if (old !== undefined && seconds % 3 === 0 && !paused)
      pods = [...pods.filter((one) => one !== old), start()];
    if (seconds % 2 === 0) NAMES.forEach(look);
    act();
  }
  pods = [start(), start()];
  return {
    wait(time: number) {
      for (let index = 0; index < time; index += 1) tick();
    },
    play(one: Act) {
      if (one.what === 'data' || one.what === 'metadata') write(one.name, one.manager, one.what === 'data');
      if (one.what === 'remove') {
        // The removal of a key, as an update: no manager's time tells of it.
        version += 1;
        Object.assign(held.injected, { version, data: version });
      }
      if (one.what === 'wait') this.wait(one.seconds);
      if (one.what === 'die') leader = lead();
      if (one.what === 'fail' || one.what === 'lose') trouble = one.what;
      if (one.what === 'pause') paused = !paused;
      if (one.what === 'scale') pods = [...pods.slice(-2), start()];
    },
    unpause: () => {
      paused = false;
    },
    get restarts() {
      return restarts;
    },
    stale: () => pods.filter(({ read }) => NAMES.some((name) => read[name] !== held[name].data)).length,
  };
}

const manager = fc.constantFrom('operator' as const, 'person' as const);
const name = fc.constantFrom(...NAMES);
const wait = fc.record({ what: fc.constant('wait' as const), seconds: fc.integer({ min: 0, max: 90 }) });
const data = fc.record({ what: fc.constant('data' as const), name, manager });
const metadata = fc.record({ what: fc.constant('metadata' as const), name, manager });
const trouble = fc.record({ what: fc.constantFrom('die' as const, 'lose' as const, 'fail' as const) });
const life = fc.record({ what: fc.constantFrom('pause' as const, 'scale' as const) });
const remove = fc.record({ what: fc.constant('remove' as const) });

function play(acts: readonly Act[]) {
  const cluster = createCluster();
  cluster.wait(5);
  for (const act of acts) cluster.play(act);
  cluster.unpause();
  cluster.wait(400);
  return cluster;
}

const RUNS = { seed: 20_261_127, numRuns: 100 } as const;

describe('in any cluster', () => {
  it('no change is missed, and restarts end', () => {
    const acts = fc.array(fc.oneof(wait, data, metadata, trouble, life), { maxLength: 14 });
    fc.assert(
      fc.property(acts, (given) => {
        const cluster = play(given);
        expect(cluster.stale()).toBe(0);
        const { restarts } = cluster;
        cluster.wait(600);
        expect(cluster.restarts).toBe(restarts);
        const reasons = given.filter(({ what }) => ['data', 'die', 'lose'].includes(what)).length;
        expect(restarts).toBeLessThanOrEqual(reasons);
      }),
      RUNS,
    );
  });

  it('the removal of a key is not missed, though managedFields do not tell it', () => {
    const acts = fc.array(fc.oneof(wait, remove, trouble, life), { maxLength: 10 });
    fc.assert(
      fc.property(acts, (given) => {
        const cluster = play(given);
        expect(cluster.stale()).toBe(0);
      }),
      RUNS,
    );
  });

  it('metadata alone restarts nothing, whatever else happens', () => {
    const acts = fc.array(fc.oneof(wait, metadata, life), { maxLength: 14 });
    fc.assert(
      fc.property(acts, (given) => {
        expect(play(given).restarts).toBe(0);
      }),
      RUNS,
    );
  });

  it('metadata that others write restarts nothing, also where leaders die', () => {
    const others = fc.record({
      what: fc.constant('metadata' as const),
      name,
      manager: fc.constant('person' as const),
    });
    const acts = fc.array(fc.oneof(wait, others, trouble, life), { maxLength: 14 });
    fc.assert(
      fc.property(acts, (given) => {
        expect(play(given).restarts).toBe(0);
      }),
      RUNS,
    );
  });
});
