import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { run as doctor } from '../../src/cli/doctor.ts';
import { run as explain } from '../../src/cli/explain.ts';
import { run as list } from '../../src/cli/list.ts';
import type { Options } from '../../src/cli/options.ts';
import { run as restart } from '../../src/cli/restart.ts';
import { run as review } from '../../src/cli/review.ts';
import { run as scan } from '../../src/cli/scan.ts';
import { run as status } from '../../src/cli/status.ts';
import { run as sync } from '../../src/cli/sync.ts';
import { run as usage } from '../../src/cli/usage.ts';
import { run as validate } from '../../src/cli/validate.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { installCrds } from '../../tools/control-plane/crds.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { captured, folderOf } from './captured.ts';

const GROUP = 'secrets.infisical.com';
const reader = { token: 'reader-token', user: 'reader', groups: [] };
const nobody = { token: 'nobody-token', user: 'nobody', groups: [] };
const watcher = { token: 'watcher-token', user: 'watcher', groups: [] };

describe.skipIf(!needs('apiserver'))('commands over a real API server', () => {
  let cluster: ControlPlane;
  const as = (token: string, more: Options = {}): Options => ({
    kubeconfig: cluster.kubeconfigFor(token),
    namespace: 'floe-jobs',
    ...more,
  });
  const admin = (more: Options = {}): Options => ({
    kubeconfig: cluster.kubeconfig,
    namespace: 'floe-jobs',
    ...more,
  });
  const folder = folderOf({
    'manifest.yaml':
      'a: {secret_ref: plain}\nb: {secretRef: {name: plain, key: nope}}\nc: {secret_ref: db}\nd: {secret_ref: gone}\n',
    'good.yaml': 'a: {secret_ref: {name: plain, key: b}}\nc: {secret_ref: db}\n',
    'pod.yaml': `apiVersion: v1
kind: Pod
metadata: {name: dbt, namespace: floe-jobs, annotations: {secrets.floe.dev/inject: db, secrets.floe.dev/env: A=plain/a}}
spec: {containers: [{name: dbt, image: dbt}]}
`,
  });

  beforeAll(async () => {
    cluster = await startControlPlane({ controllers: false, tokens: [reader, nobody, watcher] });
    await cluster.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition());
    for (const name of ['floe-jobs', 'other', 'platform']) {
      const labels = { 'secrets.floe.dev/injection': 'enabled' };
      await cluster.request('POST', '/api/v1/namespaces', { metadata: { name, labels } });
    }
    for (const [name, data] of [
      ['plain', { a: 'aHVudGVyMg==', b: 'aHVudGVyMg==' }],
      ['db', { k: 'aHVudGVyMg==' }],
    ]) {
      await cluster.request('POST', '/api/v1/namespaces/floe-jobs/secrets', { metadata: { name }, data });
    }
    await served(cluster);
    await createSync(cluster, 'sync', 'db');
    await createSync(cluster, 'late', 'waiting');
    await allow(cluster, 'reader', 'reader', [
      { apiGroups: [''], resources: ['secrets', 'serviceaccounts', 'namespaces'], verbs: ['get'] },
      { apiGroups: [GROUP], resources: ['*'], verbs: ['list'] },
    ]);
  });
  afterAll(() => cluster?.stop());

  it('list and status show Secrets and what targets them', async () => {
    const { out, err, code } = await captured(list, admin());
    expect(out).toMatch(
      /^NAME {22}TYPE {14}SYNC STATUS\ndb +InfisicalSecret +Synced\nplain +Opaque +Synced\nwaiting +InfisicalSecret +Pending\n$/,
    );
    expect([err, code]).toEqual(['', 0]);
    const told = await captured(status, admin({ output: 'json', allNamespaces: true, exitCode: true }));
    expect(told.code).toBe(5);
    const { items } = JSON.parse(told.out) as { items: readonly { name: string }[] };
    expect(items.find(({ name }) => name === 'db')).toMatchObject({
      namespace: 'floe-jobs',
      project: 'floe-platform',
      environment: 'production',
      lastSyncSource: 'written',
    });
    expect(told.out).not.toContain('hunter2');
  });

  it('says where the namespace of -n does not exist, if one may see that', async () => {
    const words = 'Warning: there is no namespace typo\n';
    for (const run of [list, status, scan, usage, explain]) {
      const options = { namespace: 'typo', secret: 'db', pod: 'x' };
      expect((await captured(run, admin(options))).err).toContain(words);
      expect((await captured(run, as(nobody.token, options))).err).not.toContain(words);
    }
    expect((await captured(list, admin({ namespace: 'typo', allNamespaces: true }))).err).toBe('');
  });

  it('who may get Secrets but not list them sees those that are targeted, and is told so', async () => {
    const { out, err, code } = await captured(list, as(reader.token));
    expect(out).toMatch(/\ndb +InfisicalSecret +Synced\nwaiting +InfisicalSecret +Pending\n$/);
    expect(err).toBe(
      'Warning: cannot list secrets in namespace floe-jobs (RBAC); the result is incomplete\n',
    );
    expect(code).toBe(4);
  });

  it('who may nothing is told so', async () => {
    const { err, code } = await captured(list, as(nobody.token));
    expect(err).toContain(`cannot list infisicalsecrets.${GROUP}, secrets in namespace floe-jobs (RBAC)`);
    expect(err).not.toContain('infisicalstaticsecrets');
    expect(err).toContain('No Secrets and no sync resources could be seen in namespace floe-jobs.\n');
    expect(code).toBe(4);
  });

  it('what nobody may see is not denied, and told in one line', async () => {
    const options = as(nobody.token, { secret: 'db' });
    for (const run of [usage, restart]) {
      const { err, code } = await captured(run, { ...options, dryRun: true });
      expect(err).toMatch(
        /^Warning: cannot list \S+, pods, .*cronjobs\.batch in namespace floe-jobs \(RBAC\); /,
      );
      expect(err.match(/cannot list/g)).toHaveLength(1);
      expect(err).toContain('Nothing that could be seen in namespace floe-jobs uses Secret db.\n');
      expect(code).toBe(4);
    }
    const explained = await captured(explain, { ...options, pod: 'deployment/x' });
    expect(explained.err).toMatch(
      /^Error: no deployment 'x' could be seen in namespace floe-jobs: cannot list /,
    );
    const synced = await captured(sync, options);
    expect(synced.err).toContain("what syncs Secret 'db' in namespace 'floe-jobs' is not known: cannot list");
    const examined = await captured((given, terminal) => doctor(given, terminal, '0.0.0'), {
      ...options,
      namespace: 'x',
      name: 'y',
    });
    expect(examined.out).not.toContain('none of its CRDs is installed');
    expect([explained.code, synced.code, examined.code]).toEqual([4, 4, 4]);
  });

  it('validate reads each Secret of the manifest', async () => {
    const good = await captured(validate, as(reader.token, { config: 'good.yaml' }), { cwd: folder });
    expect(good.out).toBe(
      'Validating secret references in good.yaml...\n✓ plain: exists, 2 keys\n✓ db: exists, 1 key\n\nAll 2 references found.\n',
    );
    const bad = await captured(validate, admin(), { cwd: folder });
    expect(bad.code).toBe(5);
    expect(bad.out).toContain('✗ plain: exists, 2 keys, KEY NOT FOUND\n');
    expect(bad.out).toContain('✗ gone: NOT FOUND\n');
    expect(bad.out).toContain("2 errors found. Run 'floe-secrets create gone' to fix.");
  });

  it('validate without the right to read tells what is missing', async () => {
    const { out, err, code } = await captured(validate, as(nobody.token), { cwd: folder });
    expect(out).toContain('✗ plain: UNKNOWN\n');
    expect(err).toContain('cannot get secrets in namespace floe-jobs (RBAC)');
    expect(code).toBe(4);
  });

  it('review --live judges against the cluster', async () => {
    const options = admin({ filename: ['pod.yaml'], live: true, output: 'json' });
    const { out, code } = await captured(review, options, { cwd: folder });
    expect(JSON.parse(out)).toMatchObject({
      results: [{ allowed: true, mode: 'strict', injected: ['db', 'plain'] }],
    });
    expect(code).toBe(0);
    const other = folderOf({
      'pod.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: other}\nspec: {containers: [{name: x, envFrom: [{secretRef: {name: db}}]}]}\n',
    });
    expect((await captured(review, options, { cwd: other })).code).toBe(5);
  });

  it('review --live tells who may not read of their own rights, not of the webhook', async () => {
    const files = { filename: ['pod.yaml'], live: true };
    const namespaces = [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get'] }];
    const refused = async (): Promise<string> => {
      const { out, code } = await captured(review, as(nobody.token, files), { cwd: folder });
      expect([out, code]).toEqual([expect.stringContaining('ask for this permission'), 4]);
      expect(out).not.toContain('ServiceAccount this permission');
      return out;
    };
    expect(await refused()).toContain("FLOE-E821: namespace 'floe-jobs' could not be read");
    await allow(cluster, 'reader-of-namespaces', 'nobody', namespaces);
    expect(await refused()).toContain("FLOE-E821: Secret 'db' could not be read: cannot get secrets in");
    const options = as(nobody.token, { filename: ['pod.yaml'] });
    const explained = await captured(explain, options, { cwd: folder });
    expect([explained.out, explained.code]).toEqual([expect.stringContaining('ask for this permission'), 4]);
  });

  it('calls nothing refused that only its reader may not see', async () => {
    await allow(cluster, 'watcher-of-pods', 'watcher', [
      { apiGroups: [''], resources: ['namespaces', 'pods', 'serviceaccounts'], verbs: ['get', 'list'] },
    ]);
    await cluster.request('POST', '/api/v1/namespaces/floe-jobs/serviceaccounts', {
      metadata: { name: 'default' },
    });
    await cluster.request('POST', '/api/v1/namespaces/floe-jobs/pods', {
      metadata: { name: 'runs' },
      spec: { containers: [{ name: 'dbt', image: 'dbt', envFrom: [{ secretRef: { name: 'db' } }] }] },
    });
    onTestFinished(
      async () => void (await cluster.request('DELETE', '/api/v1/namespaces/floe-jobs/pods/runs')),
    );
    const seen = async (run: typeof review, more: Options) => {
      const { out, code } = await captured(run, as(watcher.token, more), { cwd: folder });
      expect(code).toBe(4);
      return out;
    };
    const files = { filename: ['pod.yaml'], live: true };
    expect(await seen(review, files)).toMatch(/^\? Pod floe-jobs\/dbt: not known \(strict\)\n/);
    expect(await seen(review, files)).toContain('0 allowed, 0 denied, 1 not known, 0 warnings.');
    expect(JSON.parse(await seen(review, { ...files, output: 'json' }))).toMatchObject({
      results: [{ allowed: null }],
      summary: { allowed: 0, denied: 0, unknown: 1 },
    });
    expect(await seen(explain, { pod: 'runs' })).toContain('whether it would be allowed now is not known');
    expect(await seen(scan, {})).toContain('0 would be refused by strict, 1 not known, 0 missed');
    for (const [run, more] of [
      [explain, { pod: 'runs' }],
      [scan, {}],
    ] as const) {
      expect(JSON.parse(await seen(run, { ...more, output: 'json' }))).toMatchObject({
        items: [{ allowed: null }],
        summary: { refused: 0, unknown: 1 },
      });
    }
  });

  it('review --live and explain know whether somebody opens gates', async () => {
    await createSync(cluster, 'young', 'to-come');
    const gated = folderOf({
      'pod.yaml': `apiVersion: v1
kind: Pod
metadata:
  {name: dbt, namespace: floe-jobs, annotations: {secrets.floe.dev/inject: to-come, secrets.floe.dev/pending: gate}}
spec: {containers: [{name: dbt, image: dbt}]}
`,
    });
    const files = { filename: ['pod.yaml'] };
    const reviewed = async (options: Options) =>
      captured(review, { ...options, ...files, live: true }, { cwd: gated });
    const refused = await reviewed(admin());
    expect([refused.out, refused.code]).toEqual([expect.stringContaining("FLOE-E803: Secret 'to-come'"), 5]);
    const told = await reviewed(as(reader.token));
    expect(told.err).toContain(
      'cannot get leases.coordination.k8s.io in namespace floe-secrets-system (RBAC)',
    );
    expect(told.code).toBe(4);
    const leases = '/apis/coordination.k8s.io/v1/namespaces/floe-secrets-system/leases';
    const lease = (renewTime: Date) => ({
      metadata: {
        name: 'floe-secrets-webhook',
        annotations: { 'secrets.floe.dev/controllers': 'gates,reload' },
      },
      spec: {
        holderIdentity: 'replica',
        leaseDurationSeconds: 15,
        renewTime: renewTime.toISOString().replace('Z', '000Z'),
      },
    });
    await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'floe-secrets-system' } });
    await cluster.request('POST', leases, lease(new Date(Date.now() - 60_000)));
    expect((await reviewed(admin())).code).toBe(5);
    await cluster.request('PATCH', `${leases}/floe-secrets-webhook`, lease(new Date()));
    const waits = await reviewed(admin());
    expect([waits.out, waits.code]).toEqual([expect.stringContaining('the pod waits for it'), 0]);
    const explained = await captured(explain, admin(files), { cwd: gated });
    expect([explained.out, explained.code]).toEqual([expect.stringContaining('the pod waits for it'), 0]);

    // The same installation elsewhere, by another name: its webhooks lead to it.
    await cluster.request('DELETE', `${leases}/floe-secrets-webhook`);
    await allow(cluster, 'reader-of-leases', 'reader', [
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get'] },
    ]);
    const unsure = await reviewed(as(reader.token));
    const unseen = 'cannot get mutatingwebhookconfigurations.admissionregistration.k8s.io (RBAC)';
    expect([unsure.err, unsure.code]).toEqual([expect.stringContaining(unseen), 4]);
    await registerTeam(cluster);
    const elsewhere = leases.replace('floe-secrets-system', 'platform');
    const moved = lease(new Date());
    await cluster.request('POST', elsewhere, { ...moved, metadata: { ...moved.metadata, name: 'team' } });
    for (const env of [{}, { FLOE_SECRETS_WEBHOOK_NAME: 'team' }]) {
      const found = await captured(review, { ...admin(files), live: true }, { cwd: gated, env });
      expect([found.out, found.code]).toEqual([expect.stringContaining('the pod waits for it'), 0]);
    }
  });

  it('doctor says that there is no such namespace, and where the installation is', async () => {
    const doctored = async (options: Options) => {
      const { out, code } = await captured((given, terminal) => doctor(given, terminal, '0.0.0'), {
        kubeconfig: cluster.kubeconfig,
        name: 'floe-secrets-webhook',
        ...options,
      });
      expect(code).toBe(5);
      return out;
    };
    expect(await doctored({ namespace: 'typo' })).toMatch(
      /^✗ namespace: there is no namespace typo\n {4}fix: helm install .* -n typo .*\n\n1 check failed\.\n$/,
    );
    await registerTeam(cluster);
    const fix =
      'fix: the webhooks of this cluster lead elsewhere: floe-secrets doctor -n platform --name team\n';
    expect(await doctored({ namespace: 'typo' })).toContain(fix);
    expect(await doctored({ namespace: 'other' })).toContain(fix);
    // Who names no namespace is led there at once.
    expect(await doctored({ name: 'team' })).toContain('there is no ConfigMap team in namespace platform');
  });

  it('sees sync resources of an operator that serves only an older version', async () => {
    const group = 'external-secrets.io';
    const older = { group, version: 'v1beta1', kind: 'ExternalSecret', plural: 'externalsecrets' };
    await installCrds(cluster, [older]);
    await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'older' } });
    await cluster.request('POST', `/apis/${group}/v1beta1/namespaces/older/externalsecrets`, {
      apiVersion: `${group}/v1beta1`,
      kind: 'ExternalSecret',
      metadata: { name: 'db' },
      spec: { secretStoreRef: { name: 'vault' }, target: { creationPolicy: 'Merge' } },
    });
    const { out, err } = await captured(list, admin({ namespace: 'older' }));
    expect(out).toMatch(/^NAME .*\ndb +ExternalSecret +Failed\n$/);
    expect(err).toBe('');
  });

  it('a server that does not answer is exit code 8', async () => {
    const kubeconfig = folderOf({
      config: JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'u', user: { token: 't' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    });
    const { err, code } = await captured(list, { kubeconfig: `${kubeconfig}/config` });
    expect([err, code]).toEqual([
      'Error: the Kubernetes API server at https://127.0.0.1:1: connection refused; check --kubeconfig and --context\n',
      8,
    ]);
  });
});

