import { describe, expect, it } from 'vitest';
import {
  asArray,
  asNumber,
  asObject,
  asString,
  dig,
  flag,
  get,
  isObject,
  text,
} from '../../src/kube/json.ts';
import {
  annotation,
  controllerOf,
  createdAt,
  generationOf,
  groupOf,
  label,
  nameOf,
  ownerReferencesOf,
} from '../../src/kube/object.ts';
import { containersOf, serviceAccountNameOf, volumesOf } from '../../src/kube/pod.ts';

const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length'];

describe('reading hostile JSON', () => {
  it.each(INHERITED)('%s is not found where nobody wrote it', (key) => {
    for (const value of [{}, [], 'text', 1, true, null, undefined]) {
      expect(get(value, key)).toBeUndefined();
      expect(dig(value, key, key)).toBeUndefined();
      expect(text(value, key)).toBeUndefined();
    }
    expect(annotation({ metadata: { annotations: {} } }, key)).toBeUndefined();
    expect(label({ metadata: {} }, key)).toBeUndefined();
  });

  it.each(INHERITED)('%s is data where it was written', (key) => {
    const value: unknown = JSON.parse(`{"metadata":{"annotations":{"${key}":"x"}}}`);
    expect(annotation(value, key)).toBe('x');
  });

  it('does not read what a __proto__ key would lend', () => {
    const value: unknown = JSON.parse(
      '{"__proto__":{"spec":{"containers":[{}]}},"metadata":{"__proto__":{"name":"x"}}}',
    );
    expect(get(value, 'spec')).toBeUndefined();
    expect(nameOf(value)).toBe('');
    expect(containersOf(value)).toEqual([]);
  });

  it('takes every shape for what it is', () => {
    for (const odd of [null, undefined, 0, 'x', true, []]) {
      expect(isObject(odd)).toBe(false);
      expect(Object.keys(asObject(odd))).toEqual([]);
    }
    for (const odd of [null, undefined, 0, 'x', { length: 1, 0: 'x' }]) expect(asArray(odd)).toEqual([]);
    for (const odd of [null, 0, {}, ['x']]) expect(asString(odd)).toBeUndefined();
    for (const odd of [null, '1', {}, [1]]) expect(asNumber(odd)).toBeUndefined();
    expect(flag({ optional: 'true' }, 'optional')).toBe(false);
    expect(flag({ optional: 1 }, 'optional')).toBe(false);
    expect(flag({ optional: true }, 'optional')).toBe(true);
  });

  it.each([undefined, null, 0, 'x', [], {}, { metadata: 'x', spec: [] }, { metadata: [], spec: null }])(
    'finds nothing in %j',
    (odd) => {
      expect(nameOf(odd)).toBe('');
      expect(generationOf(odd)).toBe(0);
      expect(createdAt(odd)).toBeUndefined();
      expect(ownerReferencesOf(odd)).toEqual([]);
      expect(controllerOf(odd)).toBeUndefined();
      expect(containersOf(odd)).toEqual([]);
      expect(volumesOf(odd)).toEqual([]);
      expect(serviceAccountNameOf(odd)).toBe('default');
    },
  );
});

describe('pods and owners', () => {
  it('keeps the index of a container where something before it is none', () => {
    const pod = { spec: { containers: [null, 'x', { name: 'dbt' }], initContainers: [{ name: 'load' }] } };
    expect(containersOf(pod).map(({ type, pointer }) => [type, pointer])).toEqual([
      ['init', '/spec/initContainers/0'],
      ['container', '/spec/containers/2'],
    ]);
  });

  it('reads an empty serviceAccountName as default', () => {
    expect(serviceAccountNameOf({ spec: { serviceAccountName: '' } })).toBe('default');
    expect(serviceAccountNameOf({ spec: { serviceAccountName: 'floe-job-runner' } })).toBe('floe-job-runner');
  });

  it('finds the controller among the owners', () => {
    const ownerReferences = [
      { kind: 'A' },
      null,
      { kind: 'B', controller: 'true' },
      { kind: 'C', controller: true },
    ];
    expect(controllerOf({ metadata: { ownerReferences } })?.kind).toBe('C');
  });

  it('tells the group of an apiVersion', () => {
    expect(['batch/v1', 'v1', '', 'a/b/c'].map(groupOf)).toEqual(['batch', '', '', 'a']);
  });
});
