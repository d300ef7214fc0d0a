/** Everything in a cluster of the kinds that an installation can make, to see what one leaves behind. */
import { parseAllDocuments } from 'yaml';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { VARIANTS } from '../chart/variants.ts';
import { CHART, helm } from '../live/chart.ts';

/** What the program and the cluster's controllers make for it. */
const AT_RUN_TIME = ['Lease', 'Secret', 'Pod', 'ReplicaSet', 'EndpointSlice'];

/** The kinds of everything that any of the chart's values brings, hooks included. */
export async function kindsOfChart(kubeconfig: string): Promise<ReadonlySet<string>> {
  const rendered = await Promise.all(
    VARIANTS.map((values) => helm(kubeconfig, 'template', 'x', CHART, ...values)),
  );
  const kinds = rendered
    .flatMap((text) => parseAllDocuments(text))
    .map((document) => document.toJS() as { readonly kind?: string } | null)
    .flatMap((object) => object?.kind ?? []);
  return new Set([...kinds, ...AT_RUN_TIME]);
}

/** The cluster's own, which come when they come; the Leases are API servers' and nodes'. */
const OF_THE_CLUSTER =
  /^(ServiceAccount \S+\/default|ConfigMap \S+\/kube-root-ca.crt|Lease kube-(system|node-lease)\/\S+)$/;

interface Resources {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly verbs: readonly string[];
  }[];
}

interface Groups {
  readonly groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[];
}

interface Items {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly namespace?: string } }[];
}

/** Kind, namespace and name of all that is there, without what the cluster makes by itself. */
export async function inventory(api: ApiClient, kinds: ReadonlySet<string>): Promise<readonly string[]> {
  const { groups } = await api.request<Groups>('GET', '/apis');
  const versions = [
    '/api/v1',
    ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`),
  ];
  const found = await Promise.all(versions.map((version) => listKinds(api, version, kinds)));
  return found.flat().filter((name) => !OF_THE_CLUSTER.test(name));
}

async function listKinds(
  api: ApiClient,
  version: string,
  kinds: ReadonlySet<string>,
): Promise<readonly string[]> {
  const { resources } = await api.request<Resources>('GET', version);
  const wanted = resources.filter(
    ({ name, kind, verbs }) => kinds.has(kind) && verbs.includes('list') && !name.includes('/'),
  );
  const lists = wanted.map(async ({ name, kind }) => {
    const { items } = await api.request<Items>('GET', `${version}/${name}`);
    return items.map(({ metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
  });
  return (await Promise.all(lists)).flat();
}
