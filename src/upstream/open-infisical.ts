/** Infisical by the settings: which login there are credentials for. */
import type { Config } from '../config/config.ts';
import type { Surroundings } from './credentials.ts';
import {
  POD_TOKEN,
  credential,
  githubOidcToken,
  hasGithubOidc,
  readCredential,
  requiredCredential,
} from './credentials.ts';
import { createInfisical } from './infisical.ts';
import type { InfisicalLogin } from './infisical-login.ts';
import type { Store } from './store.ts';
import type { TimeLimit } from './time-limit.ts';
import { trustAuthority } from './trust.ts';
import { UpstreamError } from './upstream-error.ts';

type Settings = Config['upstream']['infisical'];

export async function openInfisical(
  settings: Settings,
  surroundings: Surroundings,
  limit: TimeLimit,
): Promise<Store> {
  const login = await loginOf(settings, surroundings, limit);
  const ca = await trustAuthority(settings.caFile, 'upstream.infisical.caFile', surroundings);
  return createInfisical({ hostAPI: settings.hostAPI, login, limit, ca });
}

async function loginOf(
  settings: Settings,
  surroundings: Surroundings,
  limit: TimeLimit,
): Promise<InfisicalLogin> {
  const method = settings.auth === 'auto' ? await detect(settings, surroundings) : settings.auth;
  if (method === 'token') return { method, token: await requiredCredential(token(settings), surroundings) };
  if (method === 'universal') {
    const clientId = await requiredCredential(clientIdOf(settings), surroundings);
    const secret = { setting: 'upstream.infisical.clientSecretFile', file: settings.clientSecretFile };
    const source = { ...secret, variable: 'INFISICAL_CLIENT_SECRET' };
    return { method, clientId, clientSecret: await requiredCredential(source, surroundings) };
  }
  if (settings.identityId === '') {
    throw new UpstreamError(
      'notConfigured',
      `${method} auth of Infisical needs upstream.infisical.identityId`,
    );
  }
  const { env } = surroundings;
  const fromGithub = method === 'oidc' && settings.jwtFile === '' && hasGithubOidc(env);
  const file = settings.jwtFile === '' ? POD_TOKEN : settings.jwtFile;
  const jwt = async (): Promise<string> =>
    fromGithub ? githubOidcToken(env, limit) : readCredential(file, 'upstream.infisical.jwtFile');
  return { method, identityId: settings.identityId, jwt };
}

/** A client id is the usual way; a token is what somebody gave for just now; an identity logs in as its pod or job. */
async function detect(
  settings: Settings,
  surroundings: Surroundings,
): Promise<Exclude<Settings['auth'], 'auto'>> {
  if ((await credential(clientIdOf(settings), surroundings)) !== undefined) return 'universal';
  if ((await credential(token(settings), surroundings)) !== undefined) return 'token';
  if (settings.identityId !== '') return hasGithubOidc(surroundings.env) ? 'oidc' : 'kubernetes';
  throw new UpstreamError(
    'notConfigured',
    'Infisical: no credentials: set INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET, or upstream.infisical.identityId',
  );
}

function clientIdOf({ clientIdFile: file }: Settings): Parameters<typeof credential>[0] {
  return { setting: 'upstream.infisical.clientIdFile', file, variable: 'INFISICAL_CLIENT_ID' };
}

function token({ tokenFile: file }: Settings): Parameters<typeof credential>[0] {
  return { setting: 'upstream.infisical.tokenFile', file, variable: 'INFISICAL_TOKEN' };
}
