/**
 * A stand-in for Infisical, with the answers of the servers of 2024 and of today: the same mistakes, other statuses
 * and words. Written from what real servers were seen to answer.
 */
import { randomUUID } from 'node:crypto';
import { text } from '../../src/kube/json.ts';
import type { KeyPair } from '../../tools/certificates.ts';
import type { Received, Reply, StoreServer } from './store-server.ts';
import { startStoreServer } from './store-server.ts';

export type Generation = '2024' | 'current';

export const PROJECT = { id: '11111111-1111-4111-8111-111111111111', slug: 'floe-platform' };
export const IDENTITY = {
  clientId: 'client-1',
  clientSecret: 'client-secret-1',
  identityId: 'identity-1',
  jwt: 'jwt-1',
};
const HIDDEN = '<hidden-by-infisical>';

/** Folder paths to their keys, by environment. */
type Environments = Map<string, Map<string, Map<string, string>>>;

interface State {
  readonly generation: Generation;
  readonly environments: Environments;
  /** Tokens and whether they are good. */
  readonly tokens: Map<string, 'good' | 'expired' | 'deleted'>;
  /** Failed logins so far, by identity. */
  failures: number;
  /** Of current servers; 0 never locks. */
  lockoutThreshold: number;
  /** Whether the identity is a member of the project, and what its role allows. */
  member: boolean;
  allows: Set<'read' | 'write' | 'values'>;
  limited: boolean;
}

export interface InfisicalServer extends StoreServer {
  readonly state: State;
  /** Keys of a folder, which is made where it is not there. */
  seed(environment: string, path: string, values: Readonly<Record<string, string>>): void;
  valuesAt(environment: string, path: string): Readonly<Record<string, string>> | undefined;
  /** Every token given so far ends. */
  endTokens(how: 'expired' | 'deleted'): void;
}

export async function startInfisical(
  generation: Generation,
  options: { readonly pair?: KeyPair } = {},
): Promise<InfisicalServer> {
  const state: State = {
    generation,
    environments: new Map([
      ['dev', new Map([['/', new Map()]])],
      ['prod', new Map([['/', new Map()]])],
    ]),
    tokens: new Map(),
    failures: 0,
    lockoutThreshold: 3,
    member: true,
    allows: new Set(['read', 'write', 'values']),
    limited: false,
  };
  const server = await startStoreServer((request) => answer(state, request), options.pair);
  return {
    ...server,
    state,
    seed(environment, path, values) {
      const folders =
        state.environments.get(environment) ?? new Map<string, Map<string, string>>([['/', new Map()]]);
      state.environments.set(environment, folders);
      for (const folder of ancestors(path)) if (!folders.has(folder)) folders.set(folder, new Map());
      for (const [key, value] of Object.entries(values)) folders.get(path)?.set(key, value);
    },
    valuesAt(environment, path) {
      const folder = state.environments.get(environment)?.get(path);
      return folder === undefined ? undefined : Object.fromEntries(folder);
    },
    endTokens(how) {
      for (const token of state.tokens.keys()) state.tokens.set(token, how);
    },
  };
}

function ancestors(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
}

function answer(state: State, request: Received): Reply {
  const { method, path } = request;
  if (state.limited && !path.endsWith('/api/status')) return rateLimited(state);
  const login = /^\/api\/v1\/auth\/(universal|kubernetes|oidc)-auth\/login$/.exec(path);
  if (method === 'POST' && login !== null) return logIn(state, login[1] ?? '', request);
  const route = ROUTES.find(([on, pattern]) => on.includes(method) && pattern.test(path));
  if (route === undefined) return failure(state, 404, 'Not Found', `Route ${method}:${path} not found`);
  return authorized(state, request) ?? route[2](state, request);
}

type Handler = (state: State, request: Received) => Reply;

const ROUTES: readonly (readonly [methods: readonly string[], path: RegExp, handler: Handler])[] = [
  [['GET'], /^\/api\/v1\/projects\/slug\/[^/]+$/, projectBySlug('current')],
  [['GET'], /^\/api\/v2\/workspace\/[^/]+$/, projectBySlug('2024')],
  [['GET'], /^\/api\/v3\/secrets\/raw$/, listSecrets],
  [['GET', 'POST', 'PATCH', 'DELETE'], /^\/api\/v3\/secrets\/raw\/[^/]+$/, oneSecret],
  [['GET', 'POST'], /^\/api\/v1\/folders$/, folderCalls],
];

