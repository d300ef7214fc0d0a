// An API server that knows one Lease: with resourceVersions, conflicts, and failures on demand.
import { ApiError } from '../../src/cluster/api-error.ts';
import type { Client } from '../../src/cluster/client.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { asObject, get, text } from '../../src/kube/json.ts';

export interface FakeLeases {
  readonly client: Client;
  lease(): JsonObject | undefined;
  holder(): string;
  /** Every call fails so, until undefined is given. */
  fail(error: ApiError | undefined): void;
  /** Somebody else writes the Lease. */
  write(change: (lease: JsonObject) => JsonObject): void;
  readonly writes: readonly JsonObject[];
}

export function fakeLeases(): FakeLeases {
  let lease: JsonObject | undefined;
  let version = 0;
  let failure: ApiError | undefined;
  const writes: JsonObject[] = [];
  const store = (body: JsonObject): JsonObject => {
    version += 1;
    lease = { ...body, metadata: { ...asObject(get(body, 'metadata')), resourceVersion: String(version) } };
    writes.push(lease);
    return lease;
  };
  const versionOf = (body: unknown) => text(get(body, 'metadata'), 'resourceVersion');
  const answer = (method: string, body: unknown): JsonObject => {
    if (failure !== undefined) throw failure;
    if (method === 'GET') {
      if (lease === undefined) throw new ApiError(404, 'NotFound', 'not found');
      return lease;
    }
    if (method === 'POST' && lease !== undefined) throw new ApiError(409, 'AlreadyExists', 'exists');
    if (method === 'PUT' && versionOf(body) !== versionOf(lease))
      throw new ApiError(409, 'Conflict', 'modified');
    return store(asObject(body));
  };
  const call = async (method: string, body: unknown, signal?: AbortSignal): Promise<JsonObject> => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    signal?.throwIfAborted();
    return answer(method, body);
  };
  const never = (): never => {
    throw new Error('not asked for');
  };
  const client: Client = {
    namespace: 'floe-secrets-system',
    inPod: true,
    address: async () => 'https://localhost:6443',
    serverTime: Date.now,
    get: async (_path, options) => call('GET', undefined, options?.signal),
    send: async (method, _path, body, options) => call(method, body, options?.signal),
    post: never,
    list: never,
    watch: never,
    close: async () => undefined,
  };
  return {
    client,
    lease: () => lease,
    holder: () => text(get(lease, 'spec'), 'holderIdentity') ?? '',
    fail: (error) => (failure = error),
    write: (change) => void store(change(lease ?? {})),
    writes,
  };
}
