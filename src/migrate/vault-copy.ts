/** What a Secret of Infisical holds now goes to an entry of Vault's KV, whoever reads it there. */
import type { Conversion, Copy, TargetSecret } from './conversion.ts';

/** Where values go: from settings, options and Vault itself. */
export interface VaultPlace {
  readonly mount: string;
  /** Below it each namespace has a folder, and in that each Secret an entry. */
  readonly path: string;
  /** Vault's own namespace; '' for none. */
  readonly vaultNamespace: string;
  readonly type: 'kv-v1' | 'kv-v2';
  /** Why Vault could not be asked for the type, which is assumed then. */
  readonly assumed?: string;
}

/** 'floe/jobs/db': Secrets of one name in two namespaces do not meet. */
export function entryOf(path: string, namespace: string, secret: string): string {
  return [...path.split('/'), namespace, secret].filter((part) => part !== '').join('/');
}

/** Vault keeps every text as it is. */
export function copyToVault(
  { mount, path }: VaultPlace,
  { namespace, secret }: Pick<Conversion, 'namespace' | 'secret'>,
  { keys, binary }: TargetSecret,
): Copy {
  const place = { project: mount, environment: '', path: entryOf(path, namespace, secret) };
  return { store: 'vault', place, keys, encoded: binary };
}

export function copyNotes({ mount, type, assumed }: VaultPlace, { binary }: TargetSecret): readonly string[] {
  return [
    'what changes in Infisical from then on no longer arrives',
    ...(assumed === undefined ? [] : [`mount '${mount}' is taken for ${type}: ${assumed}`]),
    ...(binary.length === 0
      ? []
      : [`Vault keeps ${binary.join(', ')} as base64: its values are text, and these are bytes`]),
  ];
}
