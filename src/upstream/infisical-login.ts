/**
 * Ways to become a machine identity of Infisical. The SDK knows Universal Auth; Kubernetes and OIDC are one call
 * each, whose token the SDK then takes. A token is never renewed: the server deletes one whose time would pass its
 * longest life, so another login is the only safe way on.
 */
import type { InfisicalSDK } from '@infisical/sdk';
import { text } from '../kube/json.ts';
import type { Http } from './http.ts';
import { errorOfRefusal, errorOfSdk } from './infisical-errors.ts';
import type { TimeLimit } from './time-limit.ts';
import { within } from './time-limit.ts';
import { UpstreamError } from './upstream-error.ts';

export type InfisicalLogin =
  | { readonly method: 'universal'; readonly clientId: string; readonly clientSecret: string }
  /** `jwt` is read at each login: what stands in its file rotates. */
  | { readonly method: 'kubernetes' | 'oidc'; readonly identityId: string; jwt(): Promise<string> }
  | { readonly method: 'token'; readonly token: string };

export interface LoginParts {
  readonly siteUrl: string;
  readonly http: Http;
  readonly limit: TimeLimit;
}

/** A client of the SDK that is logged in; its token is its own, so a new login is a new client. */
export async function logIn(login: InfisicalLogin, parts: LoginParts): Promise<InfisicalSDK> {
  // 61 MB of dependencies: loaded by whoever needs it.
  const { InfisicalSDK: Sdk } = await import('@infisical/sdk');
  const sdk = new Sdk({ siteUrl: parts.siteUrl });
  if (login.method === 'token') return sdk.auth().accessToken(login.token);
  if (login.method !== 'universal') return sdk.auth().accessToken(await exchangeJwt(login, parts));
  const { clientId, clientSecret } = login;
  try {
    return await within(parts.limit, 'Infisical, login', async () =>
      sdk.auth().universalAuth.login({ clientId, clientSecret }),
    );
  } catch (fault) {
    throw errorOfSdk(fault, 'login by Universal Auth');
  }
}

async function exchangeJwt(
  login: Extract<InfisicalLogin, { readonly method: 'kubernetes' | 'oidc' }>,
  { http }: LoginParts,
): Promise<string> {
  const { status, body } = await http.ask({
    method: 'POST',
    path: `/api/v1/auth/${login.method}-auth/login`,
    body: { identityId: login.identityId, jwt: (await login.jwt()).trim() },
  });
  const where = `login by ${login.method === 'oidc' ? 'OIDC' : 'Kubernetes'} auth`;
  if (status !== 200) throw refusedLogin(status, text(body, 'message') ?? '', where);
  const token = text(body, 'accessToken');
  if (token === undefined)
    throw new UpstreamError('invalid', `Infisical, ${where}: the answer has no accessToken`);
  return token;
}

/** A refused login is final, whatever the words: the same token would be refused again, and count as a failure. */
function refusedLogin(status: number, words: string, where: string): UpstreamError {
  const error = errorOfRefusal({ status, words }, where);
  const final = [400, 401, 403, 404, 422].includes(status) && error.upstream !== 'locked';
  return final ? new UpstreamError('unauthorized', error.message) : error;
}
