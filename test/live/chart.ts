/** The chart, installed by a real Helm on a real API server; its replicas are processes of this machine. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import type { CustomKind } from '../../tools/control-plane/crds.ts';
import { findTool } from '../../tools/control-plane/kubectl.ts';
import { asShort } from '../stories/manifest.ts';
import { startWebhook } from '../stories/webhook-process.ts';
import type { WebhookProcess } from '../stories/webhook-process.ts';
import { ROOT } from '../sources.ts';
import { HOME, SERVICE } from './cluster.ts';

export const CHART = join(ROOT, 'deploy/chart');
const run = promisify(execFile);

/** Kinds of others that the chart makes objects of. */
export const FOREIGN_KINDS: readonly CustomKind[] = [
  { group: 'cert-manager.io', version: 'v1', kind: 'Issuer', plural: 'issuers' },
  { group: 'cert-manager.io', version: 'v1', kind: 'Certificate', plural: 'certificates' },
  { group: 'monitoring.coreos.com', version: 'v1', kind: 'ServiceMonitor', plural: 'servicemonitors' },
  { group: 'monitoring.coreos.com', version: 'v1', kind: 'PrometheusRule', plural: 'prometheusrules' },
];

/** Runs Helm against this cluster; throws with what it wrote on stderr. */
export async function helm(kubeconfig: string, ...args: readonly string[]): Promise<string> {
  const { path } = findTool('helm');
  if (path === undefined) throw new Error('no helm');
  // Its caches go where the cluster's files are, and with them.
  const env = { PATH: process.env['PATH'], KUBECONFIG: kubeconfig, HOME: dirname(kubeconfig) };
  const { stdout } = await run(path, args, { env });
  return stdout;
}

/** Values under which the API server finds this machine's port instead of pods. */
export function outside(port: number): readonly string[] {
  return ['--set', `service.externalName=localhost,service.port=${port},replicaCount=0`];
}

/** What the chart's ConfigMap says to a pod. */
export async function configOf(api: ApiClient): Promise<Readonly<Record<string, unknown>>> {
  const map = await api.request<{ readonly data: Readonly<Record<string, string>> }>(
    'GET',
    `/api/v1/namespaces/${HOME}/configmaps/${SERVICE}`,
  );
  return asShort(parse(map.data['config.yaml'] ?? ''));
}

/** The same with what is otherwise on this machine: ports, directories, less patience. */
export async function configHere(
  api: ApiClient,
  clientCA?: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { server: _server, webhook, ...config } = await configOf(api);
  const here = clientCA === undefined ? webhook : { ...asShort(webhook), clientCA };
  return { ...config, webhook: here, server: { drain: '5s' } };
}

/** A token of the chart's own ServiceAccount, so that exactly its Role is what a replica has. */
export async function accountToken(api: ApiClient, account = SERVICE): Promise<string> {
  const path = `/api/v1/namespaces/${HOME}/serviceaccounts/${account}/token`;
  const { status } = await api.request<{ readonly status: { readonly token: string } }>('POST', path, {
    spec: { expirationSeconds: 3600 },
  });
  return status.token;
}

export interface ReplicaOptions {
  /** What a pod finds mounted: a directory with the certificate, where the chart does not let the leader keep it. */
  readonly certDir?: string;
  /** A file with the CA of callers, where the chart mounts one. */
  readonly clientCA?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A replica as the chart configures it, on ports of the kernel, with what it mounts as files of this machine. */
export async function startReplica(
  api: ApiClient,
  kubeconfig: string,
  { certDir, clientCA, env = {} }: ReplicaOptions = {},
): Promise<WebhookProcess> {
  const mounted = certDir === undefined ? [] : ['--cert-dir', certDir];
  return startWebhook({
    config: await configHere(api, clientCA),
    args: ['--kubeconfig', kubeconfig, ...mounted],
    env,
  });
}

export interface Configuration {
  readonly webhooks: readonly {
    readonly name: string;
    readonly failurePolicy: string;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

export const CONFIGURATIONS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'].map(
  (plural) => `/apis/admissionregistration.k8s.io/v1/${plural}/${SERVICE}`,
);

/** Both webhook configurations as they are live. */
export async function configurations(api: ApiClient): Promise<readonly Configuration[]> {
  return Promise.all(CONFIGURATIONS.map((path) => api.request<Configuration>('GET', path)));
}

/** Every caBundle, as the certificates' number in it. */
export async function bundles(api: ApiClient): Promise<readonly number[]> {
  const all = (await configurations(api)).flatMap(({ webhooks }) => webhooks);
  return all.map(({ clientConfig }) => {
    const pem = Buffer.from(clientConfig.caBundle ?? '', 'base64').toString();
    return pem.split('BEGIN CERTIFICATE').length - 1;
  });
}

/** The certificates' Secret, decoded. */
export async function certificates(api: ApiClient): Promise<Readonly<Record<string, string>>> {
  const path = `/api/v1/namespaces/${HOME}/secrets/${SERVICE}-certificates`;
  const { data } = await api.request<{ readonly data?: Readonly<Record<string, string>> }>('GET', path);
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
}

/** Takes an entry out of the certificates' Secret: the leader then makes it anew. */
export async function forgetEntry(api: ApiClient, entry: string): Promise<void> {
  const path = `/api/v1/namespaces/${HOME}/secrets/${SERVICE}-certificates`;
  await api.request(
    'PATCH',
    path,
    { data: { [entry]: null } },
    { contentType: 'application/merge-patch+json' },
  );
}

/** Waits with a generous ceiling; says what it waited for. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if (await isSo()) return;
    await sleep(100);
  }
  throw new Error(`waited in vain until ${what}`);
}