function definition(): object {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    metadata: { name: `infisicalsecrets.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind: 'InfisicalSecret', plural: 'infisicalsecrets' },
      versions: [{ name: 'v1alpha1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}

const SYNCS = `/apis/${GROUP}/v1alpha1/namespaces/floe-jobs/infisicalsecrets`;

async function served(cluster: ControlPlane): Promise<void> {
  while ((await cluster.send('GET', SYNCS)).status !== 200)
    await new Promise((done) => setTimeout(done, 100));
}

async function createSync(cluster: ControlPlane, name: string, target: string): Promise<void> {
  const secretsScope = { projectSlug: 'floe-platform', envSlug: 'production', secretsPath: '/' };
  await cluster.request('POST', SYNCS, {
    apiVersion: `${GROUP}/v1alpha1`,
    kind: 'InfisicalSecret',
    metadata: { name },
    spec: {
      authentication: { universalAuth: { secretsScope } },
      managedKubeSecretReferences: [{ secretName: target, secretNamespace: 'floe-jobs' }],
    },
  });
}

async function allow(
  cluster: ControlPlane,
  role: string,
  user: string,
  rules: readonly object[],
): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const apiGroup = 'rbac.authorization.k8s.io';
  await cluster.request('POST', `${rbac}/clusterroles`, { metadata: { name: role }, rules });
  await cluster.request('POST', `${rbac}/clusterrolebindings`, {
    metadata: { name: role },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup, kind: 'User', name: user }],
  });
}

/** As the chart registers an installation `team` of the namespace `platform`; without rules nothing is called. */
async function registerTeam(cluster: ControlPlane): Promise<void> {
  const configurations = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  const webhook = {
    name: 'mutate.secrets.floe.dev',
    clientConfig: { service: { namespace: 'platform', name: 'team', path: '/mutate' } },
    failurePolicy: 'Ignore',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  await cluster.request('POST', configurations, { metadata: { name: 'team' }, webhooks: [webhook] });
  onTestFinished(async () => void (await cluster.request('DELETE', `${configurations}/team`)));
}
