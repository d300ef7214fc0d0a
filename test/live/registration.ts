/** Webhook configurations as the chart would write them, each for the namespaces with one label. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { PLUGINS } from '../../src/plugins/index.ts';
import { syncResourceRules } from '../../tools/webhook-rules.ts';
import { HOME, SERVICE } from './cluster.ts';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

/** A namespace is served by the webhook whose name stands in this label. */
export const SERVED_BY = 'test.floe.dev/served-by';
/** With this label the mutating call never comes, as if nobody had answered it. */
export const NOT_MUTATED = 'test.floe.dev/not-mutated';

export interface Registration {
  /** Also the value of the label. */
  readonly name: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly failurePolicy?: 'Fail' | 'Ignore';
  readonly reinvocationPolicy?: 'IfNeeded' | 'Never';
  /** Default 10; under `Ignore` what takes longer passes unjudged. */
  readonly timeoutSeconds?: number;
}

/** Registers both calls, and resolves when the API server makes them. */
export async function register(api: ApiClient, registration: Registration): Promise<void> {
  await api.request('POST', `${ADMISSION}/mutatingwebhookconfigurations`, mutating(registration));
  await api.request('POST', `${ADMISSION}/validatingwebhookconfigurations`, validating(registration));
  await untilCalled(api, registration.name);
}

export async function unregister(api: ApiClient, name: string): Promise<void> {
  await api.request('DELETE', `${ADMISSION}/mutatingwebhookconfigurations/${name}`);
  await api.request('DELETE', `${ADMISSION}/validatingwebhookconfigurations/${name}`);
}

/** One mutating webhook that is not this project's: it runs after all `floe` ones, for its name sorts later. */
export async function registerLater(
  api: ApiClient,
  { name, port, ca }: Registration,
  path = '/later',
): Promise<void> {
  const webhook = {
    ...common({ name, port, ca }, path),
    rules: [podsOnCreate()],
    reinvocationPolicy: 'Never',
  };
  await api.request('POST', `${ADMISSION}/mutatingwebhookconfigurations`, {
    metadata: { name: `zz-${name}` },
    webhooks: [{ ...webhook, name: 'later.example.com' }],
  });
}

function mutating(registration: Registration): object {
  const { namespaceSelector, ...rest } = common(registration, '/mutate');
  const webhook = {
    ...rest,
    name: 'mutate.secrets.floe.dev',
    namespaceSelector: {
      ...namespaceSelector,
      matchExpressions: [{ key: NOT_MUTATED, operator: 'DoesNotExist' }],
    },
    objectSelector: {
      matchExpressions: [{ key: 'secrets.floe.dev/injection', operator: 'NotIn', values: ['disabled'] }],
    },
    rules: [podsOnCreate()],
    reinvocationPolicy: registration.reinvocationPolicy ?? 'IfNeeded',
  };
  return { metadata: { name: registration.name }, webhooks: [webhook] };
}

function validating(registration: Registration): object {
  const written = ['CREATE', 'UPDATE'];
  const webhook = {
    ...common(registration, '/validate'),
    name: 'validate.secrets.floe.dev',
    rules: [
      podsOnCreate(),
      {
        apiGroups: [''],
        apiVersions: ['v1'],
        operations: ['UPDATE'],
        resources: ['pods/ephemeralcontainers'],
      },
      { apiGroups: [''], apiVersions: ['v1'], operations: written, resources: ['replicationcontrollers'] },
      {
        apiGroups: ['apps'],
        apiVersions: ['v1'],
        operations: written,
        resources: ['deployments', 'statefulsets', 'daemonsets', 'replicasets'],
      },
      { apiGroups: ['batch'], apiVersions: ['v1'], operations: written, resources: ['jobs', 'cronjobs'] },
      ...syncResourceRules(PLUGINS),
    ],
  };
  return { metadata: { name: registration.name }, webhooks: [webhook] };
}

function common({ name, port, ca, failurePolicy = 'Fail', timeoutSeconds = 10 }: Registration, path: string) {
  return {
    clientConfig: {
      service: { namespace: HOME, name: SERVICE, path, port },
      caBundle: Buffer.from(ca).toString('base64'),
    },
    namespaceSelector: { matchLabels: { 'secrets.floe.dev/injection': 'enabled', [SERVED_BY]: name } },
    admissionReviewVersions: ['v1'],
    sideEffects: 'NoneOnDryRun',
    failurePolicy,
    matchPolicy: 'Equivalent',
    timeoutSeconds,
  };
}

function podsOnCreate(): object {
  return { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
}

/** A configuration is in force some milliseconds after it is written; only a call tells. */
async function untilCalled(api: ApiClient, name: string): Promise<void> {
  const probe = `probe-${name}`;
  const labels = { 'secrets.floe.dev/injection': 'enabled', [SERVED_BY]: name };
  await api.request('POST', '/api/v1/namespaces', { metadata: { name: probe, labels } });
  const pod = {
    metadata: { name: 'probe', annotations: { 'secrets.floe.dev/inject': 'Not_A_Name' } },
    spec: { containers: [{ name: 'c', image: 'i' }], automountServiceAccountToken: false },
  };
  let last = '';
  for (let tries = 0; tries < 2_000; tries++) {
    const { status, body } = await api.send('POST', `/api/v1/namespaces/${probe}/pods?dryRun=All`, pod);
    if (status === 422) return;
    last = `${status} ${JSON.stringify(body)}`;
    await sleep(25);
  }
  throw new Error(`the webhook ${name} is not called: ${last}`);
}
