/** Where an installation lives. */
import type { Config } from '../config/config.ts';
import { DEFAULT_INSTALL_NAMESPACE } from '../contract/keys.ts';
import type { Client } from './client.ts';

/** The pod's own namespace; on a developer's machine, whose context names none, the one of an installation. */
export function homeOf({ namespace, inPod }: Pick<Client, 'namespace' | 'inPod'>): string {
  return namespace === 'default' && !inPod ? DEFAULT_INSTALL_NAMESPACE : namespace;
}

/** The config of a process that runs in a pod: that pod's namespace is never judged, whatever it is called. */
export function exemptingHome(
  config: Config,
  client: Pick<Client, 'namespace' | 'inPod'> | undefined,
): Config {
  // Elsewhere the context's namespace is where a person works.
  if (client?.inPod !== true) return config;
  const { exempt } = config.enforcement;
  const namespaces = [...new Set([...exempt.namespaces, homeOf(client)])];
  return { ...config, enforcement: { ...config.enforcement, exempt: { ...exempt, namespaces } } };
}
