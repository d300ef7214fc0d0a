import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Client } from '../../src/cluster/client.ts';
import { connect } from '../../src/cluster/connect.ts';
import type { LiveCluster } from '../../src/cluster/live.ts';
import { createLiveCluster } from '../../src/cluster/live.ts';
import { createLookup } from '../../src/cluster/lookup.ts';
import { SERVICE_ACCOUNT, nameOf } from '../../src/kube/object.ts';
import type { Want } from '../../src/kube/world.ts';
import type { SyncKind } from '../../src/plugins/plugin.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { WIDGET, fakeReview, requestFor, widgetTargets } from './fake-review.ts';

const CEILING = { timeout: 60_000, interval: 20 };
const NAMESPACES = '/api/v1/namespaces';
const SECRETS = '/api/v1/namespaces/floe-jobs/secrets';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const WIDGETS = '/apis/example.com/v1/namespaces/floe-jobs/widgets';
const nobody = { token: 'nobody-token', user: 'nobody' };

const kind: SyncKind = {
  resource: WIDGET,
  targets: widgetTargets,
  health: () => ({ verdict: 'ok', generation: 'current', words: '', neverOld: false, everSynced: true }),
  scope: () => ({ projects: [], environments: [], paths: [] }),
  credentialNamespaces: () => [],
  revive: '',
};

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

