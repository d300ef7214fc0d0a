/** An installation without the chart. */
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import { HOME, prepareCluster, SERVICE } from '../live/cluster.ts';
import { register, SERVED_BY } from '../live/registration.ts';
import { untilAvailable } from './cluster.ts';
import { IMAGE } from './setup.ts';

export const LABELS = { 'secrets.floe.dev/injection': 'enabled', [SERVED_BY]: 'e2e' };

export async function install(api: ApiClient): Promise<void> {
  const core = `/api/v1/namespaces/${HOME}`;
  await prepareCluster(api);
  await api.request('DELETE', `${core}/services/${SERVICE}`);
  await api.request('POST', `${core}/services`, {
    metadata: { name: SERVICE },
    spec: { selector: { app: SERVICE }, ports: [{ port: 443, targetPort: 8443 }] },
  });
  const authority = await makeAuthority('e2e');
  const leaf = await authority.issue({ names: [`${SERVICE}.${HOME}.svc`] });
  await api.request('POST', `${core}/serviceaccounts`, { metadata: { name: SERVICE } });
  await api.request('POST', `${core}/secrets`, {
    metadata: { name: 'tls' },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': leaf.certPem, 'tls.key': leaf.keyPem },
  });
  await api.request('POST', `/apis/apps/v1/namespaces/${HOME}/deployments`, webhook());
  await untilAvailable(api, HOME, SERVICE);
  await register(api, { name: 'e2e', port: 443, ca: authority.certPem });
}

function webhook(): object {
  const container = {
    name: 'webhook',
    image: IMAGE,
    args: ['serve', '--cert-dir', '/certs'],
    readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
    lifecycle: { preStop: { sleep: { seconds: 3 } } },
    securityContext: {
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [{ name: 'certs', mountPath: '/certs' }],
  };
  return {
    metadata: { name: SERVICE },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: SERVICE } },
      strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels: { app: SERVICE } },
        spec: {
          serviceAccountName: SERVICE,
          terminationGracePeriodSeconds: 30,
          containers: [container],
          volumes: [{ name: 'certs', secret: { secretName: 'tls' } }],
        },
      },
    },
  };
}
