import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { EXIT_CODE } from '../../tools/control-plane/pod-worker.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { eventually } from './temporary.ts';

interface PodAnswer {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly containerStatuses?: readonly { readonly state: Readonly<Record<string, object>> }[];
  };
}

describe.skipIf(!needs('controllers'))('the kubelet stand-in', () => {
  let cluster: ControlPlane;
  let namespace = '';
  let count = 0;

  beforeAll(async () => {
    cluster = await startControlPlane({ controllers: true });
  });
  afterAll(() => cluster.stop());

  const own = async (): Promise<void> => {
    namespace = `kubelet-${(count += 1)}`;
    await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  };
  const core = (path: string): string => `/api/v1/namespaces/${namespace}/${path}`;
  const pods = async (): Promise<readonly PodAnswer[]> =>
    (await cluster.request<{ items: PodAnswer[] }>('GET', core('pods'))).items;
  const pod = (name: string): Promise<PodAnswer> => cluster.request('GET', core(`pods/${name}`));
  const create = (name: string, spec: object, annotations = {}): Promise<unknown> =>
    cluster.request('POST', core('pods'), { metadata: { name, annotations }, spec });
  const secret = (name: string, stringData: object): Promise<unknown> =>
    cluster.request('POST', core('secrets'), { metadata: { name }, stringData });
  const stateOf = (answer: PodAnswer | undefined) => answer?.status.containerStatuses?.[0]?.state;

  it('holds a Deployment until the Secret its containers need is there', async () => {
    await own();
    const container = {
      name: 'app',
      image: 'app',
      envFrom: [{ prefix: 'DB_', secretRef: { name: 'db' } }],
      env: [{ name: 'URL', value: 'pg://$(DB_USER)@db' }],
    };
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    await cluster.request('POST', path, {
      metadata: { name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } },
      },
    });
    await eventually(async () => (await pods()).filter(stateOf).length === 2, 'two pods are reported');
    const waiting = { reason: 'CreateContainerConfigError', message: 'secret "db" not found' };
    expect((await pods()).map(stateOf)).toEqual([{ waiting }, { waiting }]);

    await secret('db', { USER: 'floe', PASSWORD: 's3cret' });
    const available = async (): Promise<number | undefined> =>
      (await cluster.request<{ status: { availableReplicas?: number } }>('GET', `${path}/web`)).status
        .availableReplicas;
    await eventually(async () => (await available()) === 2, 'two replicas are available');
    for (const { metadata } of await pods()) {
      expect(cluster.kubelet?.effectiveEnv(namespace, metadata.name, 'app')).toEqual({
        DB_USER: 'floe',
        DB_PASSWORD: 's3cret',
        URL: 'pg://floe@db',
      });
    }
  });

  it('names the key that a Secret lacks', async () => {
    await own();
    await secret('db', { USER: 'floe' });
    const env = [{ name: 'P', valueFrom: { secretKeyRef: { name: 'db', key: 'PASSWORD' } } }];
    await create('one', { containers: [{ name: 'c', image: 'i', env }] });
    await eventually(async () => stateOf(await pod('one')) !== undefined, 'it is reported');
    expect(stateOf(await pod('one'))).toEqual({
      waiting: {
        reason: 'CreateContainerConfigError',
        message: `couldn't find key PASSWORD in Secret ${namespace}/db`,
      },
    });
    expect(cluster.kubelet?.effectiveEnv(namespace, 'one', 'c')).toBeUndefined();
    await cluster.request('PATCH', core('secrets/db'), { stringData: { PASSWORD: 'late' } });
    await eventually(async () => (await pod('one')).status.phase === 'Running', 'it runs');
    expect(cluster.kubelet?.effectiveEnv(namespace, 'one', 'c')).toEqual({ P: 'late' });
  });

  it('waits with a volume whose Secret is missing, and tells by an event', async () => {
    await own();
    const spec = {
      containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/run/secrets/db' }] }],
      volumes: [{ name: 'v', projected: { defaultMode: 0o400, sources: [{ secret: { name: 'db' } }] } }],
    };
    await create('files', spec);
    await eventually(async () => stateOf(await pod('files')) !== undefined, 'it is reported');
    expect(stateOf(await pod('files'))).toEqual({ waiting: { reason: 'ContainerCreating' } });
    const events = await cluster.request<{ items: { message: string }[] }>('GET', core('events'));
    expect(events.items.map(({ message }) => message)).toContain(
      'MountVolume.SetUp failed for volume "v" : secret "db" not found',
    );
    await secret('db', { USER: 'floe' });
    await eventually(async () => (await pod('files')).status.phase === 'Running', 'it runs');
    expect(cluster.kubelet?.mountedFiles(namespace, 'files', 'c')).toMatchObject({
      '/run/secrets/db/USER': { content: 'floe', mode: 0o400 },
    });
  });

  it('leaves a pod with a scheduling gate where it is', async () => {
    await own();
    const containers = [{ name: 'c', image: 'i' }];
    await create('gated', { schedulingGates: [{ name: 'floe.dev/gate' }], containers });
    await create('open', { containers });
    await eventually(async () => (await pod('open')).status.phase === 'Running', 'the open one runs');
    expect((await pod('gated')).spec.nodeName).toBeUndefined();
    await cluster.request('PATCH', core('pods/gated'), { spec: { schedulingGates: null } });
    await eventually(async () => (await pod('gated')).status.phase === 'Running', 'it runs');
  });

  it('completes a Job, with init containers and sidecars', async () => {
    await own();
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
    const initContainers = [
      { name: 'first', image: 'i' },
      { name: 'sidecar', image: 'i', restartPolicy: 'Always' },
    ];
    const template = {
      spec: { restartPolicy: 'Never', initContainers, containers: [{ name: 'c', image: 'i' }] },
    };
    await cluster.request('POST', path, { metadata: { name: 'job' }, spec: { template } });
    const succeeded = async (): Promise<number | undefined> =>
      (await cluster.request<{ status: { succeeded?: number } }>('GET', `${path}/job`)).status.succeeded;
    await eventually(async () => (await succeeded()) === 1, 'the Job succeeded');
  });

  it('ends a pod as its annotation says', async () => {
    await own();
    const spec = { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] };
    await create('fails', spec, { [EXIT_CODE]: '7' });
    await create('stays', spec, { [EXIT_CODE]: 'never' });
    await eventually(async () => (await pod('fails')).status.phase === 'Failed', 'one fails');
    expect(stateOf(await pod('fails'))).toMatchObject({ terminated: { exitCode: 7, reason: 'Error' } });
    await eventually(async () => (await pod('stays')).status.phase === 'Running', 'the other runs');
  });

  it('lets a deleted pod go', async () => {
    await own();
    await create('short', { containers: [{ name: 'c', image: 'i' }] });
    await eventually(async () => (await pod('short')).status.phase === 'Running', 'it runs');
    await cluster.request('DELETE', core('pods/short'));
    await eventually(async () => (await pods()).length === 0, 'it is gone');
  });

  it('goes on after a restart of the API server', async () => {
    await own();
    await cluster.restartApiServer();
    await create('after', { containers: [{ name: 'c', image: 'i' }] });
    await eventually(async () => (await pod('after')).status.phase === 'Running', 'it runs');
  });
});
