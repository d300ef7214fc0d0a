import { describe, expect, it } from 'vitest';
import type { Scene } from '../../src/cluster/hand-over-sight.ts';
import { differenceOf, tracesLeft, tracesOn } from '../../src/cluster/hand-over-sight.ts';
import type { JsonObject } from '../../src/kube/json.ts';

const VAULT = { apiVersion: 'secrets.hashicorp.com/v1beta1', kind: 'VaultStaticSecret' };
const ESO = { apiVersion: 'external-secrets.io/v1', kind: 'ExternalSecret' };

describe('what an operator has left on a Secret', () => {
  const labels = {
    'app.kubernetes.io/name': 'vault-secrets-operator',
    'app.kubernetes.io/component': 'secret-sync',
    'secrets.hashicorp.com/vso-ownerRefUID': '1-2-3',
    team: 'data',
  };

  it('is its labels, by paths of a JSON Patch', () => {
    expect(tracesOn(VAULT, { metadata: { labels } })).toEqual([
      '/metadata/labels/app.kubernetes.io~1name',
      '/metadata/labels/app.kubernetes.io~1component',
      '/metadata/labels/secrets.hashicorp.com~1vso-ownerRefUID',
    ]);
  });

  it('is not a label that anybody uses, with another value', () => {
    const own = { 'app.kubernetes.io/name': 'db', 'app.kubernetes.io/managed-by': 'Helm' };
    expect(tracesOn(VAULT, { metadata: { labels: own } })).toEqual([]);
  });

  it('is a key of its own whatever it says', () => {
    const annotations = { 'reconcile.external-secrets.io/data-hash': 'x', note: 'y' };
    expect(tracesOn(ESO, { metadata: { annotations } })).toEqual([
      '/metadata/annotations/reconcile.external-secrets.io~1data-hash',
    ]);
  });
});

describe('what goes before the new resource is settled', () => {
  const NOTHING: Scene = {
    record: undefined,
    secret: undefined,
    trial: undefined,
    from: undefined,
    to: undefined,
    rehearsal: undefined,
    leftover: undefined,
  };
  const MARK = { 'secrets.infisical.com/version': 'x' };
  const from = { apiVersion: 'secrets.infisical.com/v1alpha1', kind: 'InfisicalSecret' };
  const plan = { namespace: 'shop', secret: 'db', from, to: VAULT, record: 'kept' } as const;
  const labels = { 'secrets.hashicorp.com/vso-ownerRefUID': '1-2-3' };
  const owned = (kind: string): JsonObject => ({
    metadata: { labels, annotations: MARK, ownerReferences: [{ kind, name: 'db', uid: '1-2-3' }] },
  });
  const [OLD, OWN] = [
    '/metadata/annotations/secrets.infisical.com~1version',
    '/metadata/labels/secrets.hashicorp.com~1vso-ownerRefUID',
  ];

  it.each<[string, Partial<Scene>, readonly string[]]>([
    ['nothing while the old resource is there', { secret: owned('VaultStaticSecret'), from, to: VAULT }, []],
    ['what the old one has left', { secret: owned('VaultStaticSecret'), to: VAULT }, [OLD]],
    ['what keeps the new one away', { secret: owned('Job'), to: VAULT }, [OLD, OWN]],
    ['nothing of the new one before it is there', { secret: owned('Job') }, [OLD]],
  ])('is %s', (_name, scene, paths) => {
    expect(tracesLeft(plan, { ...NOTHING, ...scene })).toEqual(paths);
  });

  it('is nothing of one that takes a Secret whatever it carries', () => {
    const back = { ...plan, from: VAULT, to: from };
    expect(tracesLeft(back, { ...NOTHING, secret: owned('Job'), to: from })).toEqual([OWN]);
  });
});

describe('two Secrets', () => {
  const secret = { type: 'Opaque', data: { A: 'MQ==', B: 'Mg==' } };

  it('are equal by their data and their type, which is Opaque where it is not said', () => {
    const equal = { missing: [], extra: [], changed: [] };
    expect(differenceOf(secret, { data: { B: 'Mg==', A: 'MQ==' } })).toEqual(equal);
    expect(differenceOf(secret, { type: 'kubernetes.io/tls', data: secret.data })).toEqual({
      ...equal,
      type: 'kubernetes.io/tls',
    });
  });

  it('differ by names of keys', () => {
    expect(differenceOf(secret, { data: { A: 'Mg==', C: '' } })).toEqual({
      missing: ['B'],
      extra: ['C'],
      changed: ['A'],
    });
  });
});
