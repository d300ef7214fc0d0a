/** The service account of the pod that this process runs in. */
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { ConnectError } from './connect-error.ts';
import type { Endpoint } from './credentials.ts';
import { endpointOf } from './credentials.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export function runsInPod(env: Environment): boolean {
  return (env['KUBERNETES_SERVICE_HOST'] ?? '') !== '' && (env['KUBERNETES_SERVICE_PORT'] ?? '') !== '';
}

/** Token and CA as the kubelet last wrote them. Throws ConnectError where the pod has none. */
export async function podCredentials(env: Environment, directory: string): Promise<Endpoint> {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? ''}`;
  const [token, ca] = await Promise.all([readPart(directory, 'token'), readPart(directory, 'ca.crt')]);
  return endpointOf(server, { headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } });
}

/** The pod's own namespace: what its service account says, else $POD_NAMESPACE; `default` where nothing tells. */
export async function podNamespace(env: Environment, directory: string): Promise<string> {
  try {
    return (await readFile(join(directory, 'namespace'), 'utf8')).trim();
  } catch {
    return env['POD_NAMESPACE'] || 'default';
  }
}

async function readPart(directory: string, file: string): Promise<string> {
  try {
    return await readFile(join(directory, file), 'utf8');
  } catch {
    const path = join(directory, file);
    throw new ConnectError(
      `the pod's service account cannot be used: '${path}' cannot be read. Set automountServiceAccountToken: true on the pod, or give --kubeconfig`,
      3,
    );
  }
}