function failure(state: State, status: number, error: string, message: string | readonly object[]): Reply {
  const id = state.generation === 'current' ? { reqId: 'req-a3a9b71f' } : {};
  return { status, body: { ...id, statusCode: status, message, error } };
}

function rateLimited(state: State): Reply {
  const when = state.generation === '2024' ? '1 minute' : '59 seconds';
  return {
    ...failure(state, 429, 'RateLimitExceeded', `Rate limit exceeded. Please try again in ${when}`),
    headers: {
      'x-ratelimit-limit': '40',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '59',
      'retry-after': '59',
    },
  };
}

function logIn(state: State, method: string, { body }: Received): Reply {
  const locks = state.generation === 'current' && state.lockoutThreshold > 0;
  if (locks && state.failures >= state.lockoutThreshold) {
    const words = 'This identity auth method is temporarily locked, please try again later';
    return failure(state, 401, 'UnauthorizedError', words);
  }
  const known =
    method === 'universal'
      ? body['clientId'] === IDENTITY.clientId
      : body['identityId'] === IDENTITY.identityId;
  const right =
    method === 'universal' ? body['clientSecret'] === IDENTITY.clientSecret : body['jwt'] === IDENTITY.jwt;
  if (known && right) return { status: 200, body: newToken(state) };
  state.failures += 1;
  if (!known && state.generation === '2024')
    return failure(state, 404, 'NotFound', 'No identity with specified client ID was found');
  return failure(state, 401, 'UnauthorizedError', 'Invalid credentials');
}

function newToken(state: State): object {
  const accessToken = randomUUID();
  state.tokens.set(accessToken, 'good');
  return { accessToken, expiresIn: 7200, accessTokenMaxTTL: 7200, tokenType: 'Bearer' };
}

function authorized(state: State, request: Received): Reply | undefined {
  const token = request.header('authorization').replace(/^Bearer /, '');
  if (token === '') return failure(state, 401, 'UnauthorizedError', 'Token missing');
  const found = state.tokens.get(token);
  if (found === 'good') return undefined;
  if (found === 'deleted') return failure(state, 401, 'UnauthorizedError', 'No identity access token found');
  const words =
    found === 'expired'
      ? 'Your token has expired. Please re-authenticate.'
      : 'The provided access token is malformed. Please use a valid token or generate a new one and try again.';
  return failure(state, 403, 'TokenError', words);
}

function projectBySlug(generation: Generation): Handler {
  return (state, request) => {
    const slug = decodeURIComponent(request.path.split('/').at(-1) ?? '');
    // Each generation has the one route; current servers keep the older one too.
    if (generation === 'current' && state.generation === '2024')
      return failure(state, 404, 'Not Found', `Route GET:${request.path} not found`);
    if (slug === PROJECT.slug) {
      const environments = [...state.environments.keys()].map((name) => ({ name, slug: name }));
      return { status: 200, body: { ...PROJECT, environments } };
    }
    if (state.generation === '2024')
      return failure(state, 500, 'Failed to find project by slug', 'Something went wrong');
    return failure(state, 404, 'NotFound', `Project with slug '${slug}' not found`);
  };
}

interface Scope {
  readonly environment: string;
  readonly path: string;
  readonly folder: Map<string, string> | undefined;
}

/** The folder that is asked for, or why it cannot be. */
function scopeOf(state: State, request: Received, right: 'read' | 'write'): Scope | Reply {
  const given = (name: string): string => request.query.get(name) ?? text(request.body, name) ?? '';
  const environment = given('environment');
  const path = given('secretPath') || given('path') || '/';
  const project = given('workspaceId');
  if (project === '' || environment === '')
    return failure(state, 400, 'BadRequest', 'Missing workspace id or environment');
  if (project !== PROJECT.id) {
    const words = `Project with ID '${project}' not found during bot lookup. Are you sure you are using the correct project ID?`;
    return failure(state, 404, 'NotFound', words);
  }
  if (!state.member) {
    const error = `Identity is not a member of the specified project with ID '${project}'`;
    return failure(state, 403, error, 'You are not allowed to access this resource');
  }
  if (!state.allows.has(right)) {
    const action = right === 'read' ? 'read' : 'create';
    return failure(state, 403, 'PermissionDenied', `You are not allowed to ${action} on secrets`);
  }
  return { environment, path, folder: state.environments.get(environment)?.get(path) };
}

function isReply(value: Scope | Reply): value is Reply {
  return 'status' in value;
}

