/** What every test against a real API server needs of it: kinds, permissions, a way to this machine. */
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { PLUGINS } from '../../src/plugins/index.ts';
import { CUSTOM_KINDS, installCrds } from '../../tools/control-plane/crds.ts';
import type { CustomKind } from '../../tools/control-plane/crds.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import type { Feature } from '../../src/cluster/permissions.ts';
import { FEATURES, rbacRules } from '../../src/cluster/permissions.ts';

/** Who the webhook is, to this API server. */
export const WEBHOOK = { token: 'webhook-token', user: 'floe-secrets-webhook', groups: [] };
export const HOME = 'floe-secrets-system';
export const SERVICE = 'floe-secrets-webhook';

/** Everything that an installation can turn on, but the right to list Secrets. */
const GRANTED = (Object.keys(FEATURES) as Feature[]).filter((feature) => feature !== 'watchSecrets');

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

function bindingTo(kind: 'Role' | 'ClusterRole'): object {
  const name = WEBHOOK.user;
  return {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects: [
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name },
      { kind: 'ServiceAccount', name, namespace: HOME },
    ],
  };
}

/** What the webhook may do in its own namespace: to hold the Lease. */
export async function grantOwn(api: ApiClient, namespace: string): Promise<void> {
  const { own } = rbacRules(PLUGINS, GRANTED);
  const path = `${RBAC}/namespaces/${namespace}`;
  await api.request('POST', `${path}/roles`, { metadata: { name: WEBHOOK.user }, rules: own });
  await api.request('POST', `${path}/rolebindings`, bindingTo('Role'));
}

/** Kinds, the webhook's permissions, and the Service by which the API server finds it. */
export async function prepareCluster(
  api: ApiClient,
  options: { readonly kinds?: readonly CustomKind[]; readonly externalName?: string } = {},
): Promise<void> {
  const name = WEBHOOK.user;
  await installCrds(api, options.kinds ?? CUSTOM_KINDS);
  const { cluster } = rbacRules(PLUGINS, GRANTED);
  await api.request('POST', '/api/v1/namespaces', { metadata: { name: HOME } });
  await api.request('POST', `${RBAC}/clusterroles`, { metadata: { name }, rules: cluster });
  await api.request('POST', `${RBAC}/clusterrolebindings`, bindingTo('ClusterRole'));
  await grantOwn(api, HOME);
  // The chart's Service is a ClusterIP; this one leads out of the cluster, to the tests' process.
  await api.request('POST', `/api/v1/namespaces/${HOME}/services`, {
    metadata: { name: SERVICE },
    spec: { type: 'ExternalName', externalName: options.externalName ?? 'localhost' },
  });
}

/** The webhook's credentials: a cluster that was not started here knows no tokens but its service accounts'. */
export async function webhookToken(plane: ControlPlane): Promise<string> {
  if (plane.kind === 'local') return WEBHOOK.token;
  const accounts = `/api/v1/namespaces/${HOME}/serviceaccounts`;
  await plane.request('POST', accounts, { metadata: { name: WEBHOOK.user } });
  const asked = { spec: { expirationSeconds: 3600 } };
  const { status } = await plane.request<{ readonly status: { readonly token: string } }>(
    'POST',
    `${accounts}/${WEBHOOK.user}/token`,
    asked,
  );
  return status.token;
}
