/** Where in Vault values are copied to, and which KV that is. */
import type { VaultPlace } from '../migrate/vault-copy.ts';
import { homeOf } from '../upstream/open.ts';
import { UpstreamError, isUpstream } from '../upstream/upstream-error.ts';
import { vaultNamespace } from '../upstream/vault-home.ts';
import type { Looking } from './migrate-source.ts';
import { withStores } from './migrate-store.ts';
import { flagOption, textOption } from './options.ts';

/** As options say it, else the settings. */
export function vaultHome({
  options,
  settings,
  terminal: { env },
}: Looking): Pick<VaultPlace, 'mount' | 'path' | 'vaultNamespace'> {
  const { upstream } = settings.config;
  const home = homeOf('vault', { settings: upstream, env, cwd: '', namespace: '' });
  return {
    mount: (textOption(options, 'mount') ?? home.project).replaceAll(/^\/+|\/+$/g, ''),
    path: textOption(options, 'path') ?? home.path,
    vaultNamespace: vaultNamespace(upstream.vault, env),
  };
}

/**
 * What the mount says of itself. A plan can do without Vault, and says so; what carries it out cannot, nor what asks
 * whether it could be.
 */
export async function kvOf(
  mount: string,
  { options, settings, terminal }: Looking,
): Promise<Pick<VaultPlace, 'type' | 'assumed'>> {
  const isPlan = !flagOption(options, 'apply') && !flagOption(options, 'dryRun');
  try {
    return await withStores(settings, terminal, async (open) => {
      const version = await (await open('vault')).kvVersion?.(mount);
      return { type: version === 1 ? 'kv-v1' : 'kv-v2' };
    });
  } catch (error) {
    const isCertain = isUpstream(error, 'unsupported', 'invalid', 'mountNotFound');
    if (!isPlan || isCertain || !(error instanceof UpstreamError)) throw error;
    return { type: 'kv-v2', assumed: error.message };
  }
}
