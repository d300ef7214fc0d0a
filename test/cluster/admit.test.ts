import { describe, expect, it } from 'vitest';
import type { Review } from '../../src/cluster/admit.ts';
import { createAdmission } from '../../src/cluster/admit.ts';
import type { Answer } from '../../src/cluster/answers.ts';
import { failedAnswer, keyOfWant } from '../../src/cluster/answers.ts';
import type { Lookup } from '../../src/cluster/lookup.ts';
import { createMemory } from '../../src/cluster/memory.ts';
import { reduceObject, reduceSecret } from '../../src/cluster/reduce.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { NAMESPACE, SERVICE_ACCOUNT } from '../../src/kube/object.ts';
import type { SecretRecord } from '../../src/kube/secret.ts';
import { worldOf } from '../../src/kube/static-world.ts';
import type { Want, World } from '../../src/kube/world.ts';
import { ABSENT, UNREAD, present } from '../../src/kube/world.ts';
import type { Decision } from '../../src/review/decision.ts';
import { WIDGET, fakeReview, requestFor, widgetTargets } from './fake-review.ts';

const PATIENCE = 10_000;

const namespace = (mode = 'strict') =>
  reduceObject(NAMESPACE, { metadata: { name: 'floe-jobs', labels: { mode } } });
const account = reduceObject(SERVICE_ACCOUNT, { metadata: { namespace: 'floe-jobs', name: 'default' } });
const secret = (name: string, keys: readonly string[] = [], full = true): SecretRecord => {
  const metadata = {
    namespace: 'floe-jobs',
    name,
    managedFields: [{ fieldsV1: { 'f:data': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) } }],
  };
  const data = Object.fromEntries(keys.map((key) => [key, 'dg==']));
  return reduceSecret(
    full ? { kind: 'Secret', metadata, data } : { kind: 'PartialObjectMetadata', metadata },
  );
};
const widget = (target: string, say = ''): KubeObject =>
  reduceObject(WIDGET, {
    metadata: { namespace: 'floe-jobs', name: 'w', annotations: { say } },
    spec: { target },
  });

/** What the watches know: Namespaces, ServiceAccounts and sync resources; Secrets are unread. */
const watched = (...objects: KubeObject[]): World => ({
  ...worldOf({ objects: [namespace(), account, ...objects], targets: widgetTargets }),
  secret: () => UNREAD,
});

type Live = Readonly<Record<string, KubeObject | SecretRecord | 'failed' | 'hangs' | undefined>>;

/** Live reads of a literal: what is not in it is absent. */
function lookupOf(live: () => Live, memory = createMemory({ max: 10, ttl: 60_000 })) {
  const reads: string[] = [];
  const lookup: Lookup = {
    memory,
    async read(want, fresh = false) {
      const full = want.what === 'secret' && want.full ? ' full' : '';
      reads.push(`${nameOfWant(want)}${full}${fresh ? ' fresh' : ''}`);
      const found = live()[nameOfWant(want)];
      if (found === 'hangs') return new Promise<never>(() => undefined);
      const answer = answerOf(want, found);
      memory.remember(keyOfWant(want), answer);
      return answer;
    },
  };
  return { lookup, reads };
}

function answerOf(want: Want, found: KubeObject | SecretRecord | 'failed' | undefined): Answer {
  if (found === 'failed') return failedAnswer(want, { reason: 'unavailable', message: 'broken' });
  if (want.what === 'secret') {
    return { what: 'secret', read: found === undefined ? ABSENT : present(found as SecretRecord) };
  }
  return { what: 'object', read: found === undefined ? ABSENT : present(found as KubeObject) };
}

function nameOfWant(want: Want): string {
  if (want.what === 'access') return 'access';
  return want.what === 'object' ? `${want.kind.kind}/${want.name}` : `${want.what}/${want.name}`;
}

const REST: Live = { 'namespace/floe-jobs': namespace(), 'ServiceAccount/default': account };

function admission(world: World, live: Live | (() => Live), review: Review = fakeReview) {
  const { lookup, reads } = lookupOf(typeof live === 'function' ? live : () => live);
  const counts: string[] = [];
  const admit = createAdmission({
    review,
    world,
    lookup,
    targets: widgetTargets,
    now: () => 0,
    count: (result) => counts.push(result),
  });
  return { admit, reads, counts, lookup };
}

const statesOf = (decision: Decision) => decision.verdicts.map(({ state }) => state);

