/** What end-to-end tests ask of a cluster: objects by path, pods that end, words that pods print. */
import { randomBytes } from 'node:crypto';
import { vi } from 'vitest';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { readKubeconfig } from '../../tools/control-plane/kubeconfig.ts';
import { IMAGE } from './setup.ts';

/** Against hangs; a loaded machine may take its time. */
export const CEILING = 180_000;

export function openApi(kubeconfig: string | undefined): ApiClient {
  if (kubeconfig === undefined) throw new Error('no cluster');
  return makeApiClient(readKubeconfig(kubeconfig).endpoint);
}

export async function eventually<T>(look: () => Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: CEILING, interval: 200 });
}

export function nameFor(purpose: string): string {
  return `${purpose}-${randomBytes(3).toString('hex')}`;
}

export interface App {
  /** What it does: JavaScript. */
  readonly script: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The pod's. */
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

/** An application's pod template. Its image is the webhook's own: a Node, a user who is not root, no shell. */
export function appTemplate({ script, annotations = {}, securityContext = {} }: App): object {
  const container = {
    name: 'app',
    image: IMAGE,
    imagePullPolicy: 'Never',
    command: ['/nodejs/bin/node', '-e', script],
  };
  return {
    metadata: { annotations },
    spec: { securityContext, terminationGracePeriodSeconds: 0, containers: [container] },
  };
}

/** Runs a pod to its end, and gives what it printed. */
export async function runToEnd(api: ApiClient, namespace: string, app: App): Promise<string> {
  return printedBy(api, namespace, await createPod(api, namespace, app));
}

/** Creates a pod that runs once, and gives its name. */
export async function createPod(api: ApiClient, namespace: string, app: App): Promise<string> {
  const name = nameFor('app');
  await api.request('POST', `/api/v1/namespaces/${namespace}/pods`, withSpec(appTemplate(app), name));
  return name;
}

/** What a pod has printed in the end. */
export async function printedBy(api: ApiClient, namespace: string, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  await eventually(async () => {
    const { status } = await api.request<{ readonly status: PodStatus }>('GET', path);
    if (status.phase !== 'Succeeded') throw new Error(`${name}: ${JSON.stringify(status)}`);
  });
  return api.request<string>('GET', `${path}/log`);
}

interface PodStatus {
  readonly phase: string;
}

function withSpec(template: object, name: string): object {
  const { metadata, spec } = template as { readonly metadata: object; readonly spec: object };
  return { metadata: { ...metadata, name }, spec: { ...spec, restartPolicy: 'Never' } };
}

export interface PodItem {
  readonly metadata: { readonly name: string };
  readonly status: PodStatus;
}

/** The pods that a label selector names; all of the namespace without one. */
export async function podsOf(api: ApiClient, namespace: string, selector = ''): Promise<readonly PodItem[]> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
  return (await api.request<{ readonly items: readonly PodItem[] }>('GET', path)).items;
}

/** A Deployment whose pods stay. */
export function deployment(name: string, replicas: number, app: App): object {
  const template = appTemplate(app) as { readonly metadata: object; readonly spec: object };
  return {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { ...template, metadata: { ...template.metadata, labels: { app: name } } },
    },
  };
}

/** Waits until every replica of a Deployment serves. */
export async function untilAvailable(api: ApiClient, namespace: string, name: string): Promise<void> {
  await eventually(async () => {
    const { metadata, spec, status } = await api.request<DeploymentObject>(
      'GET',
      `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
    );
    const { observedGeneration, updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status;
    const rolled = observedGeneration === metadata.generation && updatedReplicas === spec.replicas;
    if (!rolled || availableReplicas !== spec.replicas || replicas !== spec.replicas)
      throw new Error(`${name}: ${JSON.stringify(status)}`);
  });
}

interface DeploymentObject {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}
