/** Vault by the settings: which login there are credentials for. */
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Source, Surroundings } from './credentials.ts';
import { POD_TOKEN, credential, readCredential, requiredCredential } from './credentials.ts';
import type { Store } from './store.ts';
import type { TimeLimit } from './time-limit.ts';
import { UpstreamError } from './upstream-error.ts';
import { vaultAddress, vaultNamespace } from './vault-home.ts';
import { createVault } from './vault.ts';
import type { VaultLogin } from './vault-login.ts';

type Settings = Config['upstream']['vault'];

export async function openVault(
  settings: Settings,
  surroundings: Surroundings,
  limit: TimeLimit,
): Promise<Store> {
  const { env, cwd } = surroundings;
  const address = vaultAddress(settings, env);
  if (address === '')
    throw new UpstreamError('notConfigured', 'Vault: set upstream.vault.address or VAULT_ADDR');
  const namespace = vaultNamespace(settings, env);
  const login = await loginOf(settings, surroundings);
  const ca =
    settings.caFile === ''
      ? undefined
      : await readCredential(resolve(cwd, settings.caFile), 'upstream.vault.caFile');
  return createVault({ address, namespace, login, limit, ca });
}

async function loginOf(settings: Settings, surroundings: Surroundings): Promise<VaultLogin> {
  const method = settings.auth === 'auto' ? await detect(settings, surroundings) : settings.auth;
  const source = sources(settings);
  if (method === 'token') return { method, token: await requiredCredential(source.token, surroundings) };
  const mount = settings.authMount === '' ? method : settings.authMount;
  if (method === 'approle') {
    const roleId = await requiredCredential(source.roleId, surroundings);
    return { method, mount, roleId, secretId: await requiredCredential(source.secretId, surroundings) };
  }
  if (settings.role === '') {
    throw new UpstreamError('notConfigured', 'Kubernetes auth of Vault needs upstream.vault.role');
  }
  const file = settings.jwtFile === '' ? POD_TOKEN : resolve(surroundings.cwd, settings.jwtFile);
  const jwt = async (): Promise<string> => readCredential(file, 'upstream.vault.jwtFile');
  return { method, mount, role: settings.role, jwt };
}

/** A role is Kubernetes auth, the first choice; then AppRole, then whatever token there is. */
async function detect(settings: Settings, surroundings: Surroundings): Promise<VaultLogin['method']> {
  if (settings.role !== '') return 'kubernetes';
  const { roleId, token } = sources(settings);
  if ((await credential(roleId, surroundings)) !== undefined) return 'approle';
  if ((await credential(token, surroundings)) !== undefined) return 'token';
  throw new UpstreamError(
    'notConfigured',
    'Vault: no credentials: set upstream.vault.role, VAULT_ROLE_ID and VAULT_SECRET_ID, or VAULT_TOKEN',
  );
}

function sources(settings: Settings): Readonly<Record<'token' | 'roleId' | 'secretId', Source>> {
  return {
    token: { setting: 'upstream.vault.tokenFile', file: settings.tokenFile, variable: 'VAULT_TOKEN' },
    roleId: { setting: 'upstream.vault.roleIdFile', file: settings.roleIdFile, variable: 'VAULT_ROLE_ID' },
    secretId: {
      setting: 'upstream.vault.secretIdFile',
      file: settings.secretIdFile,
      variable: 'VAULT_SECRET_ID',
    },
  };
}
