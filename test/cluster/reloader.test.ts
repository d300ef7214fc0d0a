import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/cluster/api-error.ts';
import type { Client } from '../../src/cluster/client.ts';
import type { ControllerParts } from '../../src/cluster/controller.ts';
import type { EventDraft } from '../../src/cluster/events.ts';
import { createListeners } from '../../src/cluster/listeners.ts';
import { APPLY, METADATA } from '../../src/cluster/media-types.ts';
import { reduceSecret } from '../../src/cluster/reduce.ts';
import { reloader } from '../../src/cluster/reloader.ts';
import type { WorldChange } from '../../src/cluster/world.ts';
import { defaultConfig } from '../../src/config/config.ts';
import type { Config } from '../../src/config/config.ts';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import { dig } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { PodRecord } from '../../src/kube/running.ts';
import { ABSENT, present } from '../../src/kube/world.ts';
import { at, object, pod, use, workload } from '../reload/setup.ts';
import { createRunning } from './running-cluster.ts';

const CEILING = { timeout: 60_000, interval: 5 };
const ASKS = { annotations: { 'secrets.floe.dev/auto-reload': 'true' } };
const QUICK = { pollInterval: 40, qps: 1000, quiet: 100, cooldown: 0 };

type Write = {
  readonly method: string;
  readonly path: string;
  readonly body: Json | undefined;
  readonly type?: string;
};

/** A cluster in memory: its Secrets, what is written into it, and one leader at a time. */
function createCluster() {
  const running = createRunning();
  const changes = createListeners<WorldChange>();
  const secrets = new Map<string, JsonObject>();
  const writes: Write[] = [];
  const reads: string[] = [];
  const counts: string[] = [];
  const events: EventDraft[] = [];
  const gauges = new Map<string, number | undefined>();
  const told: string[] = [];
  const notes = new Map<string, string | undefined>();
  const claimants: KubeObject[] = [];
  let version = 100;
  let watched = false;
  let answer: (write: Write) => void = () => undefined;
  let reign: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  const send: Client['send'] = async (method, path, body, call) => {
    const write = {
      method,
      path,
      body,
      ...(call?.contentType === undefined ? {} : { type: call.contentType }),
    };
    writes.push(write);
    answer(write);
    return {};
  };
  const client = {
    send,
    post: async (path: string, body: Json) => send('POST', path, body),
    get: async (path: string, call: { readonly accept?: string } = {}) => {
      const name = path.split('/').at(-1) ?? '';
      reads.push(name);
      const secret = secrets.get(name);
      if (secret === undefined) throw new ApiError(404, 'NotFound', 'not found');
      const { data, ...rest } = secret;
      return call.accept === METADATA ? { ...rest, kind: 'PartialObjectMetadata' } : { ...rest, data };
    },
  };
  const parts = (config: Config) =>
    ({
      config,
      client,
      running,
      now: Date.now,
      note: (key: string, value: string | undefined) => void notes.set(key, value),
      tell: (event: string, fields: unknown) => void told.push(`${event} ${JSON.stringify(fields)}`),
      events: { emit: (event: EventDraft) => void events.push(event), stop: async () => undefined },
      telemetry: {
        count: (name: string, labels: object) => void counts.push([name, ...Object.values(labels)].join(' ')),
        gauge: (name: string, rows: readonly { readonly value: number }[]) =>
          void gauges.set(name, rows[0]?.value),
      },
      world: {
        namespace: () => ABSENT,
        object: () => ABSENT,
        targeting: () => claimants,
        secret: (_namespace: string, name: string) => {
          const secret = secrets.get(name);
          return watched && secret !== undefined ? present(reduceSecret(secret)) : { state: 'unread' };
        },
        observe: changes.add,
      },
    }) as unknown as ControllerParts;

  return {
    running,
    writes,
    reads,
    counts,
    events,
    gauges,
    told,
    notes,
    claimants,
    secret(name: string, data: Readonly<Record<string, string>>, metadata: JsonObject = {}) {
      const resourceVersion = String((version += 1));
      const rest = { namespace: 'jobs', name, resourceVersion, creationTimestamp: '2026-11-27T11:00:00Z' };
      secrets.set(name, { kind: 'Secret', metadata: { ...rest, ...metadata }, data });
      changes.tell({ what: 'secret', namespace: 'jobs', name });
    },
    answer: (next: typeof answer) => void (answer = next),
    lead(reload: Partial<Config['reload']> = {}, access: 'get' | 'watch' = 'get', cacheTtl = 0) {
      watched = access === 'watch';
      const config = defaultConfig();
      const stop = new AbortController();
      const given = {
        ...config,
        secrets: { ...config.secrets, access, cacheTtl },
        reload: { ...config.reload, ...QUICK, ...reload },
      };
      reign = { stop, ended: reloader.run(parts(given), stop.signal) };
    },
    async die() {
      reign?.stop.abort();
      await reign?.ended;
    },
    seen: async (...names: readonly string[]) =>
      vi.waitFor(() => expect([...new Set(reads)]).toEqual(expect.arrayContaining([...names])), CEILING),
  };
}

