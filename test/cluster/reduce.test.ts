import { describe, expect, it } from 'vitest';
import { reduceObject, reduceSecret } from '../../src/cluster/reduce.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { JOB, NAMESPACE, SERVICE_ACCOUNT } from '../../src/kube/object.ts';

const VALUE = 'aHVudGVyMg==';

const metadata = {
  namespace: 'floe-jobs',
  name: 'db',
  uid: 'u-1',
  resourceVersion: '42',
  creationTimestamp: '2026-01-01T00:00:00Z',
  labels: { team: 'data', __proto__: 'x' },
  annotations: {
    'secrets.infisical.com/version': '7',
    'secrets.floe.dev/allowed-products': 'a,b',
    'kubectl.kubernetes.io/last-applied-configuration': `{"data":{"password":"${VALUE}"}}`,
    'example.com/backup': VALUE,
  },
  ownerReferences: [{ apiVersion: 'g/v1', kind: 'K', name: 'n', uid: 'u', controller: true }],
  managedFields: [
    {
      manager: 'operator',
      operation: 'Update',
      time: '2026-01-02T00:00:00Z',
      fieldsV1: { 'f:data': { '.': {}, 'f:password': {}, 'f:user': {} } },
    },
    { manager: 'kubectl', time: '2026-01-03T00:00:00Z', fieldsV1: { 'f:metadata': {} } },
    { manager: 'timeless', fieldsV1: { 'f:stringData': { 'f:url': {} } } },
  ],
};
const whole: JsonObject = {
  kind: 'Secret',
  type: 'Opaque',
  metadata,
  data: { user: VALUE, password: VALUE },
};
const partial: JsonObject = { kind: 'PartialObjectMetadata', metadata };

describe('a Secret', () => {
  it('keeps names, times, owners, labels and the operators’ annotations, and no value', () => {
    const record = reduceSecret(whole);
    expect(record).toEqual({
      namespace: 'floe-jobs',
      name: 'db',
      uid: 'u-1',
      resourceVersion: '42',
      createdAt: Date.UTC(2026, 0, 1),
      ownerReferences: [{ apiVersion: 'g/v1', kind: 'K', name: 'n', uid: 'u', controller: true }],
      labels: { team: 'data' },
      annotations: { 'secrets.infisical.com/version': '7', 'secrets.floe.dev/allowed-products': 'a,b' },
      type: 'Opaque',
      keys: ['password', 'user'],
      keysComplete: true,
      writes: [
        { manager: 'operator', time: Date.UTC(2026, 0, 2), data: true },
        { manager: 'kubectl', time: Date.UTC(2026, 0, 3), data: false },
      ],
    });
    expect(JSON.stringify(record)).not.toContain(VALUE);
  });

  it('read as metadata has the keys that its writers own, as a hint', () => {
    expect(reduceSecret(partial)).toMatchObject({ keys: ['password', 'url', 'user'], keysComplete: false });
    expect(reduceSecret(partial)).not.toHaveProperty('type');
  });

  it('of a list, where items have no kind, is known by its type', () => {
    const { kind: _kind, ...item } = whole;
    expect(reduceSecret(item).keysComplete).toBe(true);
    expect(reduceSecret({ type: 'Opaque', metadata }).keys).toEqual([]);
    expect(reduceSecret({ metadata }).keysComplete).toBe(false);
  });

  it('of a manifest counts stringData', () => {
    const manifest = { kind: 'Secret', metadata: {}, data: { a: VALUE }, stringData: { b: 'hunter2' } };
    expect(reduceSecret(manifest)).toMatchObject({ keys: ['a', 'b'], keysComplete: true });
  });

  it.each([
    { metadata: 'nonsense' },
    {
      metadata: {
        managedFields: [null, 1, { fieldsV1: [] }],
        labels: 3,
        annotations: [],
        ownerReferences: {},
      },
    },
    { data: [1, 2], metadata: { creationTimestamp: 'yesterday' } },
    JSON.parse('{"__proto__":{"data":{"x":"y"}},"metadata":{"labels":{"__proto__":"p"}}}') as JsonObject,
  ])('that is nonsense is reduced all the same', (raw) => {
    expect(reduceSecret(raw)).toMatchObject({ name: '', keys: [] });
  });
});

describe('another object', () => {
  const fields = [
    { manager: 'a', time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:spec': {} } },
    { manager: 'b', time: '2026-01-05T00:00:00Z', fieldsV1: { 'f:spec': {} } },
    { manager: 'c', time: '2026-01-09T00:00:00Z', subresource: 'status', fieldsV1: { 'f:spec': {} } },
    { manager: 'd', time: '2026-01-09T00:00:00Z', fieldsV1: { 'f:metadata': {} } },
  ];
  const raw: JsonObject = {
    apiVersion: 'batch/v1',
    metadata: { ...metadata, managedFields: fields },
    spec: { unknown: [1, { deep: true }] },
  };

  it('loses managedFields and last-applied, and nothing else', () => {
    const { raw: kept } = reduceObject(JOB, raw);
    const { managedFields: _fields, ...rest } = metadata;
    const { 'kubectl.kubernetes.io/last-applied-configuration': _applied, ...annotations } = rest.annotations;
    expect(kept).toEqual({ ...raw, metadata: { ...rest, annotations } });
  });

  it('keeps when its spec was last written, whoever wrote the status since', () => {
    expect(reduceObject(JOB, raw).specWrittenAt).toBe(Date.UTC(2026, 0, 5));
    expect(reduceObject(JOB, { metadata: {} })).not.toHaveProperty('specWrittenAt');
  });

  it('that is a Namespace keeps its metadata, a ServiceAccount the names of its pull secrets too', () => {
    const account = {
      ...raw,
      secrets: [{ name: 'x' }],
      imagePullSecrets: [{ name: 'registry', more: 1 }, 'odd'],
    };
    expect(Object.keys(reduceObject(NAMESPACE, raw).raw)).toEqual(['metadata']);
    expect(reduceObject(SERVICE_ACCOUNT, account).raw).toEqual({
      metadata: expect.objectContaining({ name: 'db' }) as unknown,
      imagePullSecrets: [{ name: 'registry' }, { name: '' }],
    });
  });
});