describe('what is known', () => {
  it('is decided at once, without any read or promise, and counted', () => {
    const { admit, reads, counts, lookup } = admission(watched(), {});
    lookup.memory.remember('secret:floe-jobs/db', { what: 'secret', read: present(secret('db', ['a'])) });
    expect(admit(requestFor([{ secret: 'db', key: 'a' }]), PATIENCE)).toMatchObject({ allowed: true });
    expect(reads).toEqual([]);
    expect(counts).toEqual(['hit']);
  });

  it('is read where it is not: in parallel, each once', async () => {
    const live = { ...REST, 'secret/a': secret('a'), 'secret/b': secret('b') };
    const { admit, reads, counts } = admission(watched(), live);
    const needs = [{ secret: 'a' }, { secret: 'b' }, { secret: 'a' }];
    expect((await admit(requestFor(needs), PATIENCE)).allowed).toBe(true);
    expect(reads).toEqual(['secret/a', 'secret/b']);
    expect(counts).toEqual(['miss', 'miss']);
  });

  it('includes a Namespace that the watch has not seen yet', async () => {
    const live = { ...REST, 'secret/a': secret('a') };
    const world: World = { ...watched(), namespace: () => UNREAD, object: () => UNREAD };
    const { admit, reads } = admission(world, live);
    expect((await admit(requestFor([{ secret: 'a' }]), PATIENCE)).allowed).toBe(true);
    expect(reads.toSorted()).toEqual(['ServiceAccount/default', 'namespace/floe-jobs', 'secret/a']);
  });

  it('may come in rounds: keys are read whole only where metadata does not show them', async () => {
    let whole = false;
    const live = () => ({ ...REST, 'secret/a': secret('a', whole ? ['k'] : [], whole) });
    const { admit, reads } = admission(watched(), () => {
      const answer = live();
      whole = true;
      return answer;
    });
    expect((await admit(requestFor([{ secret: 'a', key: 'k' }]), PATIENCE)).allowed).toBe(true);
    expect(reads).toEqual(['secret/a', 'secret/a full']);
  });
});

describe('before a no', () => {
  it('everything that it rests on is read live, past the memory', async () => {
    const { admit, reads } = admission(watched(widget('db')), { ...REST, 'Widget/w': widget('db') });
    const decision = await admit(requestFor([{ secret: 'db' }, { secret: 'fine' }]), PATIENCE);
    expect(decision.allowed).toBe(false);
    expect(reads.filter((read) => read.endsWith('fresh')).toSorted()).toEqual([
      'ServiceAccount/default fresh',
      'Widget/w fresh',
      'namespace/floe-jobs fresh',
      'secret/db fresh',
      'secret/fine fresh',
    ]);
  });

  it('a Secret that has come in the meantime turns it', async () => {
    let there = false;
    const { admit } = admission(watched(), () => {
      const live = { ...REST, ...(there ? { 'secret/db': secret('db') } : {}) };
      there = true;
      return live;
    });
    expect((await admit(requestFor([{ secret: 'db' }]), PATIENCE)).allowed).toBe(true);
  });

  it('a remembered Secret without the key is read whole', async () => {
    const { admit, reads, lookup } = admission(watched(), { ...REST, 'secret/db': secret('db', ['k']) });
    lookup.memory.remember('secret:floe-jobs/db', { what: 'secret', read: present(secret('db', [])) });
    expect((await admit(requestFor([{ secret: 'db', key: 'k' }]), PATIENCE)).allowed).toBe(true);
    expect(reads).toContain('secret/db full fresh');
  });

  it('a Namespace that no longer asks for it turns it', async () => {
    const { admit } = admission(watched(), { ...REST, 'namespace/floe-jobs': namespace('audit') });
    expect((await admit(requestFor([{ secret: 'db' }]), PATIENCE)).allowed).toBe(true);
  });

  it.each([
    ['has recovered', widget('db')],
    ['has turned to another Secret', widget('other', 'refuse')],
    ['is gone', undefined],
  ])('a claimant that %s turns it', async (_, live) => {
    const known = { ...REST, 'secret/db': secret('db'), 'Widget/w': live };
    const { admit } = admission(watched(widget('db', 'refuse')), known);
    expect((await admit(requestFor([{ secret: 'db' }]), PATIENCE)).allowed).toBe(true);
  });

  it('a claimant that says the same does not', async () => {
    const known = { ...REST, 'secret/db': secret('db'), 'Widget/w': widget('db', 'refuse') };
    const { admit } = admission(watched(widget('db', 'refuse')), known);
    expect(statesOf(await admit(requestFor([{ secret: 'db' }]), PATIENCE))).toEqual(['Stale']);
  });

  it('a claimant that cannot be read is no ground; its kind counts as not readable', async () => {
    const known = { ...REST, 'secret/judged': secret('judged'), 'Widget/w': 'failed' } as const;
    const { admit } = admission(watched(widget('judged', 'refuse')), known);
    expect(statesOf(await admit(requestFor([{ secret: 'judged' }]), PATIENCE))).toEqual(['Unknown']);
  });

  it('an absent Secret stays absent although its claimant cannot be read', async () => {
    const { admit } = admission(watched(widget('db')), { ...REST, 'Widget/w': 'failed' });
    const decision = await admit(requestFor([{ secret: 'db' }]), PATIENCE);
    expect(decision.verdicts).toMatchObject([{ state: 'Missing', claimants: ['Widget/floe-jobs/w'] }]);
  });

  it('of a thousand claimants the first are read', async () => {
    const widgets = Array.from({ length: 1000 }, (_, index) =>
      reduceObject(WIDGET, {
        metadata: { namespace: 'floe-jobs', name: `w${index}`, annotations: { say: 'refuse' } },
        spec: { target: 'db' },
      }),
    );
    const { admit, reads } = admission(watched(...widgets), { ...REST, 'secret/db': secret('db') });
    await admit(requestFor([{ secret: 'db' }]), PATIENCE);
    expect(reads.filter((read) => read.startsWith('Widget/'))).toHaveLength(200);
  });

  it('no Secret is read that the judgement refused unseen', async () => {
    const unseen: Review = (request, world) => {
      world.namespace(request.namespace);
      const { verdicts, ...rest } = fakeReview(request, worldOf({}), 0);
      return { ...rest, wanted: [], verdicts: verdicts.map((one) => ({ ...one, codes: ['FLOE-E810'] })) };
    };
    const { admit, reads } = admission(watched(), REST, unseen);
    expect((await admit(requestFor([{ secret: 'db' }]), PATIENCE)).allowed).toBe(false);
    expect(reads).toEqual(['namespace/floe-jobs fresh']);
  });
});

