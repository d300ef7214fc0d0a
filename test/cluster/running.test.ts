import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createListeners } from '../../src/cluster/listeners.ts';
import type { RunningChange, RunningCluster } from '../../src/cluster/running.ts';
import { startRunning } from '../../src/cluster/running.ts';
import type { WorldChange } from '../../src/cluster/world.ts';
import type { FakeApi, Item } from './fake-api.ts';
import { startFakeApi } from './fake-api.ts';

const CEILING = { timeout: 60_000, interval: 5 };
const PODS = '/api/v1/pods';
const REPLICA_SETS = '/apis/apps/v1/replicasets';
const DEPLOYMENTS = '/apis/apps/v1/deployments';
const SERVED = [
  PODS,
  REPLICA_SETS,
  DEPLOYMENTS,
  '/apis/apps/v1/statefulsets',
  '/apis/apps/v1/daemonsets',
  '/apis/batch/v1/jobs',
  '/apis/batch/v1/cronjobs',
];

let api: FakeApi;
let running: RunningCluster;
let optedIn: Set<string>;
const namespaces = createListeners<WorldChange>();
const changes: RunningChange[] = [];

beforeEach(async () => {
  api = await startFakeApi();
  for (const path of SERVED) api.serve(path);
  optedIn = new Set(['a']);
  changes.length = 0;
});
afterEach(async () => {
  await running.stop();
  await api.close();
});

async function start(): Promise<void> {
  running = startRunning(api.client(), {
    world: { observe: namespaces.add },
    isWatched: (name) => optedIn.has(name),
    times: { backoff: { base: 5, max: 40 } },
  });
  running.observe((change) => changes.push(change));
  await vi.waitFor(() => expect(running.ready()).toBe(true), CEILING);
}

const owner = (kind: string, name: string, uid: string) => ({
  apiVersion: 'apps/v1',
  kind,
  name,
  uid,
  controller: true,
});

function pod(name: string, { namespace = 'a', metadata = {}, spec = {}, status = {} } = {}): Item {
  return {
    metadata: { namespace, name, uid: `uid-${name}`, ...metadata },
    spec: { containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'db' } }] }], ...spec },
    status,
  };
}

const names = () => [...running.pods()].map((one) => one.name).toSorted();

describe('the pods of opted-in namespaces', () => {
  it('are kept with what controllers need, and nothing else', async () => {
    api.add(
      PODS,
      pod('p', {
        metadata: {
          annotations: { 'secrets.floe.dev/injected': 'db', other: 'x' },
          labels: { app: 'x', 'pod-template-hash': '77' },
          deletionTimestamp: '2026-01-01T00:00:00Z',
        },
        spec: {
          schedulingGates: [{ name: 'secrets.floe.dev/pending' }],
          imagePullSecrets: [{ name: 'registry' }],
          containers: [
            {
              name: 'c',
              env: [
                { name: 'LITERAL', value: 'never kept' },
                { name: 'KEY', valueFrom: { secretKeyRef: { name: 'api', key: 'k' } } },
              ],
              envFrom: [{ secretRef: { name: 'db' } }, { secretRef: { name: 'db' }, prefix: 'X_' }],
            },
          ],
          volumes: [{ name: 'v', secret: { secretName: 'files' } }],
        },
        status: { phase: 'Pending', containerStatuses: [{ state: { running: {} } }] },
      }),
    );
    await start();
    const kept = running.pod('a', 'p');
    expect(kept).toMatchObject({
      uid: 'uid-p',
      annotations: { 'secrets.floe.dev/injected': 'db' },
      labels: { 'pod-template-hash': '77' },
      serviceAccountName: 'default',
      uses: [
        { form: 'envFrom', secret: 'db' },
        { form: 'env', secret: 'api' },
        { form: 'volume', secret: 'files' },
        { form: 'imagePullSecrets', secret: 'registry' },
      ],
      gates: ['secrets.floe.dev/pending'],
      phase: 'Pending',
      started: true,
      ready: false,
      terminating: true,
    });
    expect(JSON.stringify(kept)).not.toContain('never kept');
  });

  it('are those of namespaces that ask for it, as they come and go', async () => {
    api.add(PODS, pod('here'));
    api.add(PODS, pod('there', { namespace: 'b' }));
    await start();
    expect(names()).toEqual(['here']);
    optedIn.add('b');
    namespaces.tell({ what: 'namespace', name: 'b' });
    await vi.waitFor(() => expect(names()).toEqual(['here', 'there']), CEILING);
    optedIn.delete('a');
    namespaces.tell({ what: 'namespace', name: 'a' });
    await vi.waitFor(() => expect(names()).toEqual(['there']), CEILING);
    expect(changes).toContainEqual({ what: 'pod', before: expect.objectContaining({ name: 'here' }) });
    expect(running.podsUsing('a', 'db')).toEqual([]);
  });
});

it('leads from a Secret to the pods that name it, as they change', async () => {
  api.add(PODS, pod('one'));
  await start();
  await vi.waitFor(() => expect(api.watching(PODS)).toBe(1), CEILING);
  api.add(PODS, pod('two'));
  const using = (secret: string) => running.podsUsing('a', secret).map(({ name }) => name);
  await vi.waitFor(() => expect(using('db')).toEqual(['one', 'two']), CEILING);
  api.modify(
    PODS,
    pod('two', { spec: { containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'x' } }] }] } }),
  );
  await vi.waitFor(() => expect(using('x')).toEqual(['two']), CEILING);
  expect(using('db')).toEqual(['one']);
  expect([...running.secretsIn('a')].toSorted()).toEqual(['db', 'x']);
  api.remove(PODS, pod('one'));
  await vi.waitFor(() => expect(using('db')).toEqual([]), CEILING);
});

describe('the owners of a pod', () => {
  beforeEach(() => {
    api.add(DEPLOYMENTS, {
      metadata: { namespace: 'a', name: 'd', uid: 'uid-d', generation: 3 },
      spec: {
        replicas: 2,
        template: {
          metadata: { annotations: { 'secrets.floe.dev/inject': 'db' } },
          spec: { volumes: [{ name: 'v', secret: { secretName: 'own' } }] },
        },
      },
    });
    api.add(REPLICA_SETS, {
      metadata: {
        namespace: 'a',
        name: 'rs',
        uid: 'uid-rs',
        ownerReferences: [owner('Deployment', 'd', 'uid-d')],
      },
    });
    api.add(PODS, pod('p', { metadata: { ownerReferences: [owner('ReplicaSet', 'rs', 'uid-rs')] } }));
    api.add(PODS, pod('forged', { metadata: { ownerReferences: [owner('ReplicaSet', 'rs', 'another')] } }));
  });

  it('are found up to the Deployment', async () => {
    await start();
    const found = running.pod('a', 'p');
    const owners = found === undefined ? [] : running.ownersOf(found);
    expect(owners.map(({ kind, name }) => `${kind.kind}/${name}`)).toEqual(['ReplicaSet/rs', 'Deployment/d']);
    expect(owners[1]).toMatchObject({
      whole: true,
      generation: 3,
      replicas: 2,
      paused: false,
      templateAnnotations: { 'secrets.floe.dev/inject': 'db' },
      templateUses: [{ form: 'volume', secret: 'own' }],
    });
    for (const request of api.asked(REPLICA_SETS)) expect(request.accept).toContain('PartialObjectMetadata');
  });

  it('are none where the uid that it names is another', async () => {
    await start();
    const forged = running.pod('a', 'forged');
    expect(forged === undefined ? undefined : running.ownersOf(forged)).toEqual([]);
  });
});
