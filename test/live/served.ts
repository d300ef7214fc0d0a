/** A webhook of this project, registered for namespaces of its own: what tests of hard cases start from. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import type { ApiClient, ApiResponse } from '../../tools/control-plane/api-client.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import { startWebhook } from '../stories/webhook-process.ts';
import type { WebhookProcess } from '../stories/webhook-process.ts';
import { readAnswer } from './asking.ts';
import type { LiveAnswer } from './asking.ts';
import { grantOwn } from './cluster.ts';
import { register, SERVED_BY, unregister } from './registration.ts';
import type { Registration } from './registration.ts';
import { temporaryFile } from './temporary-file.ts';

export interface ServedOptions extends Pick<
  Registration,
  'failurePolicy' | 'name' | 'reinvocationPolicy' | 'timeoutSeconds'
> {
  readonly kubeconfig: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

type Texts = Readonly<Record<string, string>>;

export interface Served {
  readonly registration: Registration;
  readonly webhook: WebhookProcess;
  /** Where its Lease lives: each webhook of a test is an installation of its own. */
  readonly home: string;
  /** Makes an opted-in namespace that this webhook serves, and gives its name. */
  namespace(annotations?: Texts, labels?: Texts): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a webhook over this cluster, and registers it for the namespaces that `namespace()` makes. */
export async function startServed(api: ApiClient, options: ServedOptions): Promise<Served> {
  const { name, kubeconfig, config = {}, ...asked } = options;
  const authority = await makeAuthority(name);
  const home = await makeHome(api);
  const args = ['--kubeconfig', kubeconfigIn(home, kubeconfig)];
  const webhook = await startWebhook({ config, authority, args });
  await untilLeading(webhook);
  const registration: Registration = {
    reinvocationPolicy: 'IfNeeded',
    ...asked,
    name,
    port: webhook.port,
    ca: authority.certPem,
  };
  await register(api, registration);
  return {
    registration,
    webhook,
    home,
    namespace: (annotations, labels) => makeNamespace(api, name, annotations, labels),
    stop: async () => {
      await unregister(api, name);
      await webhook.stop();
    },
  };
}

/** Gates are given only while somebody leads, and a replica is ready before it stands for election. */
export async function untilLeading(webhook: WebhookProcess): Promise<void> {
  for (let tries = 0; !webhook.log().includes('"leading"'); tries += 1) {
    if (tries > 1200 || webhook.child.exitCode !== null)
      throw new Error(`it does not lead:\n${webhook.log()}`);
    await sleep(50);
  }
}

/** A namespace in which the webhook may lead. */
export async function makeHome(api: ApiClient): Promise<string> {
  const home = `floe-secrets-${randomBytes(4).toString('hex')}`;
  await api.request('POST', '/api/v1/namespaces', { metadata: { name: home } });
  await grantOwn(api, home);
  return home;
}

/** The same kubeconfig with this namespace in its context. */
export function kubeconfigIn(namespace: string, kubeconfig: string): string {
  const { contexts, ...rest } = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const moved = contexts.map((one) => ({ ...one, context: { ...one.context, namespace } }));
  return temporaryFile(stringify({ ...rest, contexts: moved }));
}

interface Kubeconfig {
  readonly contexts: readonly { readonly context: object }[];
}

export async function makeNamespace(
  api: ApiClient,
  servedBy: string,
  annotations: Texts = {},
  more: Texts = {},
): Promise<string> {
  const name = `floe-jobs-${randomBytes(4).toString('hex')}`;
  const labels = { 'secrets.floe.dev/injection': 'enabled', [SERVED_BY]: servedBy, ...more };
  await api.request('POST', '/api/v1/namespaces', { metadata: { name, labels, annotations } });
  return name;
}

export async function makeSecret(
  api: ApiClient,
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>> = { PASSWORD: 'p' },
): Promise<void> {
  await api.request('POST', `/api/v1/namespaces/${namespace}/secrets`, {
    metadata: { name },
    stringData: data,
  });
}

/** A pod that asks for these Secrets; `spec` is merged over one container `dbt`. */
export function podAsking(inject: string, spec: Readonly<Record<string, unknown>> = {}): object {
  return {
    metadata: {
      generateName: 'dbt-',
      ...(inject === '' ? {} : { annotations: { 'secrets.floe.dev/inject': inject } }),
    },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'dbt', image: 'dbt' }], ...spec },
  };
}

/** Creates the pod, by default only tries to, and gives the answer. */
export async function tryPod(
  api: ApiClient,
  namespace: string,
  pod: object,
  query = '?dryRun=All',
): Promise<LiveAnswer> {
  const response: ApiResponse<unknown> = await api.send(
    'POST',
    `/api/v1/namespaces/${namespace}/pods${query}`,
    pod,
  );
  return readAnswer(response);
}