describe('the deadline', () => {
  it('makes what is unanswered Unknown', async () => {
    const { admit } = admission(watched(), {
      ...REST,
      'secret/db': 'hangs',
      'secret/there': secret('there'),
    });
    const decision = await admit(requestFor([{ secret: 'db' }, { secret: 'there' }]), 600);
    expect(statesOf(decision)).toEqual(['Unknown', 'Synced']);
    expect(decision.allowed).toBe(false);
  });

  it('holds however many reads hang', async () => {
    const needs = Array.from({ length: 100 }, (_, index) => ({ secret: `s${index}` }));
    const live = Object.fromEntries(needs.map(({ secret: name }) => [`secret/${name}`, 'hangs' as const]));
    const { admit, reads } = admission(watched(), { ...REST, ...live });
    const decision = await admit(requestFor(needs), 600);
    expect(new Set(statesOf(decision))).toEqual(new Set(['Unknown']));
    // Only the first lot was sent; those after it would not have been answered in time.
    expect(reads).toHaveLength(16);
  });

  it('leaves a live answer of a moment ago, and the watch’s word on the Namespace', async () => {
    let asked = 0;
    const { admit } = admission(watched(), () => {
      asked += 1;
      return asked === 1
        ? REST
        : { 'secret/db': 'hangs', 'namespace/floe-jobs': 'hangs', 'ServiceAccount/default': 'hangs' };
    });
    expect(statesOf(await admit(requestFor([{ secret: 'db' }]), 600))).toEqual(['Missing']);
  });

  it('makes a remembered Secret that cannot be confirmed Unknown', async () => {
    const { admit, lookup } = admission(watched(), { ...REST, 'secret/db': 'hangs' });
    lookup.memory.remember('secret:floe-jobs/db', { what: 'secret', read: present(secret('db', [])) });
    expect(statesOf(await admit(requestFor([{ secret: 'db', key: 'k' }]), 600))).toEqual(['Unknown']);
  });
});

describe('a fault of this program', () => {
  it('is thrown: a judgement that throws', () => {
    const { admit } = admission(watched(), REST, () => {
      throw new Error('bug');
    });
    expect(() => admit(requestFor([]), PATIENCE)).toThrow('bug');
  });

  it('is a rejection: a judgement that is never content', async () => {
    const greedy: Review = (request, world, now) => ({
      ...fakeReview(request, world, now),
      wanted: [{ what: 'secret', namespace: 'floe-jobs', name: 'db', full: false }],
    });
    const { admit, reads } = admission(watched(), REST, greedy);
    await expect(async () => admit(requestFor([]), PATIENCE)).rejects.toThrow('secret:floe-jobs/db');
    expect(reads.length).toBeLessThan(20);
  });
});