describe.skipIf(!needs('apiserver'))('a real API server', () => {
  let plane: ControlPlane;
  let client: Client;
  let cluster: LiveCluster;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: false, tokens: [nobody] });
    client = await connect({ kubeconfig: plane.kubeconfig });
    const namespace = { metadata: { name: 'floe-jobs', labels: { mode: 'strict' } } };
    await client.post(NAMESPACES, namespace);
    await client.post(`${NAMESPACES}/floe-jobs/serviceaccounts`, {
      metadata: { name: 'default' },
      imagePullSecrets: [{ name: 'registry' }],
    });
    cluster = createLiveCluster({
      client,
      kinds: [kind],
      config: { secrets: { access: 'watch', cacheTtl: 60_000, cacheMax: 100 } },
      // A CRD shall be noticed by its definition, not by the next look.
      times: { probe: 600_000 },
    });
    await vi.waitFor(() => expect(cluster.ready().ready).toBe(true), CEILING);
  });

  afterAll(async () => {
    await cluster?.stop();
    await client?.close();
    await plane?.stop();
  });

  const claimants = (secret: string) =>
    cluster.world.targeting('floe-jobs', secret).map(({ raw }) => nameOf(raw));
  const want = (name: string, full = false): Want => ({ what: 'secret', namespace: 'floe-jobs', name, full });
  const createSecret = async (name: string, data: Record<string, string>) =>
    client.post(SECRETS, {
      metadata: {
        name,
        annotations: { 'example.com/note': 'hunter2', 'secrets.infisical.com/version': '1' },
      },
      stringData: data,
    });

  it('tells Namespaces, ServiceAccounts and their pull secrets', () => {
    expect(cluster.world.namespace('floe-jobs')).toMatchObject({ state: 'present' });
    expect(cluster.world.object(SERVICE_ACCOUNT, 'floe-jobs', 'default')).toMatchObject({
      value: { raw: { imagePullSecrets: [{ name: 'registry' }] } },
    });
  });

  it('gives key names as a hint by metadata, and all of them by a whole read; never a value', async () => {
    await createSecret('keys', { user: 'hunter2', password: 'hunter2' });
    const lookup = createLookup(client, { max: 0, ttl: 0 });
    const record = { keys: ['password', 'user'], annotations: { 'secrets.infisical.com/version': '1' } };
    const hint = await lookup.read(want('keys'));
    expect(hint).toMatchObject({ read: { state: 'present', value: { ...record, keysComplete: false } } });
    const whole = await lookup.read(want('keys', true));
    expect(whole).toMatchObject({ read: { state: 'present', value: { ...record, keysComplete: true } } });
    expect(JSON.stringify([hint, whole])).not.toContain('hunter2');
    expect(JSON.stringify([hint, whole])).not.toContain(Buffer.from('hunter2').toString('base64'));
    expect((await lookup.read(want('missing'))).read).toEqual({ state: 'absent' });
  });

  it('keeps the metadata of Secrets by watch', async () => {
    await createSecret('watched', { user: 'u' });
    const read = () => cluster.world.secret('floe-jobs', 'watched');
    await vi.waitFor(() => expect(read()).toMatchObject({ value: { keys: ['user'] } }), CEILING);
    await client.send('DELETE', `${SECRETS}/watched`, undefined);
    await vi.waitFor(() => expect(read()).toEqual({ state: 'unread' }), CEILING);
  });

  it('names the permission that a user lacks', async () => {
    const other = await connect({ kubeconfig: plane.kubeconfigFor(nobody.token) });
    const lookup = createLookup(other, { max: 0, ttl: 0 });
    expect((await lookup.read(want('db'))).read).toEqual({
      state: 'failed',
      failure: { reason: 'forbidden', message: 'cannot get secrets in namespace floe-jobs (RBAC)' },
    });
    const forbidden = createLiveCluster({
      client: other,
      kinds: [kind],
      config: { secrets: { access: 'get', cacheTtl: 1, cacheMax: 1 } },
    });
    await vi.waitFor(() => expect(forbidden.ready().ready).toBe(true), CEILING);
    // The CRD is not installed yet, and RBAC would have answered first.
    expect(forbidden.world.kind(WIDGET)).toEqual({ state: 'notServed' });
    await forbidden.stop();
    await other.close();
  });

  it('answers who may do what', async () => {
    const ask = async (username: string, groups: string[]) => {
      const access = { verb: 'list', resource: 'secrets', namespace: 'floe-jobs' };
      const user = { username, groups };
      return (await cluster.lookup.read({ what: 'access', user, ...access })).read;
    };
    expect(await ask('admin', ['system:masters'])).toEqual({ state: 'present', value: true });
    expect(await ask('nobody', [])).toEqual({ state: 'present', value: false });
  });

  it('serves a CRD that appears and drops one that goes', async () => {
    expect(cluster.world.kind(WIDGET)).toEqual({ state: 'notServed' });
    await client.post(CRDS, DEFINITION);
    await vi.waitFor(() => expect(cluster.world.kind(WIDGET)).toEqual({ state: 'known' }), CEILING);
    const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a' } };
    await client.post(WIDGETS, { ...widget, spec: { target: 'db' } });
    await vi.waitFor(() => expect(claimants('db')).toEqual(['a']), CEILING);
    const [claimant] = cluster.world.targeting('floe-jobs', 'db');
    expect(claimant?.specWrittenAt).toBeGreaterThan(0);
    await client.send('DELETE', `${CRDS}/widgets.example.com`, undefined);
    await vi.waitFor(() => expect(cluster.world.kind(WIDGET)).toEqual({ state: 'notServed' }), CEILING);
    expect(claimants('db')).toEqual([]);
  });

  it('admits a pod as soon as its Secret is there, whatever the watch has seen of it', async () => {
    const admit = cluster.admission({ review: fakeReview, now: Date.now });
    const decide = async () => admit(requestFor([{ secret: 'late', key: 'user' }]), 10_000);
    expect((await decide()).allowed).toBe(false);
    await createSecret('late', { user: 'u' });
    expect((await decide()).allowed).toBe(true);
  });

  it('goes on after the API server was away', async () => {
    const admit = cluster.admission({ review: fakeReview, now: Date.now });
    await plane.restartApiServer(async () => {
      const decision = await admit(requestFor([{ secret: 'never-there' }]), 1_000);
      expect(decision.verdicts).toMatchObject([{ state: 'Unknown' }]);
      await sleep(300);
    });
    await createSecret('after', { user: 'u' });
    const read = () => cluster.world.secret('floe-jobs', 'after');
    await vi.waitFor(() => expect(read()).toMatchObject({ state: 'present' }), CEILING);
  });
});