function podOf(name: string, more: Partial<PodRecord> = {}): PodRecord {
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'api', uid: 'uid-api', controller: true };
  return pod(name, { owner, ...more });
}

const settle = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500));

describe('the reloader', () => {
  let cluster: ReturnType<typeof createCluster>;
  beforeEach(() => {
    cluster = createCluster();
    cluster.secret('db', { PASSWORD: 'b2xk' });
  });
  afterEach(() => cluster.die());

  const restarts = () => cluster.writes.filter(({ method }) => method === 'PATCH');
  const restarted = async (count = 1) => vi.waitFor(() => expect(restarts()).toHaveLength(count), CEILING);

  it.each(['get', 'watch'] as const)('restarts a workload whose Secret changes (%s)', async (access) => {
    cluster.running.putWorkload(workload('StatefulSet', ASKS));
    cluster.running.putPod(podOf('api-0'));
    cluster.lead({}, access);
    await cluster.seen('db');
    await settle();
    expect(cluster.writes).toEqual([]);
    cluster.secret('db', { PASSWORD: 'bmV3' });
    await restarted();
    const [write] = restarts();
    expect(write).toMatchObject({
      path: '/apis/apps/v1/namespaces/jobs/statefulsets/api?fieldManager=floe-secrets-webhook&force=true',
      type: APPLY,
      body: { kind: 'StatefulSet', metadata: { name: 'api', uid: 'uid-api' } },
    });
    await settle();
    await restarted();
    expect(cluster.counts).toContain('floe_secrets_reloads_total StatefulSet restarted');
    expect(cluster.events).toMatchObject([
      { type: 'Normal', reason: 'SecretsReloaded', message: "Restarted: Secret 'db' has changed" },
    ]);
    expect(JSON.stringify([cluster.writes, cluster.events, cluster.told])).not.toMatch(/b2xk|bmV3/);
  });

  it('looks at nothing without need where a watch tells', async () => {
    cluster.running.putWorkload(workload('StatefulSet', ASKS));
    cluster.running.putPod(podOf('api-0'));
    cluster.lead({}, 'watch');
    await cluster.seen('db');
    await settle();
    expect(cluster.reads).toEqual(['db']);
  });

  it('restarts nothing for metadata, or for who did not ask', async () => {
    cluster.running.putWorkload(workload('StatefulSet', ASKS));
    cluster.running.putPod(podOf('api-0'));
    cluster.running.putWorkload(workload('StatefulSet', { name: 'web', uid: 'uid-web' }));
    const owner = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      name: 'web',
      uid: 'uid-web',
      controller: true,
    };
    cluster.running.putPod(pod('web-0', { owner, uses: [use('other')] }));
    cluster.secret('other', { A: 'b2xk' });
    cluster.lead();
    await cluster.seen('db', 'other');
    cluster.secret('db', { PASSWORD: 'b2xk' }, { annotations: { 'example.com/seen': 'yes' } });
    cluster.secret('other', { A: 'bmV3' });
    await settle();
    expect(cluster.writes).toEqual([]);
  });

  it('restarts who uses a Secret that asks itself', async () => {
    cluster.secret('db', { PASSWORD: 'b2xk' }, ASKS);
    cluster.running.putWorkload(workload('StatefulSet'));
    cluster.running.putPod(podOf('api-0'));
    cluster.lead();
    await vi.waitFor(
      () => expect(cluster.counts).toContain('floe_secrets_reload_looks_total first'),
      CEILING,
    );
    cluster.secret('db', { PASSWORD: 'bmV3' }, ASKS);
    await restarted();
  });

  it('restarts for the wish of a sync resource, unless that stands in a namespace that is not trusted', async () => {
    const wish = (namespace: string) =>
      object('secrets.infisical.com', 'InfisicalSecret', { metadata: { namespace, ...ASKS } });
    cluster.claimants.push(wish('elsewhere'));
    cluster.running.putWorkload(workload('StatefulSet'));
    cluster.running.putPod(podOf('api-0'));
    cluster.lead();
    await cluster.seen('db');
    cluster.secret('db', { PASSWORD: 'bmV3' });
    await settle();
    expect(cluster.writes).toEqual([]);
    cluster.claimants.push(wish('infisical-operator-system'));
    cluster.secret('db', { PASSWORD: 'bmV3' });
    await vi.waitFor(
      () => expect(cluster.counts).toContain('floe_secrets_reload_looks_total first'),
      CEILING,
    );
    cluster.secret('db', { PASSWORD: 'bmV3ZXI=' });
    await restarted();
  });

  it('restarts once for ten Secrets that change at once', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `s${index}`);
    for (const name of names) cluster.secret(name, { A: 'b2xk' });
    cluster.running.putWorkload(workload('StatefulSet', ASKS));
    cluster.running.putPod(podOf('api-0', { uses: names.map((name) => use(name)) }));
    cluster.lead({ quiet: 1_500 });
    await cluster.seen(...names);
    for (const name of names) cluster.secret(name, { A: 'bmV3' });
    await restarted();
    await settle();
    await restarted();
    expect(cluster.events[0]?.message).toBe(
      `Restarted: Secrets ${names.map((name) => `'${name}'`).join(', ')} have changed`,
    );
  });

  it.each([
    ['get', 300, 2_300],
    ['watch', 600_000, 0],
  ] as const)('waits until no admission remembers the Secret as it was (%s)', async (access, ttl, least) => {
    cluster.running.putWorkload(workload('StatefulSet', ASKS));
    cluster.running.putPod(podOf('api-0'));
    cluster.lead({}, access, ttl);
    await cluster.seen('db');
    await settle();
    const changedAt = performance.now();
    cluster.secret('db', { PASSWORD: 'bmV3' });
    await restarted();
    expect(performance.now() - changedAt).toBeGreaterThanOrEqual(least);
  });

  it('resumes what the leader before it saw, from the versions that pods tell', async () => {
    cluster.running.putWorkload(workload('StatefulSet', ASKS));
    const annotations = { 'secrets.floe.dev/versions': 'db=101' };
    cluster.running.putPod(podOf('api-0', { annotations, createdAt: at(0) }));
    const fields = (data: boolean) => ({
      managedFields: [
        {
          manager: 'operator',
          time: data ? '2026-11-27T12:05:00Z' : '2026-11-27T11:00:00Z',
          fieldsV1: { 'f:data': {} },
        },
        { manager: 'kubectl', time: '2026-11-27T12:05:00Z', fieldsV1: { 'f:metadata': {} } },
      ],
    });
    cluster.secret('db', { PASSWORD: 'bmV3' }, fields(false));
    cluster.lead();
    await cluster.seen('db');
    await settle();
    expect(cluster.writes).toEqual([]);
    await cluster.die();
    cluster.secret('db', { PASSWORD: 'bmV3' }, fields(true));
    cluster.lead();
    await restarted();
    expect(cluster.counts).toContain('floe_secrets_reloads_total StatefulSet presumed');
    expect(cluster.events[0]?.message).toBe("Restarted: Secret 'db' has been written since its pods began");
  });

  it('asks again for a restart that failed, with the same word', async () => {
    cluster.running.putWorkload(workload('StatefulSet', ASKS));
    cluster.running.putPod(podOf('api-0'));
    let failures = 1;
    cluster.answer(() => {
      if (failures-- > 0) throw new ApiError(503, 'ServiceUnavailable', 'not now');
    });
    cluster.lead();
    await cluster.seen('db');
    cluster.secret('db', { PASSWORD: 'bmV3' });
    await restarted(2);
    const times = restarts().map(({ body }) =>
      dig(body, 'spec', 'template', 'metadata', 'annotations', 'secrets.floe.dev/restartedAt'),
    );
    expect(new Set(times).size).toBe(1);
    await vi.waitFor(() => expect(cluster.events.at(-1)?.reason).toBe('SecretsReloaded'), CEILING);
    expect(cluster.events[0]).toMatchObject({ type: 'Warning', reason: 'SecretsReloadFailed' });
    expect(cluster.counts).toContain('floe_secrets_reloads_total StatefulSet failed');
  });

  it('leaves to another reloader what that one drives, and says so once', async () => {
    const annotations = { ...ASKS.annotations, 'reloader.stakater.com/auto': 'true' };
    cluster.running.putWorkload(workload('StatefulSet', { annotations }));
    cluster.running.putPod(podOf('api-0'));
    cluster.lead();
    await cluster.seen('db');
    cluster.secret('db', { PASSWORD: 'bmV3' });
    await vi.waitFor(() => expect(cluster.events).toHaveLength(1), CEILING);
    await settle();
    expect(cluster.writes).toEqual([]);
    expect(cluster.events.map(({ reason }) => reason)).toEqual(['SecretsReloadLeft']);
    expect(cluster.events[0]?.message).toContain('Stakater Reloader');
  });

  it('evicts only the pods that are too old, one by one', async () => {
    cluster.running.putWorkload(workload('StatefulSet', { ...ASKS, replicas: 3 }));
    const names = ['api-0', 'api-1'];
    names.forEach((name, index) => cluster.running.putPod(podOf(name, { createdAt: at(index) })));
    let gone = 0;
    cluster.answer(({ path }) => {
      const name = path.split('/').at(-2) ?? '';
      cluster.running.removePod(podOf(name));
      cluster.running.putPod(
        podOf(name, { uid: `new-${name}`, createdAt: Date.now() + 60_000, ready: false }),
      );
      setTimeout(() => {
        gone += 1;
        cluster.running.putPod(podOf(name, { uid: `new-${name}`, createdAt: Date.now() + 60_000 }));
      }, 50);
    });
    cluster.lead({ strategy: 'evict' });
    await cluster.seen('db');
    cluster.secret('db', { PASSWORD: 'bmV3' });
    await vi.waitFor(
      () => cluster.running.putPod(podOf('api-2', { createdAt: Date.now() + 60_000 })),
      CEILING,
    );
    await vi.waitFor(() => expect(gone).toBe(2), CEILING);
    await settle();
    expect(cluster.writes.map(({ path }) => path)).toEqual(
      names.map((name) => `/api/v1/namespaces/jobs/pods/${name}/eviction`),
    );
    expect(cluster.writes[0]?.body).toMatchObject({ deleteOptions: { preconditions: { uid: 'uid-api-0' } } });
  });

  it('says how long it takes to look at everything', async () => {
    cluster.running.putWorkload(workload('StatefulSet', ASKS));
    const uses = Array.from({ length: 50 }, (_, index) => use(`s${index}`));
    cluster.running.putPod(podOf('api-0', { uses }));
    cluster.lead({ qps: 10, pollInterval: 1000 });
    await vi.waitFor(
      () => expect(cluster.gauges.get('floe_secrets_reload_poll_interval_seconds')).toBe(5),
      CEILING,
    );
    expect(cluster.gauges.get('floe_secrets_reload_polled_secrets')).toBe(50);
    const key = 'secrets.floe.dev/reload-polling';
    expect(cluster.notes.get(key)).toBe('secrets=50,interval=5000ms');
    await cluster.die();
    expect(cluster.notes.get(key)).toBeUndefined();
    expect(cluster.gauges.get('floe_secrets_reload_polled_secrets')).toBeUndefined();
  });
});
