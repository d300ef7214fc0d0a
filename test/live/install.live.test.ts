/** From `helm install` to `helm uninstall`, with certificates that are replaced while pods are created all the time. */
import manifest from '../../package.json' with { type: 'json' };
import { run as runDoctor } from '../../src/cli/doctor.ts';
import type { Options } from '../../src/cli/options.ts';
import { run as runUninstall } from '../../src/cli/uninstall.ts';
import { captured } from '../cli/captured.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { needs } from '../needs.ts';
import { CONFIGURATIONS, bundles, certificates, forgetEntry, helm, until } from './chart.ts';
import { HOME, SERVICE } from './cluster.ts';
import { JOBS, install, policies } from './installation.ts';
import type { Installation } from './installation.ts';
import { podAsking, tryPod, untilLeading } from './served.ts';

describe.skipIf(!needs('apiserver') || !needs('controllers') || !needs('helm'))('the chart', () => {
  let installation: Installation;
  let plane: ControlPlane;

  beforeAll(async () => {
    installation = await install({ values: ['--set', 'config.certificates.overlap=8s'] });
    plane = installation.plane;
  });
  afterAll(() => installation?.stop());

  test('refuses nobody as long as no replica was ever reached', async () => {
    expect(await policies(plane)).toMatchObject({ mutate: 'Ignore', validate: 'Ignore' });
    const pod = { metadata: { name: 'early' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const path = `/api/v1/namespaces/${JOBS}/pods?dryRun=All`;
    expect((await plane.send('POST', path, pod)).status).toBe(201);
  });

  test('makes its certificates, publishes them, and closes the strict webhooks once it is reached', async () => {
    await installation.start();
    await installation.start();
    await installation.untilClosed();
    expect(await policies(plane)).toEqual({
      mutate: 'Fail',
      'mutate-lenient': 'Ignore',
      validate: 'Fail',
      'validate-lenient': 'Ignore',
      workloads: 'Ignore',
      reachable: 'Ignore',
    });
    expect(new Set(await bundles(plane))).toEqual(new Set([1]));
    expect(Object.keys(await certificates(plane)).toSorted()).toEqual([
      'ca.crt',
      'ca.key',
      'tls.crt',
      'tls.key',
    ]);
    await installation.underLoad();
  });

  test('is found well by doctor', async () => {
    // The leader tells of its controllers some seconds after it leads.
    await until('nothing is unknown', async () => {
      const { items } = JSON.parse((await doctor({ output: 'json' })).out) as Diagnosis;
      return items.every(({ outcome }) => outcome !== 'unknown');
    });
    const { code, out } = await doctor({ output: 'json' });
    const { items, summary } = JSON.parse(out) as Diagnosis;
    expect(items.filter(({ outcome }) => outcome === 'failed' || outcome === 'unknown')).toEqual([]);
    expect(summary['ok']).toBeGreaterThan(8);
    expect(code).toBe(0);
  });

  test('lets only those change what a namespace allows who may manage it', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const bind = async (role: string): Promise<void> => {
      await plane.request('POST', `${rbac}/clusterrolebindings`, {
        metadata: { name: `dev-${role}` },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'dev' }],
      });
    };
    const label = async (labels: Readonly<Record<string, string | null>>): Promise<number> => {
      const path = `/api/v1/namespaces/guarded?dryRun=All`;
      const headers = { 'Impersonate-User': 'dev' };
      const patch = { metadata: { labels } };
      const options = { headers, contentType: 'application/merge-patch+json' };
      return (await plane.send('PATCH', path, patch, options)).status;
    };
    await plane.request('POST', '/api/v1/namespaces', {
      metadata: { name: 'guarded', labels: { 'secrets.floe.dev/injection': 'enabled' } },
    });
    await plane.request('POST', `${rbac}/clusterroles`, {
      metadata: { name: 'namespaces' },
      rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'patch'] }],
    });
    await bind('namespaces');
    await until('dev may patch', async () => (await label({ team: 'a' })) === 200);
    await until(
      'the guard is in force',
      async () => (await label({ 'secrets.floe.dev/injection': null })) === 403,
    );
    expect(await label({ 'secrets.floe.dev/enforcement': 'audit' })).toBe(403);
    expect(await label({ 'floe.dev/environment': 'prod' })).toBe(403);
    expect(await label({ team: 'b' })).toBe(200);
    await bind(`${SERVICE}-manage`);
    await until('dev may manage', async () => (await label({ 'secrets.floe.dev/injection': null })) === 200);
  });

  test('replaces the certificate under load', async () => {
    const before = await certificates(plane);
    await installation.underLoad(async () => {
      await forgetEntry(plane, 'tls.crt');
      await until('there is another', async () => (await certificates(plane))['tls.crt'] !== undefined);
    });
    const after = await certificates(plane);
    expect(after['tls.crt']).not.toBe(before['tls.crt']);
    expect(after['ca.crt']).toBe(before['ca.crt']);
  });

  test('replaces CA and certificate under load: both CAs first, the old one forgotten last', async () => {
    const before = await certificates(plane);
    const seen = new Set<number>();
    await installation.underLoad(async () => {
      await forgetEntry(plane, 'ca.key');
      await until('the new CA is alone', async () => {
        (await bundles(plane)).forEach((count) => seen.add(count));
        const { 'ca.crt': ca = '', 'tls.crt': leaf } = await certificates(plane);
        return (
          !ca.includes(before['ca.crt'] ?? '') &&
          leaf !== before['tls.crt'] &&
          new Set(await bundles(plane)).size === 1
        );
      });
    });
    expect(seen).toContain(2);
  });

  test('goes on with a rotation whose leader was killed in the middle', async () => {
    for (const replica of installation.replicas.slice()) await installation.end(replica);
    const leader = await installation.start({ serving: false });
    await untilLeading(leader);
    await installation.start();
    await installation.start();
    const before = await certificates(plane);
    await installation.underLoad(async () => {
      await forgetEntry(plane, 'ca.key');
      await until('two CAs are published', async () => (await bundles(plane)).every((count) => count === 2));
      await installation.end(leader, 'SIGKILL');
      expect((await certificates(plane))['tls.crt']).toBe(before['tls.crt']);
      await until('another leader has finished', async () => {
        const { 'ca.crt': ca = '' } = await certificates(plane);
        return !ca.includes(before['ca.crt'] ?? '') && (await bundles(plane)).every((count) => count === 1);
      });
    });
  });

  test('gives back a failurePolicy that somebody reset', async () => {
    for (const path of CONFIGURATIONS) {
      const live = await plane.request<{ readonly webhooks: readonly object[] }>('GET', path);
      const webhooks = live.webhooks.map((webhook) => ({ ...webhook, failurePolicy: 'Ignore' }));
      await plane.request('PUT', path, { ...live, webhooks });
    }
    await until('all is as it was', async () => {
      const { mutate, validate } = await policies(plane);
      return mutate === 'Fail' && validate === 'Fail';
    });
    await installation.underLoad();
  });

  test('is upgraded under load, and takes nothing back', async () => {
    await installation.underLoad(() => installation.upgrade(['--set', 'webhook.timeoutSeconds=6']));
    expect(await policies(plane)).toMatchObject({ mutate: 'Fail', validate: 'Fail' });
    // Another set of webhooks: what nobody asks for any more goes, although the leader has written into it.
    await installation.underLoad(() => installation.upgrade(['--set', 'config.enforcement.minimum=strict']));
    expect(Object.keys(await policies(plane)).toSorted()).toEqual([
      'mutate',
      'reachable',
      'validate',
      'workloads',
    ]);
    await helm(plane.kubeconfig, 'rollback', SERVICE, '1', '-n', HOME);
    await installation.untilClosed();
  });

  test('names the permission that it lacks', async () => {
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${SERVICE}`;
    const role = await plane.request<{
      readonly rules: readonly { readonly resources: readonly string[] }[];
    }>('GET', path);
    const rules = role.rules.filter(({ resources }) => !resources.includes('secrets'));
    await plane.request('PUT', path, { ...role, rules });
    await until('a refusal names it', async () => {
      const { message } = await tryPod(plane, JOBS, podAsking('not-there'));
      return message?.includes('FLOE-E821') === true && message.includes('get secrets');
    });
    const { code, out } = await doctor();
    expect(code).toBe(5);
    expect(out).toMatch(
      /✗ permissions: ServiceAccount floe-secrets-webhook may not get secrets\n {4}fix: helm upgrade/,
    );
    await plane.request('PUT', path, { ...(await plane.request<object>('GET', path)), rules: role.rules });
  });

  test('leaves nothing behind', async () => {
    const uninstall = (options: Options = {}) =>
      captured(runUninstall, { kubeconfig: plane.kubeconfig, name: SERVICE, ...options });
    expect((await uninstall({ dryRun: true })).out).toContain('would be removed');
    expect((await uninstall()).out).toContain('removed');
    expect(await uninstall()).toMatchObject({ code: 0 });
    const { code, out } = await doctor();
    expect(code).toBe(5);
    expect(out).toContain('✗ registration: there is no MutatingWebhookConfiguration floe-secrets-webhook');
    // The hook is a Job, which nothing runs here; the command is what it runs.
    await helm(plane.kubeconfig, 'uninstall', SERVICE, '-n', HOME, '--no-hooks');
    const left = await plane.request<{ readonly items: readonly unknown[] }>(
      'GET',
      `/api/v1/namespaces/${HOME}/secrets?fieldSelector=type%3DOpaque`,
    );
    expect(left.items).toEqual([]);
    for (const path of [...CONFIGURATIONS, `/api/v1/namespaces/${HOME}/services/${SERVICE}`])
      expect((await plane.send('GET', path)).status).toBe(404);
  });

  const doctor = (options: Options = {}) =>
    captured((given, terminal) => runDoctor(given, terminal, manifest.version), {
      kubeconfig: plane.kubeconfig,
      name: SERVICE,
      ...options,
    });
});

interface Diagnosis {
  readonly items: readonly { readonly check: string; readonly outcome: string; readonly message: string }[];
  readonly summary: Readonly<Record<string, number>>;
}
