/** Infisical as a store, through its own SDK: a place is a folder of an environment of a project. */
import type { InfisicalSDK } from '@infisical/sdk';
import type { Http } from './http.ts';
import { createHttp } from './http.ts';
import type { Call, Folder } from './infisical-call.ts';
import { errorOfSdk } from './infisical-errors.ts';
import { ensureFolder, folderExists, foldersAt } from './infisical-folders.ts';
import type { InfisicalLogin } from './infisical-login.ts';
import { logIn } from './infisical-login.ts';
import { createProjects } from './infisical-projects.ts';
import type { KeyedPlace } from './put-keys.ts';
import { putKeys } from './put-keys.ts';
import { createSession } from './session.ts';
import type { Place, Store, Values } from './store.ts';
import { textValues } from './store.ts';
import type { TimeLimit } from './time-limit.ts';
import { UNKNOWN_OUTCOME, within } from './time-limit.ts';
import { UpstreamError, isUpstream } from './upstream-error.ts';

export interface InfisicalOptions {
  /** With or without the `/api` of an operator's hostAPI. */
  readonly hostAPI: string;
  readonly login: InfisicalLogin;
  readonly limit: TimeLimit;
  /** PEM of the CA for the calls that are our own; the SDK's follow the process's. */
  readonly ca?: string | undefined;
}

/** What the server gives in place of a value that this identity may not see. */
const HIDDEN = '<hidden-by-infisical>';

export function createInfisical({ hostAPI, login, limit, ca }: InfisicalOptions): Store {
  const siteUrl = siteUrlOf(hostAPI);
  const http: Http = createHttp({ ...limit, who: 'Infisical', base: siteUrl, ca });
  const renewable = login.method !== 'token';
  const session = createSession(async () => logIn(login, { siteUrl, http, limit }), {
    who: 'Infisical',
    renewable,
  });
  const projects = createProjects(http, session);
  const call: Call = async (place, work, doubt) => {
    const projectId = await projects.idOf(place.project);
    const folder = { projectId, environment: place.environment, secretPath: normalPath(place.path) };
    return session.use(async (sdk) => {
      try {
        return await within(limit, `Infisical, ${describe(place)}`, async () => work(sdk, folder), doubt);
      } catch (fault) {
        throw errorOfSdk(fault, describe(place));
      }
    });
  };
  return {
    id: 'infisical',
    name: 'Infisical',
    describe,
    list: async (place) => [...(await keysAt(call, place))].toSorted(),
    read: async (place) => readAll(call, place),
    names: async (place) => {
      const [keys, folders] = [
        await keysAt(call, place),
        await foldersAt(call, place, normalPath(place.path)),
      ];
      return [...new Set([...keys, ...folders])].toSorted();
    },
    get: async (place, key) => readOne(call, place, key),
    put: async (place, values, options = {}) => {
      const texts = textValues(values);
      refuseHidden(texts);
      return putKeys(keyedPlace(call, place), texts, options);
    },
    remove: async (place, keys) => {
      for (const key of keys) await removeOne(call, place, key);
    },
    close: async () => http.close(),
  };
}

/** The SDK wants the site without the `/api` that an operator's hostAPI ends with. */
export function siteUrlOf(hostAPI: string): string {
  const url = URL.parse(hostAPI);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new UpstreamError(
      'notConfigured',
      'upstream.infisical.hostAPI is not a URL such as https://app.infisical.com/api',
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/api$/, '')}`;
}

function describe({ project, environment, path }: Place): string {
  return `${project}/${environment}${normalPath(path)}`;
}

/** '/compute/dbt': absolute, without an empty part. */
export function normalPath(path: string): string {
  return `/${path
    .split('/')
    .filter((part) => part !== '')
    .join('/')}`;
}

/** Servers of 2024 give an empty list for a path that is not there, those of today a 404. */
async function keysAt(call: Call, place: Place): Promise<ReadonlySet<string>> {
  const secrets = await call(place, async (sdk, folder) => {
    const listed = await sdk.secrets().listSecrets({ ...folder, viewSecretValue: false });
    return listed.secrets.map(({ secretKey }) => secretKey);
  });
  if (secrets.length === 0) await requirePlace(call, place);
  return new Set(secrets);
}

async function readAll(call: Call, place: Place): Promise<Values> {
  const secrets = await call(place, async (sdk, folder) => sdk.secrets().listSecretsWithImports(folder));
  if (secrets.length === 0) await requirePlace(call, place);
  return Object.fromEntries(secrets.map((secret) => [secret.secretKey, visible(secret, place)]));
}

async function readOne(call: Call, place: Place, key: string): Promise<string> {
  const secret = await call(place, async (sdk, folder) =>
    sdk.secrets().getSecret({ ...folder, secretName: key }),
  );
  return visible(secret, place);
}

interface Seen {
  readonly secretKey: string;
  readonly secretValue: string;
  readonly secretValueHidden?: boolean;
}

function visible({ secretKey, secretValue, secretValueHidden }: Seen, place: Place): string {
  if (secretValueHidden !== true && secretValue !== HIDDEN) return secretValue;
  throw new UpstreamError(
    'hidden',
    `Infisical, ${describe(place)}: the value of '${secretKey}' is hidden from this identity; give it the permission to read values`,
  );
}

function refuseHidden(values: Values): void {
  const key = Object.keys(values).find((name) => values[name] === HIDDEN);
  if (key === undefined) return;
  throw new UpstreamError(
    'hidden',
    `the value of '${key}' is what Infisical writes in place of a hidden one; it is not written`,
  );
}

/** Whether an empty answer is an empty folder, or one that is not there. */
async function requirePlace(call: Call, place: Place): Promise<void> {
  if (await folderExists(call, place)) return;
  throw new UpstreamError(
    'pathNotFound',
    `Infisical, ${describe(place)}: no such path; check the environment and the path`,
  );
}

function keyedPlace(call: Call, place: Place): KeyedPlace {
  return {
    describe: () => `Infisical, ${describe(place)}`,
    keys: async () => {
      try {
        return await keysAt(call, place);
      } catch (error) {
        if (isUpstream(error, 'pathNotFound')) return undefined;
        throw error;
      }
    },
    make: async () => ensureFolder(call, place),
    get: async (key) => readOne(call, place, key),
    create: async (key, secretValue) => {
      const work = async (sdk: InfisicalSDK, folder: Folder): Promise<unknown> =>
        sdk.secrets().createSecret(key, { ...folder, secretValue });
      await call(place, work, UNKNOWN_OUTCOME);
    },
    replace: async (key, secretValue) => {
      const work = async (sdk: InfisicalSDK, folder: Folder): Promise<unknown> =>
        sdk.secrets().updateSecret(key, { ...folder, secretValue });
      await call(place, work, UNKNOWN_OUTCOME);
    },
    remove: async (key) => removeOne(call, place, key),
  };
}

async function removeOne(call: Call, place: Place, key: string): Promise<void> {
  try {
    await call(place, async (sdk, folder) => sdk.secrets().deleteSecret(key, folder), UNKNOWN_OUTCOME);
  } catch (error) {
    if (!isUpstream(error, 'secretNotFound', 'pathNotFound')) throw error;
  }
}
