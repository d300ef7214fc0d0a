/** Which Vault the settings, or else the variables of its own command, mean. */
import type { Config } from '../config/config.ts';

type Settings = Config['upstream']['vault'];
type Environment = Readonly<Record<string, string | undefined>>;

/** '' where nothing says. */
export function vaultAddress({ address }: Settings, env: Environment): string {
  return address === '' ? (env['VAULT_ADDR'] ?? '') : address;
}

/** Of Vault Enterprise; '' for none. */
export function vaultNamespace({ namespace }: Settings, env: Environment): string {
  return namespace === '' ? (env['VAULT_NAMESPACE'] ?? '') : namespace;
}
