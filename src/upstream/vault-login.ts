/** Ways to a token of Vault. The token that comes of a login is not renewed; when it ends, another login follows. */
import { dig } from '../kube/json.ts';
import { UpstreamError, isUpstream } from './upstream-error.ts';
import type { VaultAsk } from './vault-http.ts';
import { vaultPath } from './vault-http.ts';

export type VaultLogin =
  /** `jwt` is read at each login: what stands in its file rotates. */
  | { readonly method: 'kubernetes'; readonly mount: string; readonly role: string; jwt(): Promise<string> }
  | { readonly method: 'approle'; readonly mount: string; readonly roleId: string; readonly secretId: string }
  | { readonly method: 'token'; readonly token: string };

export async function logInToVault(login: VaultLogin, ask: VaultAsk): Promise<string> {
  if (login.method === 'token') return login.token;
  const body =
    login.method === 'kubernetes'
      ? { role: login.role, jwt: (await login.jwt()).trim() }
      : { role_id: login.roleId, secret_id: login.secretId };
  const where = `login at auth/${login.mount}`;
  const path = `auth/${vaultPath(login.mount)}/login`;
  const answer = await ask({ method: 'POST', path, body, where }).catch((error: unknown) => {
    // Whatever it calls it, the same credentials would be refused again.
    const final = isUpstream(error, 'forbidden', 'expired', 'invalid', 'secretNotFound', 'mountNotFound');
    throw final ? new UpstreamError('unauthorized', error.message) : error;
  });
  const token = dig(answer, 'auth', 'client_token');
  if (typeof token === 'string') return token;
  throw new UpstreamError('invalid', `Vault, ${where}: the answer has no token`);
}
