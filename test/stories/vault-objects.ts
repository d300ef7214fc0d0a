/** The Vault Secrets Operator's resources, with a status as its controllers write it. */
import { textOf } from './manifest.ts';
import type { Manifest, Short } from './manifest.ts';
import { condition, resource, statusOf } from './status.ts';
import type { Maker } from './status.ts';

export const VAULT_OBJECTS: Readonly<Record<string, Maker>> = {
  VaultStaticSecret: (short) => syncOf('VaultStaticSecret', short, { type: 'kv-v2', path: 'compute/db' }),
  VaultDynamicSecret: (short) => syncOf('VaultDynamicSecret', short, { path: 'creds/app' }),
  VaultPKISecret: (short) => syncOf('VaultPKISecret', short, { role: 'web' }),
  VaultAuth: (short) => behind('VaultAuth', short, { method: 'kubernetes', mount: 'kubernetes' }),
  VaultConnection: (short) => behind('VaultConnection', short, { address: 'https://vault.example' }),
};

/** `target`, `create: false`, `auth` (a name, or `namespace/name`), `mount`, `interval`. */
function syncOf(kind: string, short: Short, more: Manifest): Manifest {
  const status = statusOf(short, syncStatus);
  const spec = {
    vaultAuthRef: short['auth'] ?? 'vault-login',
    mount: short['mount'] ?? 'data-platform',
    ...(short['interval'] === undefined ? {} : { refreshAfter: short['interval'] }),
    destination: { name: short['target'], create: short['create'] ?? true },
    ...more,
  };
  return resource(kind, { generation: 1, ...short }, { spec, ...(status && { status }) });
}

/** Words of `status`: ready, failing, unhealthy (the Secret was written before), old (an operator before 1.0). */
function syncStatus(word: string, short: Short): Manifest {
  const lastGeneration = Number(short['observed'] ?? 1);
  const { lastSync, message, status, ...rest } = short;
  const good = lastSync ?? 'now-1m';
  const words = textOf(message, 'permission denied');
  const one = (type: string, isGood: boolean, text: string): Manifest =>
    condition(type, isGood, {
      // The same word whatever the status: only the status tells.
      reason: type === 'SecretSynced' ? 'Synced' : type,
      message: text,
      since: isGood ? good : 'now',
      observedGeneration: lastGeneration,
    });
  const all = (synced: boolean, healthy: boolean): readonly Manifest[] => [
    one('SecretSynced', synced, synced ? 'Secret synced' : `Failed to sync the secret, err=${words}`),
    one('Healthy', healthy, healthy ? 'healthy' : words),
    one('Ready', healthy, ''),
  ];
  const own = pickStatus(rest);
  switch (word) {
    case 'ready':
      return { lastGeneration, secretMAC: 'bWFj', ...own, conditions: all(true, true) };
    case 'failing':
      return { lastGeneration, ...own, conditions: all(false, false) };
    case 'unhealthy':
      return { lastGeneration, secretMAC: 'bWFj', ...own, conditions: all(true, false) };
    case 'old':
      return { lastGeneration, secretMAC: 'bWFj', ...own };
    default:
      throw new Error(`no status of a Vault resource: ${String(status)}`);
  }
}

/** What leases and certificates add; times are Unix seconds. */
function pickStatus({
  lastRenewalTime,
  secretLease,
  valid,
  error,
  expiration,
  lastRotation,
}: Short): Manifest {
  const parts = { lastRenewalTime, secretLease, valid, error, expiration, lastRotation };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

/** A login or a connection: `status: ready`, or `failing` with `message`. */
function behind(kind: string, short: Short, spec: Manifest): Manifest {
  const status = statusOf(short, (word) =>
    word === 'ready' ? { valid: true } : { valid: false, error: textOf(short['message'], 'no such role') },
  );
  return resource(kind, short, { spec, ...(status && { status }) });
}
