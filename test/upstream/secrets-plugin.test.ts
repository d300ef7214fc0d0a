/** floe's five questions, whichever store answers, and opening a store by the settings. */
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { KubernetesApi } from '../../src/upstream/kubernetes-api.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { asObject, get } from '../../src/kube/json.ts';
import { nameOf } from '../../src/kube/object.ts';
import type { OpenOptions } from '../../src/upstream/open.ts';
import { openSecretsPlugin } from '../../src/upstream/open.ts';
import type { SecretsPlugin } from '../../src/upstream/secrets-plugin.ts';
import { folderOf } from '../cli/captured.ts';
import type { InfisicalServer } from './infisical-server.ts';
import { IDENTITY, PROJECT, startInfisical } from './infisical-server.ts';
import type { VaultServer } from './vault-server.ts';
import { ROLE, startVault } from './vault-server.ts';

const VALUE = 'made-up-value';

let infisical: InfisicalServer;
let vault: VaultServer;
let closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  [infisical, vault] = await Promise.all([startInfisical('current'), startVault()]);
});
afterEach(async () => {
  await Promise.all(closing.map(async (close) => close()));
  closing = [];
  await Promise.all([infisical.stop(), vault.stop()]);
});

/** The settings as a person sets them, by variables. */
function settings(env: Readonly<Record<string, string>> = {}): Config['upstream'] {
  const variables = Object.entries({
    INFISICAL_HOST_API: infisical.url,
    INFISICAL_PROJECT: PROJECT.slug,
    INFISICAL_ENVIRONMENT: 'prod',
    VAULT_ADDRESS: vault.url,
    VAULT_PATH: 'floe',
    ...env,
  }).map(([name, value]) => [`FLOE_SECRETS_UPSTREAM_${name}`, value] as const);
  return loadConfig({ env: Object.fromEntries(variables), flags: {}, cwd: '/' }).upstream;
}

const CREDENTIALS = {
  INFISICAL_CLIENT_ID: IDENTITY.clientId,
  INFISICAL_CLIENT_SECRET: IDENTITY.clientSecret,
  VAULT_TOKEN: 'root-token',
};

async function open(id: string, more: Partial<OpenOptions> = {}): Promise<SecretsPlugin> {
  const options = {
    settings: settings(),
    env: CREDENTIALS,
    cwd: '/',
    api: fakeApi(),
    namespace: 'floe-jobs',
    ...more,
  };
  const { plugin, close } = await openSecretsPlugin(id, options);
  closing.push(close);
  return plugin;
}

describe.each(['k8s', 'infisical', 'infisical-ee', 'vault'])('plugin %s', (id) => {
  it('creates, lists and reads a secret', async () => {
    const plugin = await open(id);
    expect(await plugin.createSecret('db', { PASSWORD: VALUE, USER: 'floe' })).toMatchObject({
      created: ['PASSWORD', 'USER'],
      madePlace: true,
    });
    expect(await plugin.listSecrets()).toEqual(['db']);
    expect(await plugin.getSecret('db')).toEqual({ PASSWORD: VALUE, USER: 'floe' });
    await expect(plugin.createSecret('db', { USER: 'other' })).rejects.toMatchObject({ upstream: 'exists' });
    await expect(plugin.getSecret('nope')).rejects.toMatchObject({
      upstream: expect.stringMatching(/pathNotFound|secretNotFound/),
    });
  });
});

test.each(['k8s', 'infisical', 'vault', 'doppler'])("plugin %s writes floe's exact envFrom", async (id) => {
  const plugin = await open(id);
  expect(plugin.generateSecretMounts('db')).toEqual({ envFrom: [{ secretRef: { name: 'db' } }] });
  expect(plugin.injectEnvVars({ warehouse: 'snowflake', source: 'salesforce' })).toEqual({
    envFrom: [{ secretRef: { name: 'snowflake' } }, { secretRef: { name: 'salesforce' } }],
  });
  expect(plugin.injectEnvVars({})).toEqual({ envFrom: [] });
});

test.each(['external-secrets', 'doppler', 'onepassword', 'aws', 'sops'])(
  'plugin %s says what it cannot do, and what can',
  async (id) => {
    const plugin = await open(id);
    for (const work of [plugin.getSecret('db'), plugin.createSecret('db', {}), plugin.listSecrets()]) {
      await expect(work).rejects.toMatchObject({
        upstream: 'unsupported',
        message: expect.stringContaining("'k8s'"),
      });
    }
  },
);

test('Infisical also knows a single key by its name, as floe reads it', async () => {
  infisical.seed('prod', '/', { SNOWFLAKE_PASSWORD: VALUE });
  expect(await (await open('infisical')).getSecret('SNOWFLAKE_PASSWORD')).toEqual({
    SNOWFLAKE_PASSWORD: VALUE,
  });
});

