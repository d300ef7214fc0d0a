import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject, ResourceKind } from '../../src/kube/object.ts';
import { asArray, asString, text } from '../../src/kube/json.ts';
import { createTargetIndex } from '../../src/kube/target-index.ts';
import type { TargetIndex } from '../../src/kube/target-index.ts';

const kind = (name: string, version = 'v1'): ResourceKind => ({
  group: 'example.com',
  version,
  kind: name,
  plural: `${name.toLowerCase()}s`,
  namespaced: true,
});
const A = kind('A');
const B = kind('B');

/** An object that targets Secrets 'namespace/name'. */
function object(of: ResourceKind, name: string, targets: readonly string[], namespace = 'here'): KubeObject {
  return { kind: of, raw: { metadata: { name, namespace }, targets } };
}

function index(): TargetIndex {
  return createTargetIndex(({ raw }) =>
    asArray(raw['targets']).map((target) => {
      const [namespace = '', name = ''] = (asString(target) ?? '').split('/');
      return { namespace, name };
    }),
  );
}

const named = (objects: readonly KubeObject[]): readonly string[] =>
  objects.map(({ kind: { kind: name }, raw }) => `${name} ${text(raw['metadata'], 'name') ?? ''}`);

describe('a target index', () => {
  it('finds objects by what they target, in a stable order', () => {
    const found = index();
    found.put(object(B, 'b', ['here/x']));
    found.put(object(A, 'z', ['here/x', 'there/x']));
    found.put(object(A, 'a', ['here/x', 'here/y']));
    expect(named(found.targeting('here', 'x'))).toEqual(['A a', 'A z', 'B b']);
    expect(named(found.targeting('there', 'x'))).toEqual(['A z']);
    expect(found.targeting('here', 'nothing')).toEqual([]);
    expect(found.targetsIn('here')).toEqual(['x', 'y']);
    expect(found.targetsIn('nowhere')).toEqual([]);
  });

  it('puts the newer object in the place of the older', () => {
    const found = index();
    found.put(object(A, 'a', ['here/x', 'here/y']));
    found.put(object(kind('A', 'v2'), 'a', ['here/y', 'here/z']));
    expect(found.targetsIn('here')).toEqual(['y', 'z']);
    expect(found.targeting('here', 'y')).toHaveLength(1);
    found.remove(A, 'here', 'a');
    expect(found.targetsIn('here')).toEqual([]);
    expect([...found.all()]).toEqual([]);
  });

  it('takes a target that is named twice, and names that are no keys', () => {
    const found = index();
    found.put(object(A, 'a', ['here/x', 'here/x', '__proto__/constructor']));
    expect(found.targeting('here', 'x')).toHaveLength(1);
    expect(found.targeting('__proto__', 'constructor')).toHaveLength(1);
    expect(found.targeting('constructor', 'x')).toEqual([]);
    found.remove(A, 'here', 'a');
    expect(found.targeting('here', 'x')).toEqual([]);
    found.remove(A, 'here', 'a');
  });

  it('says after any history what a scan would say', () => {
    const target = fc
      .tuple(fc.constantFrom('here', 'there'), fc.constantFrom('x', 'y', 'z'))
      .map((parts) => parts.join('/'));
    const step = fc.record({
      of: fc.constantFrom(A, B),
      name: fc.constantFrom('a', 'b', 'c'),
      targets: fc.option(fc.array(target, { maxLength: 3 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const found = index();
        const scanned = new Map<string, KubeObject>();
        for (const { of, name, targets } of steps) {
          const one = object(of, name, targets ?? []);
          if (targets === null) found.remove(of, 'here', name);
          else found.put(one);
          if (targets === null) scanned.delete(`${of.kind} ${name}`);
          else scanned.set(`${of.kind} ${name}`, one);
        }
        for (const namespace of ['here', 'there']) {
          const names = ['x', 'y', 'z'].filter((name) => found.targeting(namespace, name).length > 0);
          expect(found.targetsIn(namespace)).toEqual(names);
          for (const name of ['x', 'y', 'z']) {
            const all = [...scanned].filter(([, { raw }]) =>
              asArray(raw['targets']).includes(`${namespace}/${name}`),
            );
            expect(named(found.targeting(namespace, name))).toEqual(all.map(([title]) => title).toSorted());
          }
        }
        expect([...found.all()]).toHaveLength(scanned.size);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
