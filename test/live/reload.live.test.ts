/** Rotation with the controllers that make pods: who is restarted, how often, and what of it is written anywhere. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { asArray, dig, text } from '../../src/kube/json.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import { needs } from '../needs.ts';
import { startWebhook } from '../stories/webhook-process.ts';
import type { WebhookProcess } from '../stories/webhook-process.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';
import { FORMS } from './reference-forms.ts';
import {
  kubeconfigIn,
  makeHome,
  makeNamespace,
  makeSecret,
  podAsking,
  startServed,
  tryPod,
} from './served.ts';
import type { Served } from './served.ts';

const CEILING = { timeout: 120_000, interval: 100 };
const RELOAD = { quiet: '2s', cooldown: '1s', pollInterval: '500ms', qps: 100 };
const AUTO = { 'secrets.floe.dev/auto-reload': 'true' };
const OLD = 'before-rotation-4f1c';
const NEW = 'after-rotation-9b2e';
const MERGE = { contentType: 'application/merge-patch+json' };

describe.skipIf(!needs('controllers'))('reload', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, tokens: [WEBHOOK] });
    await plane.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', ROLLOUTS);
    await prepareCluster(plane);
  });
  afterAll(async () => {
    await plane?.stop();
  });

  const list = async (path: string): Promise<readonly unknown[]> =>
    asArray(dig(await plane.request('GET', path), 'items'));
  const pods = (namespace: string) => list(`/api/v1/namespaces/${namespace}/pods`);
  const optOut = (namespace: string): Promise<unknown> =>
    plane.request('PATCH', `/api/v1/namespaces/${namespace}`, {
      metadata: { labels: { 'secrets.floe.dev/injection': null } },
    });
  const nameOf = (object: unknown): string => text(dig(object, 'metadata'), 'name') ?? '';
  const live = async (namespace: string) =>
    (await pods(namespace)).filter((pod) => dig(pod, 'metadata', 'deletionTimestamp') === undefined);

  /** What the containers of a pod started with: environment and files, as one text. */
  const startedWith = (namespace: string, pod: unknown): string =>
    ['dbt', 'first']
      .map((container) => [
        plane.kubelet?.effectiveEnv(namespace, nameOf(pod), container),
        plane.kubelet?.mountedFiles(namespace, nameOf(pod), container),
      ])
      .map((seen) => JSON.stringify(seen))
      .join();
  const allRun = async (namespace: string, count: number, value: string): Promise<void> =>
    vi.waitFor(async () => {
      const running = await live(namespace);
      expect(running.filter((pod) => startedWith(namespace, pod).includes(value)).map(nameOf)).toHaveLength(
        count,
      );
      expect(running).toHaveLength(count);
    }, CEILING);
  /** As operators do it, with a checksum of the data beside it. */
  const rotate = (namespace: string, name: string, value = NEW): Promise<unknown> => {
    const checksum = crc32(`PASSWORD\0${value}\0`).toString(16).padStart(8, '0').toUpperCase();
    const annotations = { 'secrets.infisical.com/version': `W/"secrets-29-${checksum}"` };
    const body = { metadata: { annotations }, stringData: { PASSWORD: value } };
    return plane.request('PATCH', `/api/v1/namespaces/${namespace}/secrets/${name}`, body, MERGE);
  };

  const make = (namespace: string, kind: string, name: string, more: Workload = {}): Promise<unknown> => {
    const { annotations = AUTO, template = {}, spec = {}, pod = {}, replicas = 1 } = more;
    const plural = `${kind.toLowerCase()}s`;
    return plane.request('POST', `/apis/apps/v1/namespaces/${namespace}/${plural}`, {
      metadata: { name, annotations },
      spec: {
        ...(kind === 'DaemonSet' ? {} : { replicas }),
        ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name }, annotations: template },
          spec: { containers: [{ name: 'dbt', image: 'dbt' }], ...pod },
        },
        ...spec,
      },
    });
  };
  const workload = (namespace: string, kind: string, name: string): Promise<unknown> =>
    plane.request('GET', `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`);
  const restartedAt = async (namespace: string, kind: string, name: string): Promise<unknown> =>
    dig(
      await workload(namespace, kind, name),
      'spec',
      'template',
      'metadata',
      'annotations',
      'secrets.floe.dev/restartedAt',
    );
  const events = async (namespace: string): Promise<readonly string[]> =>
    (await list(`/api/v1/namespaces/${namespace}/events`))
      // Admission has Events of its own: a Secret with an operator's mark and no operator is one.
      .filter((event) => text(event, 'reason')?.startsWith('SecretsReload') === true)
      .map((event) => `${text(dig(event, 'involvedObject'), 'name')} ${text(event, 'reason')}`)
      .toSorted();
  const metrics = async (webhook: WebhookProcess): Promise<string> =>
    (await fetch(`http://127.0.0.1:${webhook.opsPort}/metrics`)).text();
  const restarts = async (webhook: WebhookProcess): Promise<number> =>
    [
      ...(await metrics(webhook)).matchAll(
        /^floe_secrets_reloads_total\{[^}]*result="(?:restarted|presumed)"\} (\d+)/gm,
      ),
    ]
      .map(([, count]) => Number(count))
      .reduce((sum, count) => sum + count, 0);
  /** Until the reloader has looked at so many Secrets. */
  const knows = async ({ opsPort }: WebhookProcess, count: number): Promise<void> =>
    vi.waitFor(async () => {
      const exposed = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
      const [, looks = '0'] = /^floe_secrets_reload_looks_total\{result="first"\} (\d+)/m.exec(exposed) ?? [];
      expect(Number(looks)).toBeGreaterThanOrEqual(count);
    }, CEILING);

  describe.each(['get', 'watch'] as const)('with secrets.access: %s', (access) => {
    let served: Served;
    const made = new Set<string>();
    let known = 0;
    beforeAll(async () => {
      served = await startServed(plane, {
        name: `reload-${access}`,
        // Only an administrator may list Secrets here.
        kubeconfig: access === 'get' ? plane.kubeconfigFor(WEBHOOK.token) : plane.kubeconfig,
        config: { reload: RELOAD, secrets: { access, cacheTtl: '1s' } },
      });
    });
    afterAll(async () => {
      await served?.stop();
      // Leaders to come have Secrets enough of their own.
      for (const namespace of made) await optOut(namespace);
    });
    const space = async (annotations = {}): Promise<string> => {
      const namespace = await served.namespace(annotations);
      made.add(namespace);
      return namespace;
    };
    const seen = (count: number): Promise<void> => knows(served.webhook, (known += count));

    test('every form and every kind gets the new value, with one restart each', async () => {
      const namespace = await space();
      const kinds = ['StatefulSet', 'DaemonSet'];
      const names = [...Object.keys(FORMS), ...kinds.map((kind) => kind.toLowerCase())];
      for (const name of names) await makeSecret(plane, namespace, name, { PASSWORD: OLD });
      for (const [name, form] of Object.entries(FORMS)) await make(namespace, 'Deployment', name, form(name));
      for (const kind of kinds)
        await make(namespace, kind, kind.toLowerCase(), FORMS['inject']!(kind.toLowerCase()));
      await allRun(namespace, names.length, OLD);
      await seen(names.length);
      const before = await restarts(served.webhook);
      for (const name of names) await rotate(namespace, name);
      await allRun(namespace, names.length, NEW);
      const told = names.map((name) => `${name} SecretsReloaded`).toSorted();
      await vi.waitFor(async () => expect(await events(namespace)).toEqual(told), CEILING);
      await sleep(3_000);
      expect((await restarts(served.webhook)) - before).toBe(names.length);
      expect(await events(namespace)).toEqual(told);
    });

    test('metadata restarts nothing, whoever writes it', async () => {
      const namespace = await space(AUTO);
      await makeSecret(plane, namespace, 'db', { PASSWORD: OLD });
      await make(namespace, 'Deployment', 'api', { annotations: {}, ...FORMS['inject']!('db') });
      await allRun(namespace, 1, OLD);
      await seen(1);
      const path = `/api/v1/namespaces/${namespace}/secrets/db`;
      for (const manager of ['unknown', 'somebody']) {
        const metadata = { annotations: { [`example.com/${manager}`]: 'x' }, labels: { [manager]: 'x' } };
        await plane.request('PATCH', `${path}?fieldManager=${manager}`, { metadata }, MERGE);
      }
      await rotate(namespace, 'db', OLD);
      await sleep(4_000);
      expect(await restartedAt(namespace, 'Deployment', 'api')).toBeUndefined();
      // It would have been seen: the same Secret, with other data.
      await rotate(namespace, 'db');
      await allRun(namespace, 1, NEW);
    });

    test('ten Secrets that rotate at once are one restart', async () => {
      const namespace = await space();
      const names = Array.from({ length: 10 }, (_, index) => `s${index}`);
      for (const name of names) await makeSecret(plane, namespace, name, { PASSWORD: OLD });
      await make(namespace, 'Deployment', 'api', {
        template: { 'secrets.floe.dev/inject': names.map((name) => `${name.toUpperCase()}_=${name}`).join() },
        replicas: 2,
      });
      await allRun(namespace, 2, OLD);
      await seen(10);
      const before = dig(await workload(namespace, 'Deployment', 'api'), 'metadata', 'generation');
      await Promise.all(names.map((name) => rotate(namespace, name)));
      await allRun(namespace, 2, NEW);
      await sleep(3_000);
      const after = dig(await workload(namespace, 'Deployment', 'api'), 'metadata', 'generation');
      expect(Number(after) - Number(before)).toBe(1);
    });

    test('Jobs, bare pods, the refused and what another reloader drives stay as they are', async () => {
      const namespace = await space(AUTO);
      await makeSecret(plane, namespace, 'db', { PASSWORD: OLD });
      const inject = FORMS['inject']!('db');
      await make(namespace, 'Deployment', 'refused', {
        ...inject,
        annotations: { 'secrets.floe.dev/auto-reload': 'false' },
      });
      const stakater = { 'secret.reloader.stakater.com/reload': 'db' };
      await make(namespace, 'Deployment', 'driven', { ...inject, annotations: stakater });
      await plane.request('POST', `/apis/batch/v1/namespaces/${namespace}/jobs`, {
        metadata: { name: 'job' },
        spec: {
          template: {
            metadata: { annotations: inject.template },
            spec: { restartPolicy: 'Never', containers: [{ name: 'dbt', image: 'dbt' }] },
          },
        },
      });
      await plane.request('POST', `/api/v1/namespaces/${namespace}/pods`, {
        metadata: { name: 'bare', annotations: inject.template },
        spec: { containers: [{ name: 'dbt', image: 'dbt' }] },
      });
      await make(namespace, 'Deployment', 'restarted', inject);
      await allRun(namespace, 5, OLD);
      await seen(1);
      await rotate(namespace, 'db');
      await vi.waitFor(
        async () =>
          expect(await events(namespace)).toEqual(['driven SecretsReloadLeft', 'restarted SecretsReloaded']),
        CEILING,
      );
      await sleep(2_000);
      for (const name of ['refused', 'driven'])
        expect(await restartedAt(namespace, 'Deployment', name)).toBeUndefined();
      const old = (await live(namespace)).filter((pod) => startedWith(namespace, pod).includes(OLD));
      expect(old.map((pod) => nameOf(pod).replace(/-.*/, '')).toSorted()).toEqual([
        'bare',
        'driven',
        'job',
        'refused',
      ]);
    });

    test('a Rollout restarts by the field that Argo has for it', async () => {
      const namespace = await space();
      await makeSecret(plane, namespace, 'db', { PASSWORD: OLD });
      const inject = FORMS['inject']!('db');
      const path = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/rollouts`;
      const rollout = await plane.request('POST', path, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Rollout',
        metadata: { name: 'canary', annotations: AUTO },
        spec: { replicas: 1, template: { metadata: { annotations: inject.template } } },
      });
      // What Argo's controller would do.
      const controller = {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Rollout',
        name: 'canary',
        controller: true,
      };
      await plane.request('POST', `/apis/apps/v1/namespaces/${namespace}/replicasets`, {
        metadata: {
          name: 'canary-1',
          ownerReferences: [{ ...controller, uid: dig(rollout, 'metadata', 'uid') }],
        },
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: 'canary' } },
          template: {
            metadata: { labels: { app: 'canary' }, annotations: inject.template },
            spec: { containers: [{ name: 'dbt', image: 'dbt' }] },
          },
        },
      });
      await allRun(namespace, 1, OLD);
      await seen(1);
      await rotate(namespace, 'db');
      await vi.waitFor(async () => {
        const { spec } = await plane.request<{ readonly spec: object }>('GET', `${path}/canary`);
        expect(spec).toMatchObject({ restartAt: expect.stringMatching(/^20.*Z$/) });
        expect(spec).not.toHaveProperty('template.metadata.annotations.secrets.floe.dev/restartedAt');
      }, CEILING);
    });

    test('nothing that derives from a value stands in any object, log line or metric', async () => {
      const everywhere = [served.webhook.log(), await metrics(served.webhook)];
      for (const namespace of [...made, served.home]) {
        for (const path of EVERYTHING)
          everywhere.push(JSON.stringify(await list(path.replace('NS', namespace))));
      }
      const found = everywhere.join('\n');
      expect(found).toContain('restartedAt');
      expect(tracesOf([OLD, NEW]).filter((trace) => found.includes(trace))).toEqual([]);
    });
  });

  test('a leader that is killed in the middle is followed by one that finishes, once', async () => {
    const home = await makeHome(plane);
    const authority = await makeAuthority('reload');
    const args = ['--kubeconfig', kubeconfigIn(home, plane.kubeconfigFor(WEBHOOK.token))];
    const config = { reload: { ...RELOAD, quiet: '4s' } };
    const start = (): Promise<WebhookProcess> => startWebhook({ config, authority, args });
    const first = await start();
    await leading(first);
    const second = await start();
    try {
      const namespace = await makeNamespace(plane, 'nobody', AUTO);
      await makeSecret(plane, namespace, 'db', { PASSWORD: OLD });
      const env = { envFrom: [{ secretRef: { name: 'db' } }] };
      await make(namespace, 'StatefulSet', 'api', {
        annotations: {},
        pod: { containers: [{ name: 'dbt', image: 'dbt', ...env }] },
        replicas: 2,
      });
      await allRun(namespace, 2, OLD);
      await knows(first, 1);
      // Both clocks tell whole seconds.
      await sleep(1_100);
      await rotate(namespace, 'db');
      await vi.waitFor(async () => {
        expect(await metrics(first)).toMatch(/^floe_secrets_reload_looks_total\{result="changed"\} 1$/m);
      }, CEILING);
      first.child.kill('SIGKILL');
      await leading(second);
      await allRun(namespace, 2, NEW);
      const generation = dig(await workload(namespace, 'StatefulSet', 'api'), 'metadata', 'generation');
      await second.stop();
      const third = await start();
      await leading(third);
      await knows(third, 1);
      await sleep(6_000);
      expect(dig(await workload(namespace, 'StatefulSet', 'api'), 'metadata', 'generation')).toBe(generation);
      await third.stop();
    } finally {
      first.child.kill('SIGKILL');
      second.child.kill('SIGKILL');
    }
  });

  /** What their admission took for the Secret's version, of pods with one injected Secret. */
  const versions = async (namespace: string): Promise<readonly unknown[]> =>
    (await live(namespace)).map((pod) => dig(pod, 'metadata', 'annotations', 'secrets.floe.dev/versions'));

  test.each(['rollout', 'evict'])(
    'pods of a restart carry the version that they start with, so that the next leader restarts none (%s)',
    async (strategy) => {
      const kubeconfig = plane.kubeconfigFor(WEBHOOK.token);
      const config = { reload: { ...RELOAD, strategy } };
      const served = await startServed(plane, { name: `reload-versions-${strategy}`, kubeconfig, config });
      const namespace = await served.namespace(AUTO);
      try {
        await makeSecret(plane, namespace, 'db', { PASSWORD: OLD });
        const inject = FORMS['inject']!('db');
        await make(namespace, 'Deployment', 'api', { annotations: {}, ...inject, replicas: 2 });
        await allRun(namespace, 2, OLD);
        await knows(served.webhook, 1);
        // Once no second is shared with anything, and the Secret is remembered as it is, for five seconds.
        await sleep(6_000);
        expect(await tryPod(plane, namespace, podAsking('db'))).toMatchObject({ allowed: true });
        const rotated = await rotate(namespace, 'db');
        await allRun(namespace, 2, NEW);
        const version = `db=${text(dig(rotated, 'metadata'), 'resourceVersion')}`;
        expect(await versions(namespace)).toEqual([version, version]);
        const before = (await live(namespace)).map(nameOf).toSorted();
        await served.webhook.stop();
        const next = await startWebhook({
          config,
          authority: await makeAuthority('next'),
          args: ['--kubeconfig', kubeconfigIn(served.home, kubeconfig)],
        });
        try {
          await leading(next);
          await knows(next, 1);
          await sleep(9_000);
          expect((await live(namespace)).map(nameOf).toSorted()).toEqual(before);
          expect(await restarts(next)).toBe(0);
        } finally {
          await next.stop();
        }
      } finally {
        await optOut(namespace);
        await served.stop();
      }
    },
  );

  describe('by eviction', () => {
    let served: Served;
    beforeAll(async () => {
      served = await startServed(plane, {
        name: 'reload-evict',
        kubeconfig: plane.kubeconfigFor(WEBHOOK.token),
        config: { reload: { ...RELOAD, strategy: 'evict' } },
      });
    });
    afterAll(() => served?.stop());

    test('a budget is respected, the template stays, and pods that are young enough too', async () => {
      const namespace = await served.namespace(AUTO);
      await makeSecret(plane, namespace, 'db', { PASSWORD: OLD });
      await make(namespace, 'Deployment', 'api', { annotations: {}, ...FORMS['inject']!('db'), replicas: 2 });
      await allRun(namespace, 2, OLD);
      const budgets = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
      await plane.request('POST', budgets, {
        metadata: { name: 'api' },
        spec: { minAvailable: 2, selector: { matchLabels: { app: 'api' } } },
      });
      await vi.waitFor(async () => {
        expect(dig(await plane.request('GET', `${budgets}/api`), 'status', 'currentHealthy')).toBe(2);
      }, CEILING);
      await knows(served.webhook, 1);
      const before = dig(await workload(namespace, 'Deployment', 'api'), 'metadata', 'generation');
      await rotate(namespace, 'db');
      await vi.waitFor(
        async () => expect(await events(namespace)).toEqual(['api SecretsReloadBlocked']),
        CEILING,
      );
      expect(await live(namespace)).toHaveLength(2);
      // A third pod has the new value already; with it the budget allows one to go.
      await plane.request(
        'PATCH',
        `/apis/apps/v1/namespaces/${namespace}/deployments/api`,
        { spec: { replicas: 3 } },
        MERGE,
      );
      await allRun(namespace, 3, NEW);
      const template = await restartedAt(namespace, 'Deployment', 'api');
      expect(template).toBeUndefined();
      const after = dig(await workload(namespace, 'Deployment', 'api'), 'metadata', 'generation');
      expect(Number(after) - Number(before)).toBe(1);
      expect(await metrics(served.webhook)).toMatch(
        /^floe_secrets_reloads_total\{kind="Deployment",result="evicted"\} 2$/m,
      );
    });
  });

  test('an API server that restarts loses no change', async () => {
    const served = await startServed(plane, {
      name: 'reload-outage',
      kubeconfig: plane.kubeconfigFor(WEBHOOK.token),
      config: { reload: { ...RELOAD, quiet: '3s' } },
    });
    try {
      const namespace = await served.namespace(AUTO);
      await makeSecret(plane, namespace, 'db', { PASSWORD: OLD });
      await make(namespace, 'Deployment', 'api', { annotations: {}, ...FORMS['inject']!('db') });
      await allRun(namespace, 1, OLD);
      await knows(served.webhook, 1);
      await rotate(namespace, 'db');
      await plane.restartApiServer();
      await allRun(namespace, 1, NEW);
    } finally {
      await served.stop();
    }
  });
});

interface Workload {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly template?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly pod?: object;
  readonly replicas?: number;
}

async function leading(webhook: WebhookProcess): Promise<void> {
  await vi.waitFor(() => expect(webhook.log()).toContain('"leading"'), CEILING);
}

const EVERYTHING = [
  '/api/v1/namespaces/NS/pods',
  '/api/v1/namespaces/NS/events',
  '/api/v1/namespaces/NS/configmaps',
  '/apis/apps/v1/namespaces/NS/deployments',
  '/apis/apps/v1/namespaces/NS/replicasets',
  '/apis/apps/v1/namespaces/NS/statefulsets',
  '/apis/apps/v1/namespaces/NS/daemonsets',
  '/apis/apps/v1/namespaces/NS/controllerrevisions',
  '/apis/batch/v1/namespaces/NS/jobs',
  '/apis/argoproj.io/v1alpha1/namespaces/NS/rollouts',
  '/apis/coordination.k8s.io/v1/namespaces/NS/leases',
];

/** The values, what stands for them in a Secret's data, and their digests as programs write them. */
function tracesOf(values: readonly string[]): readonly string[] {
  const texts = values.flatMap((value) => {
    const encoded = Buffer.from(value).toString('base64');
    const data = JSON.stringify({ PASSWORD: encoded });
    return [
      value,
      encoded,
      data,
      `PASSWORD\0${value}\0`,
      `PASSWORD=${value}`,
      Buffer.from(value).toString('hex'),
    ];
  });
  const digests = texts.flatMap((one) => [
    ...['md5', 'sha1', 'sha256', 'sha512'].flatMap((algorithm) => {
      const digest = createHash(algorithm).update(one).digest();
      // Programs cut digests short.
      return [
        digest.toString('hex').slice(0, 10),
        digest.toString('base64url').slice(0, 10),
        digest.toString('base64').slice(0, 10),
      ];
    }),
    crc32(one).toString(16).padStart(8, '0'),
    crc32(one).toString(16).padStart(8, '0').toUpperCase(),
  ]);
  return [...texts, ...digests];
}

const ROLLOUTS = {
  metadata: { name: 'rollouts.argoproj.io' },
  spec: {
    group: 'argoproj.io',
    scope: 'Namespaced',
    names: { plural: 'rollouts', singular: 'rollout', kind: 'Rollout' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
