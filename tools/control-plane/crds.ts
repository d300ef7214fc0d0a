// The operators' CRDs, as little of them as tests and the demo need. Schemas are not theirs: a field that the real
// CRD refuses is accepted here, so what only the real schema can tell is not to be tested against these.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';

export interface CustomKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** Cluster-wide. */
  readonly cluster?: true;
}

/** `v1/Widget`, or `v1/Widget/cluster`; the plural is the usual one. */
function kindsOf(group: string, ...lines: readonly string[]): readonly CustomKind[] {
  return lines.map((line) => {
    const [version = '', kind = '', scope] = line.split('/');
    const plural = `${kind.toLowerCase()}${kind.endsWith('s') ? 'es' : 's'}`;
    return { group, version, kind, plural, ...(scope === 'cluster' ? { cluster: true } : {}) };
  });
}

export const INFISICAL_KINDS: readonly CustomKind[] = kindsOf(
  'secrets.infisical.com',
  'v1alpha1/InfisicalSecret',
  'v1beta1/InfisicalStaticSecret',
  'v1alpha1/InfisicalDynamicSecret',
  'v1beta1/InfisicalAuth',
  'v1beta1/InfisicalConnection',
  'v1alpha1/InfisicalPushSecret',
);

/** Written down from the operators' own CRDs, so that a plugin that mistakes a plural or a scope is found out. */
export const CUSTOM_KINDS: readonly CustomKind[] = [
  ...INFISICAL_KINDS,
  ...kindsOf(
    'external-secrets.io',
    'v1/ExternalSecret',
    'v1/ClusterExternalSecret/cluster',
    'v1/SecretStore',
    'v1/ClusterSecretStore/cluster',
    'v1alpha1/PushSecret',
  ),
  ...kindsOf(
    'secrets.hashicorp.com',
    'v1beta1/VaultStaticSecret',
    'v1beta1/VaultDynamicSecret',
    'v1beta1/VaultPKISecret',
    'v1beta1/VaultAuth',
    'v1beta1/VaultAuthGlobal',
    'v1beta1/VaultConnection',
  ),
  ...kindsOf('secrets.doppler.com', 'v1alpha1/DopplerSecret'),
  ...kindsOf('onepassword.com', 'v1/OnePasswordItem'),
  ...kindsOf('bitnami.com', 'v1alpha1/SealedSecret'),
  ...kindsOf('isindir.github.com', 'v1alpha3/SopsSecret'),
  ...kindsOf('secrets-store.csi.x-k8s.io', 'v1/SecretProviderClass'),
];

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ESTABLISHED_WITHIN = 60_000;

/** A kind with a status subresource and no schema to speak of. */
function customResourceDefinition({ group, version, kind, plural, cluster }: CustomKind): object {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: cluster === true ? 'Cluster' : 'Namespaced',
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

async function served(api: ApiClient, kind: CustomKind): Promise<void> {
  const deadline = Date.now() + ESTABLISHED_WITHIN;
  while (!(await isServed(api, kind))) {
    if (Date.now() > deadline) throw new Error(`the API server does not serve ${kind.plural}.${kind.group}`);
    await sleep(20);
  }
}

/** Its objects, and its name in the discovery, which another part of the API server writes. */
async function isServed(api: ApiClient, { group, version, plural }: CustomKind): Promise<boolean> {
  const path = `/apis/${group}/${version}`;
  const { body } = await api.send<{ readonly resources?: readonly { readonly name: string }[] }>('GET', path);
  const isDiscovered = body.resources?.some(({ name }) => name === plural) === true;
  return isDiscovered && (await api.send('GET', `${path}/${plural}`)).status === 200;
}
