import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import { mannerOf } from '../../src/migrate/manners.ts';

const FINAL: JsonObject = {
  apiVersion: 'secrets.hashicorp.com/v1beta1',
  kind: 'VaultStaticSecret',
  metadata: { name: 'db', namespace: 'shop', labels: { team: 'data' }, annotations: { note: 'x' } },
  spec: {
    mount: 'secret',
    path: 'shop/db',
    type: 'kv-v2',
    destination: {
      name: 'db',
      create: true,
      overwrite: true,
      type: 'kubernetes.io/tls',
      labels: { team: 'data' },
      transformation: {
        excludeRaw: true,
        templates: { 'tls.crt': { text: '{{ get .Secrets "tls.crt" }}' } },
      },
    },
  },
};
const manner = mannerOf(FINAL);
const released = manner.released(FINAL);
const silenced = manner.silenced?.(released) ?? {};

describe('a VaultStaticSecret', () => {
  it('owns its Secret by destination.create, and is released without it', () => {
    expect(manner.isReleased(FINAL)).toBe(false);
    expect(manner.isReleased(released)).toBe(true);
    expect(manner.isReleased({ ...FINAL, spec: { destination: { name: 'db' } } })).toBe(true);
  });

  it('changes nothing but its ownership and its MAC when it is released', () => {
    const { destination, ...rest } = released['spec'] as JsonObject;
    expect(destination).toEqual({
      ...((FINAL['spec'] as JsonObject)['destination'] as JsonObject),
      create: false,
      overwrite: false,
    });
    expect(rest).toEqual({ mount: 'secret', path: 'shop/db', type: 'kv-v2', hmacSecretData: false });
    expect(released['metadata']).toEqual(FINAL['metadata']);
  });

  it('is silent by a transformation that is not there, and is heard again once it is released anew', () => {
    expect([FINAL, released, silenced].map((raw) => manner.isSilent(raw))).toEqual([false, false, true]);
    expect(JSON.stringify(silenced)).toContain('"excludeRaw":true,"templates":{"tls.crt"');
    const heard = manner.released(silenced);
    expect(manner.isSilent(heard)).toBe(false);
    expect(manner.ownership(heard)).toBe(manner.ownership(released));
  });

  it('keeps the transformations of its own through silence', () => {
    const own = { name: 'team', templateRefs: [{ name: 'dsn' }] };
    const destination = { name: 'db', transformation: { transformationRefs: [own] } };
    const raw = { ...FINAL, spec: { destination } };
    const silent = manner.silenced?.(raw) ?? {};
    expect(manner.isSilent(silent)).toBe(true);
    expect(manner.released(silent)).toMatchObject({
      spec: { destination: { transformation: { transformationRefs: [own] } } },
    });
  });

  test.each([
    ['as the API server has filled it in', { hmacSecretData: true }, true],
    ['that takes no Secret', { destination: { name: 'db', create: true } }, false],
    ['that looks for no drift', { hmacSecretData: false }, false],
  ])('of its final wishes is one %s: %j is %s', (_name, change, same) => {
    const other = { ...FINAL, spec: { ...(FINAL['spec'] as JsonObject), ...change } };
    expect(manner.ownership(other) === manner.ownership(FINAL)).toBe(same);
  });

  it('rehearses on a Secret of its own, which it makes in the type of the other and never takes', () => {
    expect(manner.rehearsal?.(FINAL, 'db-floe-rehearsal')).toMatchObject({
      metadata: {
        name: 'db-floe-rehearsal',
        namespace: 'shop',
        labels: { team: 'data', 'secrets.floe.dev/migration': 'rehearsal' },
      },
      spec: {
        destination: { name: 'db-floe-rehearsal', create: true, overwrite: false, type: 'kubernetes.io/tls' },
      },
    });
  });

  it('is rehearsed as it owns where it is not to own in the end', () => {
    expect(manner.rehearsal?.(released, 'x')).toMatchObject({ spec: { destination: { create: true } } });
  });
});
