// Statuses as the operators of SOPS and of sealed-secrets write them.
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import { sealedSecret, sops, sopsSecret } from '../../src/plugins/sops.ts';
import { HERE, secret } from '../review/setup.ts';
import { objectOf } from './objects.ts';
import { ALONE } from './view.ts';

const CIPHERTEXT = 'ENC[AES256_GCM,data:8Xj2,iv:p0,tag:aa,type:str]';

function templates(...names: readonly string[]): JsonObject {
  return { secretTemplates: names.map((name) => ({ name, data: {} })) };
}

function sopsHealth(status?: JsonObject, spec: JsonObject = templates(CIPHERTEXT)) {
  return sopsSecret.health(objectOf(sopsSecret, { spec, ...(status && { status }) }), ALONE);
}

describe('a SopsSecret', () => {
  it('targets what it names in clear, and is opaque where a name is encrypted', () => {
    const clear = objectOf(sopsSecret, { spec: templates('db', 'cache') });
    expect(sopsSecret.targets(clear)).toEqual([
      { namespace: HERE, name: 'db' },
      { namespace: HERE, name: 'cache' },
    ]);
    expect(sopsSecret.isOpaque?.(clear)).toBe(false);
    const mixed = objectOf(sopsSecret, { spec: templates('db', CIPHERTEXT) });
    expect(sopsSecret.targets(mixed)).toEqual([{ namespace: HERE, name: 'db' }]);
    expect(sopsSecret.isOpaque?.(mixed)).toBe(true);
  });

  it.each([
    ['Healthy', 'ok', true],
    ['Decryption error', 'failing', false],
    ['Child secret is not owned by controller error', 'failing', false],
    ['Child secret update error', 'failing', false],
    ['New child secret creation error', 'failing', false],
    ['Setting controller ownership of the child secret error', 'failing', false],
    ['Unknown Error', 'failing', false],
  ])('with the message %j is %s', (message, verdict, everSynced) => {
    const words = `status.message '${message}'`;
    expect(sopsHealth({ message })).toEqual({
      verdict,
      generation: 'unreported',
      words,
      neverOld: true,
      everSynced,
    });
  });

  it('without a message has no status yet', () => {
    expect(sopsHealth()).toMatchObject({ verdict: 'none', words: 'no status yet' });
  });

  it('that is suspended writes nothing, whoever asks', () => {
    const suspended = sopsHealth(
      { message: 'Reconciliation is suspended' },
      { ...templates('db'), suspend: true },
    );
    expect(suspended.restraint).toEqual({ from: 'write', why: 'its spec.suspend is true' });
  });
});

function sealedHealth(status?: JsonObject, generation = 1) {
  return sealedSecret.health(objectOf(sealedSecret, { generation, ...(status && { status }) }), ALONE);
}

describe('a SealedSecret', () => {
  const synced = (status: string, more: JsonObject = {}): JsonObject => ({
    observedGeneration: 1,
    conditions: [{ type: 'Synced', status, lastTransitionTime: '2026-11-22T03:47:40Z', ...more }],
  });

  it('targets the Secret of its own name', () => {
    expect(sealedSecret.targets(objectOf(sealedSecret, { name: 'db' }))).toEqual([
      { namespace: HERE, name: 'db' },
    ]);
  });

  it('is well while it is Synced', () => {
    expect(sealedHealth(synced('True'))).toMatchObject({
      verdict: 'ok',
      generation: 'current',
      words: 'Synced=True',
      everSynced: true,
    });
  });

  it('fails with its message, for example after the keys of another cluster', () => {
    const failed = sealedHealth(synced('False', { message: 'no key could decrypt secret (db)' }));
    expect(failed).toMatchObject({
      verdict: 'failing',
      words: 'Synced=False (no key could decrypt secret (db))',
    });
  });

  it('that was edited since waits for its controller', () => {
    expect(sealedHealth(synced('True'), 2).generation).toBe('behind');
  });

  it('may be silent by a flag of its controller', () => {
    expect(sealedHealth()).toMatchObject({ verdict: 'none' });
    expect(sealedSecret.mayBeSilent).toBe(true);
    expect(sopsSecret.mayBeSilent).toBeUndefined();
  });
});

describe('what stands in git', () => {
  it('reads no project of anybody', () => {
    const nowhere = { projects: [], environments: [], paths: [], selfContained: true };
    expect(sopsSecret.scope(objectOf(sopsSecret, {}), ALONE)).toEqual(nowhere);
    expect(sealedSecret.scope(objectOf(sealedSecret, {}), ALONE)).toEqual(nowhere);
  });

  it('is marked by its owner alone: the annotations that let a controller take a Secret over are a person’s', () => {
    const owned = (apiVersion: string, kind: string) =>
      secret('db', { ownerReferences: [{ apiVersion, kind, name: 'db', uid: 'u', controller: true }] });
    expect(sops.marks(owned('bitnami.com/v1alpha1', 'SealedSecret'))).toBe(true);
    expect(sops.marks(owned('isindir.github.com/v1alpha3', 'SopsSecret'))).toBe(true);
    expect(sops.marks(owned('example.com/v1', 'SealedSecret'))).toBe(false);
    const annotations = { 'sealedsecrets.bitnami.com/managed': 'true', 'sopssecret/managed': 'true' };
    expect(sops.marks(secret('db', { annotations }))).toBe(false);
  });
});
