/** A plugin's store by its id: from the settings, with the credentials that this process was given. */
import type { Config } from '../config/config.ts';
import type { KubernetesApi } from './kubernetes-api.ts';
import type { Surroundings } from './credentials.ts';
import { createKubernetes } from './kubernetes.ts';
import type { SecretsPlugin } from './secrets-plugin.ts';
import { createSecretsPlugin, operatorOnlyPlugin } from './secrets-plugin.ts';
import type { Place, Store } from './store.ts';

export interface OpenOptions extends Surroundings {
  readonly settings: Config['upstream'];
  /** For native Secrets. */
  readonly api?: KubernetesApi;
  /** Of native Secrets. */
  readonly namespace: string;
  readonly signal?: AbortSignal;
}

/** The stores that this program has a client of; the EE plugin reads the same Infisical. */
const STORE_OF: Readonly<Record<string, 'k8s' | 'infisical' | 'vault'>> = {
  k8s: 'k8s',
  infisical: 'infisical',
  'infisical-ee': 'infisical',
  vault: 'vault',
};

/** Whether this program can ask a plugin's store itself. */
export function hasStore(plugin: string): boolean {
  return Object.hasOwn(STORE_OF, plugin);
}

/** The store behind a plugin; undefined where its operator alone can ask it. Nothing is sent yet. */
export async function openStore(plugin: string, options: OpenOptions): Promise<Store | undefined> {
  const { settings, api, signal } = options;
  const limit = { milliseconds: settings.timeout, signal };
  const store = hasStore(plugin) ? STORE_OF[plugin] : undefined;
  if (store === 'k8s' && api !== undefined) return createKubernetes(api);
  // Each in a chunk of its own: the SDK and the agents are not for who does not use them.
  if (store === 'infisical') {
    return (await import('./open-infisical.ts')).openInfisical(settings.infisical, options, limit);
  }
  if (store === 'vault') return (await import('./open-vault.ts')).openVault(settings.vault, options, limit);
  return undefined;
}

/** Where the settings say that a plugin's secrets stand. */
export function homeOf(plugin: string, { settings, env, namespace }: OpenOptions): Place {
  const { infisical, vault } = settings;
  if (STORE_OF[plugin] === 'infisical') {
    const project = infisical.project === '' ? (env['INFISICAL_PROJECT_ID'] ?? '') : infisical.project;
    return { project, environment: infisical.environment, path: infisical.path };
  }
  if (STORE_OF[plugin] === 'vault') return { project: vault.mount, environment: '', path: vault.path };
  return { project: '', environment: '', path: namespace };
}

/** floe's questions, answered by the plugin's store. Whoever opens it closes the store. */
export async function openSecretsPlugin(
  plugin: string,
  options: OpenOptions,
): Promise<{ readonly plugin: SecretsPlugin; close(): Promise<void> }> {
  const store = await openStore(plugin, options);
  if (store === undefined) return { plugin: operatorOnlyPlugin(plugin), close: async () => undefined };
  const fallback = options.settings.envFallback ? options.env : undefined;
  return {
    plugin: createSecretsPlugin({ store, home: homeOf(plugin, options), fallback }),
    close: async () => store.close(),
  };
}
