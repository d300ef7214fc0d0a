/** The plugin chain that a floe manifest asks for. */
import { dig } from '../kube/json.ts';
import { ConfigError } from './error.ts';
import { readYaml } from './file.ts';

// floe's code, decision records and entry points spell one plugin in several ways.
const CHAINS: Readonly<Record<string, readonly string[]>> = {
  k8s: ['k8s'],
  kubernetes: ['k8s'],
  'k8s-secrets': ['k8s'],
  infisical: ['infisical', 'k8s'],
  'infisical-ee': ['infisical-ee', 'k8s'],
  eso: ['external-secrets'],
  'external-secrets': ['external-secrets'],
  vault: ['vault'],
  'vault-secrets-operator': ['vault'],
  doppler: ['doppler'],
  onepassword: ['onepassword'],
  '1password': ['onepassword'],
  aws: ['aws'],
  'aws-secrets-manager': ['aws'],
  sops: ['sops'],
  'sealed-secrets': ['sops'],
};

/**
 * The chain of a manifest's `plugins.secrets.type`; undefined where it has none. Native Secrets stay the fallback
 * of Infisical, as in the default. Throws ConfigError for a missing file and an unknown type.
 */
export function chainOfManifest(file: string): readonly string[] | undefined {
  const manifest = readYaml(file, 'manifest');
  const type = dig(manifest.data, 'plugins', 'secrets', 'type');
  if (type === undefined) return undefined;
  const chain = typeof type === 'string' && Object.hasOwn(CHAINS, type) ? CHAINS[type] : undefined;
  if (chain !== undefined) return chain;
  throw new ConfigError(
    `plugins.secrets.type is ${JSON.stringify(type)}; allowed: ${Object.keys(CHAINS).join(', ')} ` +
      `(${manifest.place(['plugins', 'secrets', 'type'])})`,
  );
}
