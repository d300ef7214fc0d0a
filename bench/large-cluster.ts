/** A real API server with 5,000 Secrets, the InfisicalSecrets that make them, and pods that use some of them. */
import type { JsonObject } from '../src/kube/json.ts';
import type { ApiClient } from '../tools/control-plane/api-client.ts';
import { CUSTOM_KINDS, installCrds } from '../tools/control-plane/crds.ts';

export const SECRETS = 5_000;
export const PODS = 1_000;
const NAMESPACES = 50;
/** Writes under way at a time: what an API server on a small machine takes without queueing them. */
const AT_ONCE = 32;
const KEYS_EACH = ['USERNAME', 'PASSWORD', 'HOST', 'PORT', 'DATABASE'];
const SYNCED_AT = '2026-01-01T08:00:00Z';

/** Fills an empty cluster; some 16,000 writes. */
export async function fillCluster(api: ApiClient, told: (done: number, of: number) => void): Promise<void> {
  await installCrds(api, CUSTOM_KINDS);
  const labels = { 'secrets.floe.dev/injection': 'enabled', 'secrets.floe.dev/enforcement': 'strict' };
  const namespaces = Array.from({ length: NAMESPACES }, (_, index) => namespaceOf(index));
  for (const name of namespaces) {
    await api.request('POST', '/api/v1/namespaces', { metadata: { name, labels } });
    // No controller makes it here, and admission wants it for pods.
    await api.request('POST', `/api/v1/namespaces/${name}/serviceaccounts`, {
      metadata: { name: 'default' },
    });
  }
  const work = [
    ...Array.from({ length: SECRETS }, (_, index) => async () => writeSecret(api, index)),
    ...Array.from({ length: PODS }, (_, index) => async () => writePod(api, index)),
  ];
  let next = 0;
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    for (let task = work[next++]; task !== undefined; task = work[next++]) {
      await task();
      if (next % 500 === 0) told(next, work.length);
    }
  });
  await Promise.all(lanes);
}

function namespaceOf(index: number): string {
  return `team-${index % NAMESPACES}`;
}

/** The resource with the status that its operator wrote, and the Secret as it wrote that. */
async function writeSecret(api: ApiClient, index: number): Promise<void> {
  const namespace = namespaceOf(index);
  const name = `secret-${index}`;
  const resources = `/apis/secrets.infisical.com/v1alpha1/namespaces/${namespace}/infisicalsecrets`;
  const made = await api.request<{ readonly metadata: { readonly uid: string } }>(
    'POST',
    resources,
    infisicalSecret(namespace, name),
  );
  const status = { conditions: [condition('ReadyToSyncSecrets'), condition('LoadedInfisicalToken')] };
  await api.request(
    'PATCH',
    `${resources}/${name}/status`,
    { status },
    {
      contentType: 'application/merge-patch+json',
    },
  );
  await api.request('POST', `/api/v1/namespaces/${namespace}/secrets`, {
    metadata: {
      name,
      annotations: { 'secrets.infisical.com/version': 'W/"secrets-2048-0123456789abcdef"' },
      ownerReferences: [
        {
          apiVersion: 'secrets.infisical.com/v1alpha1',
          kind: 'InfisicalSecret',
          name,
          uid: made.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    data: Object.fromEntries(KEYS_EACH.map((key) => [key, Buffer.from('x'.repeat(40)).toString('base64')])),
  });
}

function infisicalSecret(namespace: string, name: string): JsonObject {
  const secretsScope = { projectSlug: 'floe-platform', envSlug: 'prod', secretsPath: `/${name}` };
  const credentialsRef = { secretName: 'infisical-auth', secretNamespace: namespace };
  return {
    apiVersion: 'secrets.infisical.com/v1alpha1',
    kind: 'InfisicalSecret',
    metadata: { name },
    spec: {
      hostAPI: 'https://app.infisical.com/api',
      syncConfig: { resyncInterval: '1m' },
      authentication: { universalAuth: { credentialsRef, secretsScope } },
      managedKubeSecretReferences: [
        { secretName: name, secretNamespace: namespace, creationPolicy: 'Owner' },
      ],
    },
  };
}

function condition(type: string): JsonObject {
  return {
    type: `secrets.infisical.com/${type}`,
    status: 'True',
    reason: 'OK',
    message: 'Infisical controller has started syncing your secrets. Last reconcile synced 5 secrets',
    lastTransitionTime: SYNCED_AT,
  };
}

async function writePod(api: ApiClient, index: number): Promise<void> {
  const secret = `secret-${index}`;
  await api.request('POST', `/api/v1/namespaces/${namespaceOf(index)}/pods`, {
    metadata: { name: `pod-${index}`, annotations: { 'secrets.floe.dev/inject': secret } },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'main', envFrom: [{ secretRef: { name: secret } }] }],
    },
  });
}