describe('the environment', () => {
  const env = { ...CREDENTIALS, SNOWFLAKE_PASSWORD: 'from-env', FLOE_SECRET_DB_CREDS: 'by-floe' };

  it('stands in only where the store cannot be reached and the settings say so', async () => {
    vault.state.condition = 'sealed';
    const plugin = await open('vault', { env, settings: settings({ ENV_FALLBACK: 'true' }) });
    expect(await plugin.getSecret('SNOWFLAKE_PASSWORD')).toEqual({ SNOWFLAKE_PASSWORD: 'from-env' });
    expect(await plugin.getSecret('db-creds')).toEqual({ 'db-creds': 'by-floe' });
    await expect(plugin.getSecret('NOT_SET')).rejects.toMatchObject({ upstream: 'sealed' });
    await expect((await open('vault', { env })).getSecret('SNOWFLAKE_PASSWORD')).rejects.toMatchObject({
      upstream: 'sealed',
    });
  });

  it('never stands in for a secret that the store does not have, or refuses', async () => {
    const told = settings({ ENV_FALLBACK: 'true' });
    const plugin = await open('infisical', { env, settings: told });
    await expect(plugin.getSecret('SNOWFLAKE_PASSWORD')).rejects.toMatchObject({
      upstream: 'secretNotFound',
    });
    const refused = await open('infisical', {
      env: { ...env, INFISICAL_CLIENT_SECRET: 'wrong' },
      settings: told,
    });
    await expect(refused.getSecret('SNOWFLAKE_PASSWORD')).rejects.toMatchObject({ upstream: 'unauthorized' });
  });
});

describe('credentials', () => {
  it('come from files that the settings name, before variables', async () => {
    const cwd = folderOf({
      id: `${IDENTITY.clientId}\n`,
      secret: `${IDENTITY.clientSecret}\n`,
      role: ROLE.roleId,
      sid: ROLE.secretId,
    });
    const named = settings({
      INFISICAL_CLIENT_ID_FILE: 'id',
      INFISICAL_CLIENT_SECRET_FILE: 'secret',
      VAULT_ROLE_ID_FILE: 'role',
      VAULT_SECRET_ID_FILE: 'sid',
    });
    infisical.seed('prod', '/db', { A: VALUE });
    vault.seed('secret', 'floe/db', { A: VALUE });
    for (const id of ['infisical', 'vault']) {
      const plugin = await open(id, { settings: named, env: { INFISICAL_CLIENT_SECRET: 'wrong' }, cwd });
      expect(await plugin.getSecret('db')).toEqual({ A: VALUE });
    }
  });

  it.each([
    ['infisical', {}, 'INFISICAL_CLIENT_ID'],
    ['infisical', { INFISICAL_AUTH: 'kubernetes' }, 'upstream.infisical.identityId'],
    ['infisical', { INFISICAL_CLIENT_ID_FILE: '/nope' }, '/nope cannot be read'],
    ['vault', {}, 'upstream.vault.role'],
    ['vault', { VAULT_AUTH: 'kubernetes' }, 'upstream.vault.role'],
    ['vault', { VAULT_ADDRESS: '' }, 'VAULT_ADDR'],
  ] as const)('of %s with %o that are not there are named', async (id, env, words) => {
    const some = {
      ...settings(env),
      ...('VAULT_ADDRESS' in env ? { vault: { ...settings().vault, address: '' } } : {}),
    };
    await expect(open(id, { env: {}, settings: some })).rejects.toMatchObject({
      upstream: 'notConfigured',
      exitCode: 2,
      message: expect.stringContaining(words),
    });
  });

  it("of a GitHub job are GitHub's token for it", async () => {
    const told = settings({ INFISICAL_IDENTITY_ID: IDENTITY.identityId });
    infisical.seed('prod', '/db', { A: VALUE });
    infisical.answer('/github', { status: 200, body: { value: IDENTITY.jwt } });
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${infisical.url}/github?v=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 't',
    };
    expect(await (await open('infisical', { settings: told, env })).getSecret('db')).toEqual({ A: VALUE });
    expect(infisical.asked('POST', '/oidc-auth/login')).toBe(1);
  });
});

describe('native Secrets', () => {
  it('keep bytes, and give none out as text', async () => {
    const plugin = await open('k8s');
    await plugin.createSecret('tls', { key: new Uint8Array([255, 254]) });
    await expect(plugin.getSecret('tls')).rejects.toMatchObject({ upstream: 'unsupported' });
  });

  it('are asked for by names alone where they are listed', async () => {
    const accepts: string[] = [];
    const plugin = await open('k8s', { api: fakeApi((accept) => accepts.push(accept)) });
    await plugin.listSecrets();
    expect(accepts).toEqual([expect.stringContaining('PartialObjectMetadataList')]);
  });

  it.each(['Upper', 'a/b', '../x', ''])('have no name %o', async (name) => {
    await expect((await open('k8s')).getSecret(name)).rejects.toMatchObject({ upstream: 'invalid' });
  });
});

/** Secrets in memory. */
function fakeApi(listed: (accept: string) => void = () => undefined): KubernetesApi {
  const secrets = new Map<string, JsonObject>();
  return {
    async send(method, path, body) {
      const key = (method === 'POST' ? `${path}/${nameOf(body)}` : path).replace(/\?.*/, '');
      const found = secrets.get(key);
      if (method !== 'POST' && found === undefined)
        throw Object.assign(new Error('not found'), { status: 404 });
      const data = { ...asObject(get(found, 'data')), ...asObject(get(body, 'data')) };
      if (method !== 'GET') secrets.set(key, { ...asObject(body), data });
      return secrets.get(key) ?? {};
    },
    async *list(_path, call) {
      listed(call?.accept ?? '');
      yield { items: [...secrets.values()] };
    },
  };
}
