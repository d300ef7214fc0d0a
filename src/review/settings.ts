/** What the reviewer derives from the config once: sets, maps and the plugin registry. */
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/error.ts';
import { nearest } from '../kube/nearest.ts';
import { DEFAULT_INSTALL_NAMESPACE, OPERATOR_NAMESPACES, SYSTEM_NAMESPACES } from '../contract/keys.ts';
import { derived } from '../kube/derived.ts';
import type { ResourceKind } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import { PLUGINS } from '../plugins/index.ts';
import type { Plugin, SyncKind } from '../plugins/plugin.ts';

export interface Settings {
  readonly config: Config;
  readonly exemptNamespaces: ReadonlySet<string>;
  readonly exemptUsernames: ReadonlySet<string>;
  readonly trustedNamespaces: ReadonlySet<string>;
  readonly skipContainers: ReadonlySet<string>;
  /** The plugins that run. */
  readonly enabled: readonly Plugin[];
  /** The same, by id and by alias. */
  readonly plugins: ReadonlyMap<string, Plugin>;
  /** The plugin that claims the Secret by its operator's mark alone. */
  readonly markingOf: (record: SecretRecord) => Plugin | undefined;
  /** The first plugin whose operator's mark the Secret carries: it wrote the Secret at some time. */
  readonly markOf: (record: SecretRecord) => Plugin | undefined;
  /** The kinds of sync resources of all of them, each once. */
  readonly kinds: readonly SyncKind[];
  /** A sync kind and the plugins that have it, by 'group/kind'. */
  readonly kindOf: ReadonlyMap<string, KnownKind>;
  /** Any name of an environment to the one that stands for all of them. */
  readonly environmentOf: (name: string) => string;
}

export interface KnownKind {
  readonly kind: SyncKind;
  readonly plugins: readonly Plugin[];
}

/** Throws ConfigError where the config names a plugin that does not exist. */
export function settingsOf(config: Config): Settings {
  const { enabled: written } = config.plugins;
  checkPlugins('plugins.default', config.plugins.default);
  if (written !== 'auto') checkPlugins('plugins.enabled', written);
  return settingsOver(config, enabledPlugins(config));
}

/** The settings over plugins of anybody's choice. */
export function settingsOver(config: Config, enabled: readonly Plugin[]): Settings {
  const kinds = [...new Set(enabled.flatMap((plugin) => plugin.kinds))];
  return {
    config,
    exemptNamespaces: new Set([
      ...SYSTEM_NAMESPACES,
      ...OPERATOR_NAMESPACES,
      DEFAULT_INSTALL_NAMESPACE,
      ...config.enforcement.exempt.namespaces,
    ]),
    exemptUsernames: new Set(config.enforcement.exempt.usernames),
    trustedNamespaces: new Set([...OPERATOR_NAMESPACES, ...config.sync.trustedNamespaces]),
    skipContainers: new Set(config.injection.skipContainers),
    enabled,
    plugins: new Map(
      enabled.flatMap((plugin) => [plugin.id, ...plugin.aliases].map((id) => [id, plugin] as const)),
    ),
    markingOf: marksAmong(enabled.filter((plugin) => plugin.scopeByMark !== undefined)),
    markOf: marksAmong(enabled),
    kinds,
    kindOf: new Map(
      kinds.map((kind) => [
        kindKey(kind.resource),
        { kind, plugins: enabled.filter((plugin) => plugin.kinds.includes(kind)) },
      ]),
    ),
    environmentOf: canonicalEnvironment(config.environments.aliases),
  };
}

/** A Secret is reviewed again and again, and what stands on it stays. */
function marksAmong(plugins: readonly Plugin[]): Settings['markOf'] {
  return derived((record) => plugins.find((plugin) => plugin.marks(record)));
}

export function kindKey(resource: Pick<ResourceKind, 'group' | 'kind'>): string {
  return `${resource.group}/${resource.kind}`;
}

function checkPlugins(path: string, ids: readonly string[]): void {
  const known = PLUGINS.flatMap((plugin) => [plugin.id, ...plugin.aliases]);
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const hint = near === undefined ? `known plugins: ${known.join(', ')}` : `did you mean '${near}'?`;
  throw new ConfigError(`${path}: there is no plugin '${unknown}'; ${hint}`);
}

/** `auto` runs every plugin: the world says of each kind whether its CRD is served. */
export function enabledPlugins(config: Config): readonly Plugin[] {
  const enabled = config.plugins.enabled;
  if (enabled === 'auto') return PLUGINS;
  return PLUGINS.filter((plugin) => [plugin.id, ...plugin.aliases].some((id) => enabled.includes(id)));
}

function canonicalEnvironment(
  aliases: Readonly<Record<string, readonly string[]>>,
): (name: string) => string {
  const canonical = new Map<string, string>();
  for (const [name, others] of Object.entries(aliases)) {
    for (const other of [name, ...others]) canonical.set(other.toLowerCase(), name.toLowerCase());
  }
  return (name) => canonical.get(name.toLowerCase()) ?? name.toLowerCase();
}
