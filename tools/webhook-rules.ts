// Which sync resources the API server asks `/validate` about: those of every plugin that runs, when they are written.
import type { Plugin } from '../src/plugins/plugin.ts';

/** One rule of a webhook configuration. */
export interface WebhookRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
}

/** A cluster-wide resource is in no namespace that could have opted in, so nobody asks about it. */
export function syncResourceRules(plugins: readonly Plugin[]): readonly WebhookRule[] {
  const kinds = [...new Set(plugins.flatMap((plugin) => plugin.kinds))].map(({ resource }) => resource);
  const namespaced = kinds.filter((kind) => kind.namespaced);
  return [...Map.groupBy(namespaced, ({ group }) => group)].map(([group, resources]) => ({
    apiGroups: [group],
    apiVersions: ['*'],
    operations: ['CREATE', 'UPDATE'],
    resources: resources.map(({ plural }) => plural),
  }));
}
