import { describe, expect, it } from 'vitest';
import { BadReview, readRequest } from '../../src/review/request.ts';
import { respond, respondFault } from '../../src/review/response.ts';
import type { Decision } from '../../src/review/decision.ts';
import { cluster, codes, infisicalSecret, mutate, pod, request, secret, validate } from './setup.ts';

const UID = '705ab4f5-6393-11e8-b7cc-42010a800002';

function review(fields: object = {}): object {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: UID, ...fields } };
}

describe('readRequest', () => {
  it('reads what the API server sends', () => {
    const body = review({
      kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      operation: 'UPDATE',
      subResource: 'scale',
      name: 'dbt',
      namespace: 'floe-jobs',
      userInfo: { username: 'ada', groups: ['a', 1, null, 'b'] },
      object: { spec: {} },
      oldObject: { spec: null },
      dryRun: true,
    });
    expect(readRequest('validate', body)).toEqual({
      door: 'validate',
      uid: UID,
      group: 'apps',
      kind: 'Deployment',
      operation: 'UPDATE',
      subResource: 'scale',
      name: 'dbt',
      namespace: 'floe-jobs',
      user: { username: 'ada', groups: ['a', 'b'] },
      object: { spec: {} },
      oldObject: { spec: null },
      dryRun: true,
    });
  });

  it.each([
    undefined,
    null,
    [],
    'AdmissionReview',
    {},
    { ...review(), kind: 'Pod' },
    { ...review(), apiVersion: 'admission.k8s.io/v1beta1' },
    { ...review(), request: undefined },
    { ...review(), request: [] },
    review({ uid: '' }),
    review({ uid: 7 }),
    JSON.parse(
      '{"__proto__":{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"x"}}}',
    ),
  ])('%j is no AdmissionReview', (body) => {
    expect(() => readRequest('mutate', body)).toThrow(BadReview);
  });

  it.each([
    {},
    { object: null, oldObject: null, userInfo: null, kind: null, namespace: null },
    { object: 'x', userInfo: [], kind: 'Pod', dryRun: 'true', name: 1, operation: {} },
  ])('reads %j, whose fields are not what they should be', (fields) => {
    expect(readRequest('mutate', review(fields))).toMatchObject({
      uid: UID,
      object: {},
      dryRun: false,
      namespace: '',
    });
  });
});

describe('respond', () => {
  const world = cluster({ secrets: [secret('db')] });
  const asked = request('mutate', pod({ inject: 'db' }));
  const wire = (decision: Decision, door: 'mutate' | 'validate' = 'mutate') =>
    JSON.parse(JSON.stringify(respond({ ...asked, door }, decision))) as ReturnType<typeof respond>;

  it('is a review of the same version and uid, with a patch in base64', () => {
    const decision = mutate(asked.object, world);
    const { apiVersion, kind, response } = wire(decision);
    expect([apiVersion, kind, response.uid, response.allowed]).toEqual([
      'admission.k8s.io/v1',
      'AdmissionReview',
      UID,
      true,
    ]);
    expect(response.patchType).toBe('JSONPatch');
    expect(JSON.parse(Buffer.from(response.patch ?? '', 'base64').toString())).toEqual(decision.patch);
    expect(response.auditAnnotations).toEqual({ mode: 'strict', plugin: 'infisical,k8s', injected: 'db' });
    expect(response).not.toHaveProperty('status');
    expect(response).not.toHaveProperty('warnings');
  });

  it('has a patch and its type, or neither', () => {
    for (const decision of [mutate(pod(), world), mutate(pod({ inject: 'gone' }), world)]) {
      expect(wire(decision).response).not.toHaveProperty('patch');
      expect(wire(decision).response).not.toHaveProperty('patchType');
    }
    // The API server takes a patch of a validating webhook for a failed call.
    const decision = mutate(asked.object, world);
    expect(decision.patch).not.toEqual([]);
    expect(wire(decision, 'validate').response).not.toHaveProperty('patch');
    expect(wire(decision, 'validate').response).not.toHaveProperty('patchType');
  });

  it('carries the refusal in the status', () => {
    const refused = validate(
      pod({}, { containers: [{ name: 'dbt', envFrom: [{ secretRef: { name: 'gone' } }] }] }),
    );
    expect(wire(refused, 'validate').response).toEqual({
      uid: UID,
      allowed: false,
      auditAnnotations: { mode: 'strict', plugin: 'infisical,k8s', findings: 'FLOE-E801' },
      status: { code: 403, reason: 'Forbidden', message: expect.stringMatching(/^FLOE-E801: /) },
    });
  });

  it('tells a client that tries again when to', () => {
    const young = infisicalSecret('db', undefined, {
      metadata: { creationTimestamp: '2026-11-22T03:59:30Z' },
    });
    const waiting = mutate(asked.object, cluster({ objects: [young] }));
    expect(codes(waiting)).toEqual(['E803']);
    expect(wire(waiting).response.status).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 1 },
    });
  });

  it('gives warnings at /validate alone', () => {
    const warned = validate(pod({ 'no-such-key': 'x' }), world);
    expect(wire(warned, 'validate').response.warnings).toEqual(warned.warnings);
    expect(warned.warnings).toHaveLength(1);
    expect(wire(warned, 'mutate').response).not.toHaveProperty('warnings');
  });

  it('is a refusal where this program itself failed', () => {
    expect(respondFault(asked)).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      response: {
        uid: UID,
        allowed: false,
        status: { code: 403, message: expect.stringMatching(/^FLOE-E820: /) },
      },
    });
  });
});
