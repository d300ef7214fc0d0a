import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import { get, text } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { JOB, NAMESPACE, SERVICE_ACCOUNT, nameOf, namespaceOf } from '../../src/kube/object.ts';
import type { SecretRecord } from '../../src/kube/secret.ts';
import { worldOf } from '../../src/kube/static-world.ts';
import { createTargetIndex } from '../../src/kube/target-index.ts';

const USER = { username: 'jane', groups: [] };
const object = (kind: typeof JOB, name: string, more: JsonObject = {}): KubeObject => ({
  kind,
  raw: { metadata: { name, ...(kind.namespaced ? { namespace: 'jobs' } : {}) }, ...more },
});
const secret = (name: string): SecretRecord => ({
  namespace: 'jobs',
  name,
  uid: '',
  resourceVersion: '',
  ownerReferences: [],
  labels: {},
  annotations: {},
  keys: [],
  keysComplete: true,
  writes: [],
});
const targets = (one: KubeObject) => {
  const name = text(get(one.raw, 'spec'), 'target');
  return name === undefined ? [] : [{ namespace: namespaceOf(one.raw), name }];
};

describe('a static world', () => {
  it('has what it was given, and everything else is absent', () => {
    const world = worldOf({
      objects: [object(NAMESPACE, 'jobs'), object(JOB, 'nightly')],
      secrets: [secret('db')],
    });
    expect(world.namespace('jobs')).toMatchObject({ state: 'present' });
    expect(world.object(JOB, 'jobs', 'nightly')).toMatchObject({ state: 'present' });
    expect(world.secret('jobs', 'db')).toMatchObject({ state: 'present' });
    const others = [
      world.namespace('other'),
      world.object(JOB, 'other', 'nightly'),
      world.object(SERVICE_ACCOUNT, 'jobs', 'nightly'),
      world.secret('jobs', 'other'),
    ];
    for (const read of others) expect(read).toEqual({ state: 'absent' });
  });

  it('answers what users may do from a table, or no', () => {
    expect(worldOf({}).access(USER, 'list', 'secrets', 'jobs')).toEqual({ state: 'present', value: false });
    const world = worldOf({ access: (user, verb) => user.username === 'jane' && verb === 'list' });
    expect(world.access(USER, 'list', 'secrets', 'jobs')).toEqual({ state: 'present', value: true });
    expect(world.access(USER, 'get', 'secrets', 'jobs')).toEqual({ state: 'present', value: false });
  });

  it('serves the kinds that it was given, or all', () => {
    expect(worldOf({}).kind(JOB)).toEqual({ state: 'known' });
    expect(worldOf({ kinds: [NAMESPACE] }).kind(JOB)).toEqual({ state: 'notServed' });
  });

  it('knows who targets a Secret', () => {
    const objects = ['b', 'a'].map((name) => object(JOB, name, { spec: { target: 'db' } }));
    const world = worldOf({ objects, targets });
    expect(world.targeting('jobs', 'db').map(({ raw }) => nameOf(raw))).toEqual(['a', 'b']);
    expect(world.targetsIn('jobs')).toEqual(['db']);
  });
});

describe('the index by target', () => {
  const job = (name: string, target?: string) =>
    object(JOB, name, target === undefined ? {} : { spec: { target } });
  const namesOf = (objects: readonly KubeObject[]) => objects.map(({ raw }) => nameOf(raw));

  it('moves an object with its target and forgets it when it goes', () => {
    const index = createTargetIndex(targets);
    index.put(job('a', 'one'));
    index.put(job('b', 'one'));
    expect(namesOf(index.targeting('jobs', 'one'))).toEqual(['a', 'b']);
    index.put(job('a', 'two'));
    expect(namesOf(index.targeting('jobs', 'one'))).toEqual(['b']);
    expect(index.targetsIn('jobs')).toEqual(['one', 'two']);
    index.put(job('a'));
    index.remove(JOB, 'jobs', 'b');
    index.remove(JOB, 'jobs', 'never');
    expect(index.targetsIn('jobs')).toEqual([]);
    expect(namesOf(index.targeting('jobs', 'one'))).toEqual([]);
    expect(namesOf([...index.all()])).toEqual(['a']);
  });

  it('copes with an object that names one target twice', () => {
    const index = createTargetIndex((one) => [...targets(one), ...targets(one)]);
    index.put(job('a', 'one'));
    expect(namesOf(index.targeting('jobs', 'one'))).toEqual(['a']);
    index.remove(JOB, 'jobs', 'a');
    expect(index.targetsIn('jobs')).toEqual([]);
  });

  it('gives the same list until something changes, without a scan or a sort', () => {
    const index = createTargetIndex(targets);
    for (let number = 0; number < 50; number += 1) index.put(job(`j${number}`, 'one'));
    const first = index.targeting('jobs', 'one');
    expect(index.targeting('jobs', 'one')).toBe(first);
    expect(index.targetsIn('jobs')).toBe(index.targetsIn('jobs'));
    index.put(job('other', 'two'));
    expect(index.targeting('jobs', 'one')).toBe(first);
  });

  it('orders by kind, then namespace, then name', () => {
    const index = createTargetIndex(() => [{ namespace: 'jobs', name: 'one' }]);
    index.put(object(SERVICE_ACCOUNT, 'a'));
    index.put({ kind: JOB, raw: { metadata: { namespace: 'z', name: 'a' } } });
    index.put(object(JOB, 'b'));
    const order = index
      .targeting('jobs', 'one')
      .map((one) => `${one.kind.kind}/${namespaceOf(one.raw)}/${nameOf(one.raw)}`);
    expect(order).toEqual(['Job/jobs/b', 'Job/z/a', 'ServiceAccount/jobs/a']);
  });
});
