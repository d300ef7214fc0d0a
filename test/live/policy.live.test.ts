/** What `policy` prints, on a real API server: injection and net without any webhook. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Options } from '../../src/cli/options.ts';
import { run } from '../../src/cli/policy.ts';
import { dig } from '../../src/kube/json.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import { captured } from '../cli/captured.ts';
import { needs } from '../needs.ts';
import type { WebhookProcess } from '../stories/webhook-process.ts';
import { startWebhook } from '../stories/webhook-process.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';
import { startInfisicalOperator } from './operators.ts';
import { kubeconfigIn, makeHome, makeSecret } from './served.ts';

const CEILING = { timeout: 60_000, interval: 200 };
const PLURALS: Readonly<Record<string, string>> = {
  MutatingAdmissionPolicy: 'mutatingadmissionpolicies',
  MutatingAdmissionPolicyBinding: 'mutatingadmissionpolicybindings',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
};

interface Printed {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

describe.skipIf(!needs('apiserver'))('the printed policies', () => {
  let plane: ControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: false, tokens: [WEBHOOK] });
    await prepareCluster(plane);
  });
  afterAll(() => plane?.stop());

  const printed = async (options: Options): Promise<readonly Printed[]> => {
    const { out, code } = await captured(run, { kubeconfig: plane.kubeconfig, ...options });
    expect(code).toBe(0);
    return parseAllDocuments(out).map((one) => one.toJS() as Printed);
  };

  const apply = async (objects: readonly Printed[]): Promise<void> => {
    for (const object of objects) {
      const { kind, metadata } = object;
      const path =
        kind === 'ConfigMap'
          ? `/api/v1/namespaces/${metadata.namespace}/configmaps`
          : `/apis/admissionregistration.k8s.io/v1/${PLURALS[kind]}`;
      const { status, body } = await plane.send('POST', path, object);
      expect([status, body]).toEqual([201, expect.anything()]);
      // The API server compiles and checks the types of what it was given.
      expect(JSON.stringify(body)).not.toContain('expressionWarnings');
    }
  };

  const namespace = async (
    labels: Readonly<Record<string, string>> = {},
    annotations: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const name = `policy-${randomBytes(4).toString('hex')}`;
    await plane.request('POST', '/api/v1/namespaces', {
      metadata: { name, annotations, labels: { 'secrets.floe.dev/injection': 'enabled', ...labels } },
    });
    return name;
  };

  const create = async (
    place: string,
    annotations: Readonly<Record<string, string>>,
    more: { readonly labels?: Readonly<Record<string, string>>; readonly spec?: object } = {},
  ): Promise<Answer> =>
    plane.send('POST', `/api/v1/namespaces/${place}/pods?dryRun=All`, {
      metadata: { generateName: 'p-', annotations, labels: more.labels ?? {} },
      spec: { containers: [{ name: 'dbt', image: 'dbt' }], ...more.spec },
    });

  const inject = (value: string): Readonly<Record<string, string>> => ({ 'secrets.floe.dev/inject': value });
  const envFrom = ({ body }: Answer, index = 0): unknown =>
    (dig(body, 'spec', 'containers') as readonly unknown[]).map((one) => dig(one, 'envFrom'))[index];

  test('the net refuses a pod that asks and does not carry; the injection makes it carry', async () => {
    const objects = await printed({});
    expect(objects.map(({ kind }) => kind)).toContain('MutatingAdmissionPolicy');
    const isMutating = ({ kind }: Printed): boolean => kind.startsWith('Mutating');
    await apply(objects.filter((one) => !isMutating(one)));
    const strict = await namespace();
    await vi.waitFor(async () => {
      const refused = await create(strict, inject('db, P_=other?'));
      expect(refused.status).toBe(403);
      expect(JSON.stringify(refused.body)).toContain(
        'FLOE-E807: the pod does not carry what it asked for: db, other',
      );
    }, CEILING);
    expect((await create(strict, {})).status).toBe(201);
    const disabled = { 'secrets.floe.dev/injection': 'disabled' };
    expect((await create(strict, inject('db'), { labels: disabled })).status).toBe(201);
    for (const mode of ['warn', 'audit', 'off']) {
      const lax = await namespace({ 'secrets.floe.dev/enforcement': mode });
      expect((await create(lax, inject('db'))).status).toBe(201);
    }

    await apply(objects.filter(isMutating));
    const carried = await vi.waitFor(async () => {
      const answer = await create(strict, inject('db, P_=other?'));
      expect(answer.status).toBe(201);
      return answer;
    }, CEILING);
    expect(envFrom(carried)).toEqual([
      { secretRef: { name: 'db', optional: false } },
      { prefix: 'P_', secretRef: { name: 'other', optional: true } },
    ]);
    // What is there stays, and is not added again; a proxy gets nothing; the Namespace's wish is a default.
    const containers = [
      {
        name: 'dbt',
        image: 'dbt',
        envFrom: [{ secretRef: { name: 'db' } }, { configMapRef: { name: 'c' } }],
      },
      { name: 'istio-proxy', image: 'proxy' },
      { name: 'tool', image: 'tool' },
    ];
    const asking = await namespace({}, inject('db\nmore'));
    const mixed = await create(asking, {}, { spec: { containers } });
    expect([0, 1, 2].map((index) => envFrom(mixed, index))).toEqual([
      [
        { secretRef: { name: 'db' } },
        { configMapRef: { name: 'c' } },
        { secretRef: { name: 'more', optional: false } },
      ],
      undefined,
      [{ secretRef: { name: 'db', optional: false } }, { secretRef: { name: 'more', optional: false } }],
    ]);
    const named = { ...inject('db'), 'secrets.floe.dev/containers': 'tool' };
    const chosen = await create(strict, named, { spec: { containers } });
    expect(envFrom(chosen, 2)).toEqual([{ secretRef: { name: 'db', optional: false } }]);
    expect(envFrom(chosen, 1)).toBeUndefined();
    // An empty value ends the search, and asks for nothing.
    expect(envFrom(await create(asking, inject('')))).toBeUndefined();
  });

  test('the index says which Secrets are there', async () => {
    const place = await namespace();
    await makeSecret(plane, place, 'ready');
    const objects = await printed({ index: true, mutating: false, namespace: place });
    expect(objects.at(-1)).toMatchObject({ kind: 'ConfigMap', data: { ready: 'Synced' } });
    await apply(objects.filter(({ metadata }) => /indexed|floe-secrets-index/.test(metadata.name)));
    const using = async (spec: object): Promise<Answer> => create(place, {}, { spec });
    const container = (more: object): object => ({ containers: [{ name: 'dbt', image: 'dbt', ...more }] });
    const forms = (name: string, optional: boolean): readonly object[] => [
      container({ envFrom: [{ secretRef: { name, optional } }] }),
      container({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name, key: 'k', optional } } }] }),
      { volumes: [{ name: 'v', secret: { secretName: name, optional } }] },
      { volumes: [{ name: 'v', projected: { sources: [{ secret: { name, optional } }] } }] },
      { initContainers: [{ name: 'i', image: 'i', envFrom: [{ secretRef: { name, optional } }] }] },
    ];
    await vi.waitFor(async () => {
      const refused = await using(forms('not-ready', false)[0] ?? {});
      expect(refused.status).toBe(403);
      expect(JSON.stringify(refused.body)).toContain(`in namespace ${place}: not-ready`);
    }, CEILING);
    for (const spec of forms('not-ready', false)) expect((await using(spec)).status).toBe(403);
    for (const spec of [...forms('ready', false), ...forms('not-ready', true)])
      expect((await using(spec)).status).toBe(201);
    expect((await using({})).status).toBe(201);
    const index = `/api/v1/namespaces/${place}/configmaps/floe-secrets-index`;
    await plane.request('PATCH', index, { data: { 'not-ready': 'Synced' } });
    await vi.waitFor(async () => {
      for (const spec of forms('not-ready', false)) expect((await using(spec)).status).toBe(201);
    }, CEILING);
  });

  const indexPath = (place: string): string => `/api/v1/namespaces/${place}/configmaps/floe-secrets-index`;
  const indexOf = async (place: string): Promise<unknown> =>
    dig((await plane.send('GET', indexPath(place))).body, 'data');
  const expectIndex = async (place: string, data: unknown): Promise<void> =>
    vi.waitFor(async () => expect(await indexOf(place)).toEqual(data), CEILING);
  const label = async (place: string, injection: string): Promise<unknown> =>
    plane.request('PATCH', `/api/v1/namespaces/${place}`, {
      metadata: { labels: { 'secrets.floe.dev/injection': injection } },
    });
  /** Leads, and is registered nowhere. */
  const keeping = async (kubeconfig: string, config: object): Promise<WebhookProcess> =>
    startWebhook({
      config: { policy: { index: true }, ...config },
      authority: await makeAuthority('index'),
      args: ['--kubeconfig', kubeconfigIn(await makeHome(plane), kubeconfig)],
    });

  test('the controller keeps the index by which the policy refuses', async () => {
    const webhook = await keeping(plane.kubeconfigFor(WEBHOOK.token), {
      enforcement: { exempt: { namespaces: ['policy-exempt'] } },
      reload: { pollInterval: '1s' },
    });
    const place = await namespace({}, inject('by-hand'));
    const operator = startInfisicalOperator(plane, place);
    try {
      operator.pause(true);
      await plane.request('POST', '/api/v1/namespaces', {
        metadata: { name: 'policy-exempt', labels: { 'secrets.floe.dev/injection': 'enabled' } },
      });
      await plane.request(
        'POST',
        `/apis/secrets.infisical.com/v1alpha1/namespaces/${place}/infisicalsecrets`,
        {
          apiVersion: 'secrets.infisical.com/v1alpha1',
          kind: 'InfisicalSecret',
          metadata: { name: 'synced' },
          spec: { managedKubeSecretReferences: [{ secretName: 'synced', secretNamespace: place }] },
        },
      );
      const objects = await printed({ index: true, mutating: false, namespace: place });
      const policies = objects.filter(
        ({ kind, metadata }) => kind !== 'ConfigMap' && /indexed/.test(metadata.name),
      );
      for (const one of policies) {
        const path = `/apis/admissionregistration.k8s.io/v1/${PLURALS[one.kind]}`;
        expect([201, 409]).toContain((await plane.send('POST', path, one)).status);
      }
      const pod = {
        spec: { containers: [{ name: 'dbt', image: 'dbt', envFrom: [{ secretRef: { name: 'synced' } }] }] },
      };
      await vi.waitFor(async () => {
        const refused = await create(place, {}, pod);
        expect([refused.status, JSON.stringify(refused.body)]).toEqual([
          403,
          expect.stringContaining(`in namespace ${place}: synced`),
        ]);
      }, CEILING);
      operator.pause(false);
      await expectIndex(place, { synced: 'Synced' });

      // What the namespace asks for counts too; what the controller keeps is what the command prints.
      await makeSecret(plane, place, 'by-hand');
      await expectIndex(place, { 'by-hand': 'Synced', synced: 'Synced' });
      await vi.waitFor(async () => expect((await create(place, {}, pod)).status).toBe(201), CEILING);
      const now = (await printed({ index: true, mutating: false, namespace: place })).at(-1);
      expect((await plane.send('GET', indexPath(place))).body).toMatchObject({ ...now });

      // Whatever else stands in it goes; so does a Secret that is gone.
      await plane.request('PATCH', indexPath(place), { data: { 'not-there': 'Synced' } });
      await expectIndex(place, { 'by-hand': 'Synced', synced: 'Synced' });
      await plane.request('DELETE', `/api/v1/namespaces/${place}/secrets/by-hand`);
      await expectIndex(place, { synced: 'Synced' });

      await label(place, 'disabled');
      await vi.waitFor(
        async () => expect((await plane.send('GET', indexPath(place))).status).toBe(404),
        CEILING,
      );
      await label(place, 'enabled');
      await expectIndex(place, { synced: 'Synced' });
      expect((await plane.send('GET', indexPath('policy-exempt'))).status).toBe(404);
      expect(webhook.log()).not.toContain('index of Secrets not written');
    } finally {
      await operator.stop();
      await webhook.stop();
    }
  });

  test('a new leader takes away what opted out meanwhile; with a watch every Secret counts', async () => {
    const [left, place] = [await namespace(), await namespace()];
    await makeSecret(plane, place, 'unused');
    await apply((await printed({ index: true, mutating: false, namespace: left })).slice(-1));
    await label(left, 'disabled');
    const webhook = await keeping(plane.kubeconfig, { secrets: { access: 'watch' } });
    try {
      await expectIndex(place, { unused: 'Synced' });
      await vi.waitFor(
        async () => expect((await plane.send('GET', indexPath(left))).status).toBe(404),
        CEILING,
      );
      await makeSecret(plane, place, 'more');
      await expectIndex(place, { more: 'Synced', unused: 'Synced' });
      await plane.request('DELETE', `/api/v1/namespaces/${place}/secrets/unused`);
      await expectIndex(place, { more: 'Synced' });
    } finally {
      await webhook.stop();
    }
  });
});
