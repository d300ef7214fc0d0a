// Pods that ask for the same share a decision, which is the one that each of them would get alone.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEYS } from '../../src/contract/keys.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { World } from '../../src/kube/world.ts';
import type { Decision } from '../../src/review/decision.ts';
import type { Door, Request } from '../../src/review/request.ts';
import { answerTo, respond } from '../../src/review/response.ts';
import { LITERAL, PRESENT, asOnTheWire, pods } from './any-pod.ts';
import {
  NOW,
  ago,
  cluster,
  infisicalSecret,
  namespace,
  patched,
  pod,
  request,
  reviewer,
  secret,
  syncResource,
} from './setup.ts';

const OK = [{ type: 'secrets.infisical.com/ReadyToSyncSecrets', status: 'True', message: 'yes' }];
const FAILING = [{ type: 'secrets.infisical.com/ReadyToSyncSecrets', status: 'False', message: 'no' }];

/** The cluster when the Secrets have this version: the Namespace stays the same object, as it does for a watch. */
function worldAt(
  version: string,
  here: KubeObject,
  conditions = OK,
  more: readonly KubeObject[] = [],
): World {
  const known = [...PRESENT, 'synced', 'failing'].map((name) =>
    secret(name, { keys: ['PASSWORD', 'USER', 'value'], resourceVersion: version }),
  );
  return cluster({
    namespace: here,
    secrets: known,
    objects: [infisicalSecret('synced', conditions), ...more],
  });
}

/** An ExternalSecret that has written `db` so many seconds ago. */
function externalSecret(seconds: number): KubeObject {
  const metadata = { name: 'db', namespace: 'floe-jobs', creationTimestamp: ago(7200) };
  const conditions = [{ type: 'Ready', status: 'True', reason: 'SecretSynced', message: 'secret synced' }];
  const status = { conditions, refreshTime: ago(seconds), syncedResourceVersion: '1-ab12' };
  return syncResource('ExternalSecret', { metadata, spec: { target: { name: 'db' } }, status });
}

const HERE = namespace();
const WARNING = namespace({}, { 'secrets.floe.dev/enforcement': 'warn' });
const WORLDS = [
  worldAt('1', HERE),
  worldAt('2', HERE),
  worldAt('2', HERE, FAILING),
  worldAt('1', HERE, OK, [infisicalSecret('db', OK)]),
  worldAt('1', HERE, OK, [externalSecret(60)]),
  worldAt('1', HERE, OK, [externalSecret(30)]),
  cluster({ namespace: HERE }),
  worldAt('1', WARNING),
];

/** What becomes of a pod on its way: as it came, injected, with forged marks, without its lists, with a claim on a gate. */
const CHANGES: readonly ((given: JsonObject, decision: () => Decision) => JsonObject)[] = [
  (given) => given,
  (given, decision) => patched(given, decision()),
  (given) => marked(given, { [KEYS.injected]: 'forged', [KEYS.versions]: 'db=1' }),
  (given) => ({ ...given, spec: { containers: [{ name: 'dbt', env: [] }] } }),
  (given) => ({ ...given, ...pod({ inject: 'db' }, given['spec'] as JsonObject) }),
];

function marked(given: JsonObject, marks: Readonly<Record<string, string>>): JsonObject {
  const metadata = given['metadata'] as { readonly annotations?: JsonObject } | undefined;
  return { ...given, metadata: { ...metadata, annotations: { ...metadata?.annotations, ...marks } } };
}

const steps = fc.record({
  /** Which of the two pods. */
  which: fc.nat({ max: 1 }),
  change: fc.nat({ max: CHANGES.length - 1 }),
  world: fc.constantFrom(...WORLDS),
  door: fc.constantFrom<Door>('mutate', 'validate'),
  more: fc.constantFrom<Partial<Request>>({}, {}, { dryRun: true }, { uid: 'ü"\\', name: '' }),
});

it('any pod gets the decision and the answer that a reviewer without memory gives', () => {
  const simple = fc.constantFrom(
    pod({ inject: 'db' }),
    pod({ env: 'db, synced' }),
    pod({ files: 'db' }),
    pod(),
  );
  const any = fc.oneof(pods, simple);
  let shared = 0;
  fc.assert(
    fc.property(fc.tuple(any, any), fc.array(steps, { minLength: 4, maxLength: 12 }), (both, sequence) => {
      const warm = reviewer();
      for (const { which, change, world, door, more } of sequence) {
        const first = (): Decision => reviewer()(request('mutate', both[which]!), world, NOW);
        const given = asOnTheWire(CHANGES[change]!(both[which]!, first));
        const asked = request(door, given, more);
        const [decision, alone] = [warm(asked, world, NOW), reviewer()(asked, world, NOW)];
        expect(decision).toEqual(alone);
        expect(answerTo(asked, decision)).toBe(JSON.stringify(respond(asked, alone)));
        if (decision.shared === true) shared += 1;
      }
    }),
    { seed: 20_261_127, numRuns: 300 },
  );
  expect(shared).toBeGreaterThan(100);
});

describe('pods of one workload', () => {
  const world = worldAt('1', HERE);

  it('get one object, whatever else they have', () => {
    const review = reviewer();
    const asking = (more: JsonObject): Decision => {
      const given = pod({ inject: 'db' }, { containers: [{ name: 'dbt', ...more }] });
      return review(request('mutate', given), world, NOW);
    };
    const [first, second] = [asking({ image: LITERAL }), asking({ env: [{ name: 'A', value: LITERAL }] })];
    expect(first).toBe(second);
    expect(first.patch).toHaveLength(3);
    expect(JSON.stringify(first)).not.toContain(LITERAL);
  });

  it('get another where the patch, the Secret or the door differs', () => {
    const review = reviewer();
    const given = pod({ inject: 'db' });
    const carrying = pod({ inject: 'db' }, { containers: [{ name: 'dbt', envFrom: [] }] });
    const first = review(request('mutate', given), world, NOW);
    const others = [
      review(request('mutate', carrying), world, NOW),
      review(request('mutate', given), worldAt('2', HERE), NOW),
      review(request('mutate', given), worldAt('1', HERE, OK, [externalSecret(60)]), NOW),
      review(request('mutate', given), worldAt('1', HERE, OK, [externalSecret(30)]), NOW),
      review(request('mutate', marked(given, { [KEYS.injected]: 'db' })), world, NOW),
      review(request('validate', patched(given, first)), world, NOW),
    ];
    expect(new Set([first, ...others]).size).toBe(7);
    expect(others.every(({ shared }) => shared)).toBe(true);
  });

  it('share none where something is to be said or read', () => {
    const review = reviewer();
    const absent = review(request('mutate', pod({ inject: 'gone' })), world, NOW);
    expect(absent.allowed).toBe(false);
    const warned = review(request('validate', pod({ 'unheard-of': 'x' })), world, NOW);
    expect(warned.findings).toHaveLength(1);
    expect([absent.shared, warned.shared]).toEqual([undefined, undefined]);
  });
});
