import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/cluster/api-error.ts';
import { METADATA } from '../../src/cluster/media-types.ts';
import { createSecretData } from '../../src/cluster/secret-data.ts';
import type { JsonObject } from '../../src/kube/json.ts';

const VALUE = Buffer.from('hunter2-hunter2').toString('base64');

/** An API server with one Secret; `undefined` is none, an error is thrown. */
function server() {
  let secret: JsonObject | ApiError | undefined;
  let version = 0;
  const asked: string[] = [];
  return {
    asked,
    put(data: Readonly<Record<string, string>>) {
      version += 1;
      secret = {
        kind: 'Secret',
        metadata: { namespace: 'jobs', name: 'db', resourceVersion: String(version) },
        data,
      };
    },
    touch() {
      this.put((secret as { readonly data: Readonly<Record<string, string>> }).data);
    },
    remove: () => void (secret = undefined),
    fail: () => void (secret = new ApiError(0, 'ECONNREFUSED', 'connection refused')),
    client: {
      get: async (path: string, call: { readonly accept?: string } = {}) => {
        asked.push(`${call.accept === METADATA ? 'metadata' : 'whole'} ${path}`);
        if (secret instanceof ApiError) throw secret;
        if (secret === undefined) throw new ApiError(404, 'NotFound', 'not found');
        const { data, ...rest } = secret;
        return call.accept === METADATA ? { ...rest, kind: 'PartialObjectMetadata' } : { ...rest, data };
      },
    },
  };
}

describe('a look at a Secret', () => {
  it('tells changed data from changed metadata', async () => {
    const api = server();
    const data = createSecretData(api.client);
    const look = async () => {
      const seen = await data.look('jobs', 'db', false);
      return seen.state === 'present' ? seen.data : seen.state;
    };
    expect(await look()).toBe('absent');
    api.put({ PASSWORD: VALUE });
    expect(await look()).toBe('first');
    api.touch();
    expect(await look()).toBe('same');
    api.put({ PASSWORD: 'b3RoZXI=' });
    expect(await look()).toBe('different');
    api.put({});
    expect(await look()).toBe('different');
    api.remove();
    expect(await look()).toBe('absent');
    api.put({});
    expect(await look()).toBe('same');
    data.forget('jobs', 'db');
    expect(await look()).toBe('first');
  });

  it('does not take one split of keys and values for another', async () => {
    const api = server();
    const data = createSecretData(api.client);
    const all = [{ a: 'bc' }, { ab: 'c' }, { a: 'b', c: '' }, { a: '', b: 'c' }, { a: 'b', b: 'a' }];
    for (const one of all) {
      api.put(one);
      expect(await data.look('jobs', 'db', false)).not.toMatchObject({ data: 'same' });
    }
    api.put({ b: 'a', a: 'b' });
    expect(await data.look('jobs', 'db', false)).toMatchObject({ data: 'same' });
  });

  it('that spares reads values only where something was written', async () => {
    const api = server();
    const data = createSecretData(api.client);
    api.put({ PASSWORD: VALUE });
    for (let index = 0; index < 3; index += 1) await data.look('jobs', 'db', true);
    api.touch();
    await data.look('jobs', 'db', true);
    expect(api.asked.map((one) => one.split(' ', 1)[0])).toEqual([
      'whole',
      'metadata',
      'metadata',
      'metadata',
      'whole',
    ]);
    await data.glance('jobs', 'db');
    expect(api.asked.at(-1)).toMatch(/^metadata/);
  });

  it('gives nothing that holds a value or a digest of one, and throws what is no answer', async () => {
    const api = server();
    const data = createSecretData(api.client);
    api.put({ PASSWORD: VALUE });
    const seen = await data.look('jobs', 'db', false);
    expect(inspect(seen, { depth: 20 })).not.toMatch(/hunter|aHVudGVy|[0-9a-f]{32}/);
    api.fail();
    await expect(data.look('jobs', 'db', true)).rejects.toThrow('connection refused');
    expect(await data.look('jobs', '../x', true)).toEqual({ state: 'absent' });
  });
});