function listSecrets(state: State, request: Received): Reply {
  const scope = scopeOf(state, request, 'read');
  if (isReply(scope)) return scope;
  const recursive = request.query.get('recursive') === 'true';
  const { environment, path, folder } = scope;
  if (folder === undefined && state.generation === '2024') {
    if (!recursive) return { status: 200, body: { secrets: [], imports: [] } };
    if (state.environments.has(environment)) return { status: 200, body: { secrets: [] } };
    return failure(
      state,
      404,
      'NotFound',
      `Environment with slug '${environment}' in project with ID ${PROJECT.id} not found`,
    );
  }
  if (folder === undefined) {
    const words = `Folder with path '${path}' in environment '${environment}' was not found. Please ensure the environment slug and secret path is correct.`;
    return failure(state, 404, 'SecretPathNotFound', words);
  }
  const hidden = request.query.get('viewSecretValue') === 'false';
  if (!hidden && !state.allows.has('values') && folder.size > 0 && state.generation === 'current')
    return failure(state, 403, 'PermissionDenied', 'You are not allowed to read-value on secrets');
  const secrets = [...folder].map(([key, value]) => secret(state, { key, value, environment }, hidden));
  return { status: 200, body: { secrets, imports: [] } };
}

function secret(
  state: State,
  { key, value, environment }: { readonly key: string; readonly value: string; readonly environment: string },
  hide: boolean,
): object {
  const hidden = hide || !state.allows.has('values');
  return {
    id: randomUUID(),
    workspace: PROJECT.id,
    environment,
    secretKey: key,
    secretValue: hidden ? HIDDEN : value,
    secretValueHidden: hidden,
    version: 1,
    type: 'shared',
    tags: [],
  };
}

function oneSecret(state: State, request: Received): Reply {
  const { method } = request;
  const scope = scopeOf(state, request, method === 'GET' ? 'read' : 'write');
  if (isReply(scope)) return scope;
  const key = decodeURIComponent(request.path.split('/').at(-1) ?? '');
  const { environment, path, folder } = scope;
  if (folder === undefined)
    return failure(
      state,
      404,
      'NotFound',
      `Folder with path '${path}' in environment with slug '${environment}' not found`,
    );
  const value = folder.get(key);
  if (method === 'POST') return create(state, { key, folder, environment }, request);
  if (value === undefined) return failure(state, 404, 'NotFound', `Secret with name '${key}' not found`);
  if (method === 'PATCH') folder.set(key, String(request.body['secretValue']));
  if (method === 'DELETE') folder.delete(key);
  const now = folder.get(key) ?? value;
  return { status: 200, body: { secret: secret(state, { key, value: now, environment }, false) } };
}

interface Creation {
  readonly key: string;
  readonly folder: Map<string, string>;
  readonly environment: string;
}

function create(state: State, { key, folder, environment }: Creation, { body }: Received): Reply {
  const value = body['secretValue'];
  if (typeof value !== 'string') {
    // A message that is a list, with the status of its generation.
    const issues = [{ code: 'invalid_type', path: ['secretValue'], message: 'Required' }];
    return failure(state, state.generation === '2024' ? 401 : 422, 'ValidationFailure', issues);
  }
  if (folder.has(key))
    return failure(
      state,
      400,
      'BadRequest',
      state.generation === '2024' ? 'Secret already exist' : 'Secret already exists',
    );
  folder.set(key, value);
  return { status: 200, body: { secret: secret(state, { key, value, environment }, false) } };
}

function folderCalls(state: State, request: Received): Reply {
  const scope = scopeOf(state, request, request.method === 'GET' ? 'read' : 'write');
  if (isReply(scope)) return scope;
  const all = state.environments.get(scope.environment);
  const below = scope.path === '/' ? '/' : `${scope.path}/`;
  if (request.method === 'GET') {
    const names = [...(all?.keys() ?? [])]
      .filter((path) => path !== '/' && path.startsWith(below) && !path.slice(below.length).includes('/'))
      .map((path) => path.slice(below.length));
    return { status: 200, body: { folders: names.map((name) => ({ id: randomUUID(), name })) } };
  }
  const name = String(request.body['name']);
  if (all === undefined || scope.folder === undefined)
    return failure(
      state,
      404,
      'NotFound',
      `Environment with slug '${scope.environment}' in project with ID ${PROJECT.id} not found`,
    );
  if (all.has(below + name)) return failure(state, 400, 'BadRequest', 'Folder already exists');
  all.set(below + name, new Map());
  return { status: 200, body: { folder: { id: randomUUID(), name } } };
}
