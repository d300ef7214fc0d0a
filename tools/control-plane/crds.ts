// The operators' CRDs, as little of them as tests and the demo need. Schemas are not theirs: a field that the real
// CRD refuses is accepted here, so what only the real schema can tell is not to be tested against these.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';

export interface CustomKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
}

const INFISICAL = 'secrets.infisical.com';

export const INFISICAL_KINDS: readonly CustomKind[] = [
  { group: INFISICAL, version: 'v1alpha1', kind: 'InfisicalSecret', plural: 'infisicalsecrets' },
  { group: INFISICAL, version: 'v1beta1', kind: 'InfisicalStaticSecret', plural: 'infisicalstaticsecrets' },
];

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ESTABLISHED_WITHIN = 20_000;

/** A namespaced kind with a status subresource and no schema to speak of. */
function customResourceDefinition({ group, version, kind, plural }: CustomKind): object {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } } },
        },
      ],
    },
  };
}

/** Creates the CRDs and waits until the API server serves them. */
export async function installCrds(api: ApiClient, kinds: readonly CustomKind[]): Promise<void> {
  await Promise.all(kinds.map((kind) => api.request('POST', CRDS, customResourceDefinition(kind))));
  await Promise.all(kinds.map((kind) => served(api, kind)));
}

async function served(api: ApiClient, { group, version, plural }: CustomKind): Promise<void> {
  const path = `/apis/${group}/${version}/${plural}`;
  const deadline = Date.now() + ESTABLISHED_WITHIN;
  while ((await api.send('GET', path)).status !== 200) {
    if (Date.now() > deadline) throw new Error(`the API server does not serve ${path}`);
    await sleep(20);
  }
}
