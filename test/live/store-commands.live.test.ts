/** `create` and `sync` on a real API server, with stand-ins of the stores, and of operators as they were seen to act. */
import { afterAll, beforeAll, describe, expect, inject, it, test, vi } from 'vitest';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { run as create } from '../../src/cli/create.ts';
import type { Options } from '../../src/cli/options.ts';
import { run as status } from '../../src/cli/status.ts';
import { run as sync } from '../../src/cli/sync.ts';
import type { Outcome, Surroundings } from '../cli/captured.ts';
import { captured, folderOf } from '../cli/captured.ts';
import { needs } from '../needs.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { IDENTITY, PROJECT, startInfisical } from '../upstream/infisical-server.ts';
import type { VaultServer } from '../upstream/vault-server.ts';
import { startVault } from '../upstream/vault-server.ts';
import type { Operator } from './operators.ts';
import { startInfisicalOperator } from './operators.ts';

const cluster = inject('cluster');
const VALUE = 'made-up-value';
const cwd = folderOf({ 'db.env': `USER=floe\nPASSWORD=${VALUE}\n` });

describe.skipIf(!needs('apiserver'))('commands that ask stores and operators', () => {
  let api: ApiClient;
  let infisical: InfisicalServer;
  let vault: VaultServer;
  let operator: Operator;
  const namespace = 'store-commands';

  beforeAll(async () => {
    if (cluster === undefined) throw new Error('no cluster');
    api = makeApiClient(cluster);
    [infisical, vault] = await Promise.all([startInfisical('current'), startVault()]);
    const labels = { 'floe.dev/environment': 'prod' };
    await api.request('POST', '/api/v1/namespaces', { metadata: { name: namespace, labels } });
    operator = startInfisicalOperator(api, namespace);
  });
  afterAll(async () => {
    await operator?.stop();
    await Promise.all([infisical?.stop(), vault?.stop(), api?.close()]);
  });

  async function running(
    run: typeof create,
    options: Options,
    { env: more = {}, ...surroundings }: Surroundings = {},
  ): Promise<Outcome> {
    const env = {
      FLOE_SECRETS_UPSTREAM_INFISICAL_HOST_API: `${infisical.url}/api`,
      FLOE_SECRETS_UPSTREAM_INFISICAL_PROJECT: PROJECT.slug,
      FLOE_SECRETS_UPSTREAM_INFISICAL_CREDENTIALS: 'infisical/infisical-machine-identity',
      FLOE_SECRETS_UPSTREAM_VAULT_ADDRESS: vault.url,
      INFISICAL_CLIENT_ID: IDENTITY.clientId,
      INFISICAL_CLIENT_SECRET: IDENTITY.clientSecret,
      VAULT_TOKEN: 'root-token',
      ...more,
    };
    const given = {
      namespace,
      ...(cluster === undefined ? {} : { kubeconfig: cluster.kubeconfig }),
      ...options,
    };
    const outcome = await captured(run, given, { cwd, env, ...surroundings });
    expect(outcome.out + outcome.err).not.toContain(VALUE);
    return outcome;
  }

  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const syncs = `/apis/secrets.infisical.com/v1alpha1/namespaces/${namespace}/infisicalsecrets`;
  const ENV_FILE = { fromEnvFile: ['db.env'] };

  describe('create', () => {
    it('writes upstream and an InfisicalSecret, which the operator then syncs', async () => {
      const { code, out, err } = await running(create, { secret: 'db', ...ENV_FILE });
      expect([err, code]).toEqual(['', 0]);
      expect(out).toBe(
        `UpstreamSecret db created in Infisical floe-platform/prod/db, 2 keys\ninfisicalsecrets.secrets.infisical.com db created in namespace ${namespace}\n`,
      );
      expect(infisical.valuesAt('prod', '/db')).toEqual({ USER: 'floe', PASSWORD: VALUE });
      expect(await api.request('GET', `${syncs}/db`)).toMatchObject({
        spec: {
          hostAPI: `${infisical.url}/api`,
          authentication: {
            universalAuth: {
              credentialsRef: { secretName: 'infisical-machine-identity', secretNamespace: 'infisical' },
              secretsScope: { projectSlug: PROJECT.slug, envSlug: 'prod', secretsPath: '/db' },
            },
          },
          managedKubeSecretReferences: [
            { secretName: 'db', secretNamespace: namespace, creationPolicy: 'Owner' },
          ],
        },
      });
    });

    it('refuses what is there already, before anything is written', async () => {
      await operator.synced('db');
      const again = await running(create, { secret: 'db', fromLiteral: ['USER=other'] });
      expect([again.code, again.err]).toEqual([1, expect.stringContaining("Secret 'db' already exists")]);
      infisical.seed('prod', '/taken', { USER: 'somebody' });
      const taken = await running(create, { secret: 'taken', ...ENV_FILE });
      expect([taken.code, taken.err]).toEqual([1, expect.stringContaining("'USER' exists already")]);
      expect(infisical.valuesAt('prod', '/taken')).toEqual({ USER: 'somebody' });
      expect((await api.send('GET', `${syncs}/taken`)).status).toBe(404);
    });

    it('says which keys of its path are not its own', async () => {
      infisical.seed('prod', '/compute', { OTHER: 'x' });
      const { code, err } = await running(create, { secret: 'shared', path: '/compute', ...ENV_FILE });
      expect([code, err]).toEqual([
        0,
        expect.stringContaining('has other keys too, and the Secret will have them: OTHER'),
      ]);
    });

    it('changes nothing in a dry run, and says the same', async () => {
      const { code, out } = await running(create, { secret: 'dry', dryRun: true, ...ENV_FILE });
      expect([code, out]).toEqual([
        0,
        expect.stringContaining('created in Infisical floe-platform/prod/dry, 2 keys (dry run)'),
      ]);
      expect(infisical.valuesAt('prod', '/dry')).toBeUndefined();
      expect((await api.send('GET', `${syncs}/dry`)).status).toBe(404);
      const native = await running(create, { secret: 'dry', plugin: 'k8s', dryRun: true, ...ENV_FILE });
      expect([native.code, (await api.send('GET', `${secrets}/dry`)).status]).toEqual([0, 404]);
    });

    it('makes a native Secret with a value of standard input, once', async () => {
      const options = { secret: 'native', plugin: 'kubernetes', fromFile: ['PASSWORD=-'], output: 'json' };
      const made = await running(create, options, { stdin: VALUE });
      expect(JSON.parse(made.out)).toMatchObject({
        kind: 'CreateList',
        items: [{ kind: 'Secret', keys: ['PASSWORD'] }],
      });
      const data = { PASSWORD: Buffer.from(VALUE).toString('base64') };
      expect(await api.request('GET', `${secrets}/native`)).toMatchObject({ type: 'Opaque', data });
      const again = await running(create, options, { stdin: VALUE });
      expect([again.code, again.err]).toEqual([1, expect.stringContaining("Secret 'native' already exists")]);
    });

    it('writes to Vault, and says what is still to be done', async () => {
      const { code, err } = await running(create, { secret: 'warehouse', plugin: 'vault', ...ENV_FILE });
      expect(code).toBe(0);
      expect(err).toContain('write a VaultStaticSecret with destination.name warehouse');
      expect(vault.dataAt('secret', 'warehouse')).toEqual({ USER: 'floe', PASSWORD: VALUE });
    });

    test.each<[string, Options, Readonly<Record<string, string>>, number]>([
      ['no such project', { secret: 'x', project: 'nope' }, {}, 1],
      ['the credentials are refused', { secret: 'x' }, { INFISICAL_CLIENT_SECRET: 'wrong' }, 4],
      ['no credentials: set INFISICAL_CLIENT_ID', { secret: 'x' }, { INFISICAL_CLIENT_ID: '' }, 2],
      ['; or make a native Secret: --plugin k8s', { secret: 'x' }, { INFISICAL_CLIENT_ID: '' }, 2],
      [
        'how the Infisical operator logs in',
        { secret: 'x' },
        { FLOE_SECRETS_UPSTREAM_INFISICAL_CREDENTIALS: '' },
        2,
      ],
      ['--plugin nope is not enabled', { secret: 'x', plugin: 'nope' }, {}, 2],
      ['cannot create a secret', { secret: 'x', plugin: 'external-secrets' }, {}, 2],
      ['is not a valid Secret name', { secret: 'X_y' }, {}, 2],
      ['is of upstream stores', { secret: 'x', plugin: 'k8s', path: '/x' }, {}, 2],
      ['name it with -n', { secret: 'x', allNamespaces: true }, {}, 2],
    ])('refuses: %s', async (words, options, env, exitCode) => {
      const { code, out, err } = await running(create, { ...ENV_FILE, ...options }, { env });
      expect([code, out]).toEqual([exitCode, '']);
      expect(err).toContain(words);
    });

    it('takes back what it wrote upstream where the InfisicalSecret is refused after all', async () => {
      // Somebody makes one of the name between the trial and the write.
      infisical.meanwhile('/secrets', async () =>
        api.request('POST', syncs, resourceFor('raced', 'other', namespace)),
      );
      const { code, err } = await running(create, { secret: 'raced', ...ENV_FILE });
      expect([code, err]).toEqual([1, expect.stringContaining('what was written upstream is taken back')]);
      expect(infisical.valuesAt('prod', '/raced')).toEqual({});
    });
  });

  describe('sync', () => {
    it('makes the v1alpha1 operator sync by its spec, which is as before afterwards', async () => {
      await operator.synced('db');
      const before = await api.request<Resource>('GET', `${syncs}/db`);
      const passes = operator.passes('db');
      const { code, out, err } = await running(sync, { secret: 'db', timeout: '60s' });
      expect([code, out]).toEqual([
        0,
        "✓ InfisicalSecret 'db': asked, and done\n✓ Secret 'db': Synced, 1 key\n",
      ]);
      expect(err).toContain('tools of GitOps may see a moment of drift');
      expect(operator.passes('db')).toBeGreaterThan(passes);
      const after = await api.request<Resource>('GET', `${syncs}/db`);
      expect(after.spec).toEqual(before.spec);
      expect(after.metadata.generation).toBe(before.metadata.generation + 2);
      expect(JSON.stringify(after)).not.toContain('floe-secrets asked');
    });

    it('takes the name of the resource too, and refuses to write the spec where it is told so', async () => {
      await api.request('POST', syncs, resourceFor('by-name', 'its-secret', namespace));
      await operator.synced('by-name');
      const named = await running(sync, { secret: 'by-name' });
      expect([named.code, named.out]).toEqual([0, expect.stringContaining("Secret 'its-secret': Synced")]);
      const refused = await running(sync, { secret: 'its-secret', spec: false });
      expect([refused.code, refused.err]).toEqual([
        1,
        expect.stringContaining('--no-spec forbids to write spec.syncConfig.resyncInterval'),
      ]);
    });

    it("shows the operator's own words where its pass fails", async () => {
      operator.fail('no such project');
      const { code, out } = await running(sync, { secret: 'db' });
      operator.fail(undefined);
      expect(code).toBe(5);
      expect(out).toContain("✓ InfisicalSecret 'db': asked, and done");
      expect(out).toContain("✗ Secret 'db': Stale");
      expect(out).toContain('no such project');
    });

    it('says that nobody was there, and puts the spec back all the same', async () => {
      operator.pause(true);
      const before = await api.request<Resource>('GET', `${syncs}/db`);
      const { code, out } = await running(sync, { secret: 'db', timeout: '1s', output: 'json' });
      operator.pause(false);
      expect(code).toBe(5);
      expect(JSON.parse(out)).toMatchObject({
        items: [{ method: 'spec', seen: false, note: expect.stringContaining('is its operator running?') }],
      });
      const after = await api.request<Resource>('GET', `${syncs}/db`);
      expect([after.spec, after.status]).toEqual([before.spec, before.status]);
    });

    it('puts everything back where it is interrupted, and ends as Ctrl-C ends a command', async () => {
      operator.pause(true);
      const before = await api.request<Resource>('GET', `${syncs}/db`);
      const stop = new AbortController();
      const ended = running(sync, { secret: 'db' }, { interrupted: stop.signal });
      await vi.waitFor(
        async () =>
          expect(JSON.stringify(await api.request('GET', `${syncs}/db`))).toContain('floe-secrets asked'),
        { timeout: 60_000, interval: 50 },
      );
      stop.abort();
      const { code, out, err } = await ended;
      operator.pause(false);
      expect([code, out]).toEqual([130, '']);
      expect(err).toContain('Error: interrupted: what was written to wake the operator is as it was');
      const after = await api.request<Resource>('GET', `${syncs}/db`);
      expect([after.spec, after.status]).toEqual([before.spec, before.status]);
    });

    it('asks the v1beta1 operator by an annotation, and writes no spec', async () => {
      const path = syncs.replace('v1alpha1', 'v1beta1').replace('infisicalsecrets', 'infisicalstaticsecrets');
      await api.request('POST', path, staticFor('static', 'from-static', namespace));
      await operator.synced('static');
      const { code, out, err } = await running(sync, { secret: 'from-static', spec: false });
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain("InfisicalStaticSecret 'static': asked, and done");
      const { metadata } = await api.request<Resource>('GET', `${path}/static`);
      expect(metadata.generation).toBe(1);
      expect(Object.keys(metadata.annotations ?? {})).toEqual(['secrets.floe.dev/sync-requested']);
    });

    it('says of a native Secret, and of nothing, that nobody syncs it', async () => {
      await api.request('POST', secrets, { metadata: { name: 'plain' } });
      const plain = await running(sync, { secret: 'plain' });
      expect([plain.code, plain.err]).toEqual([1, expect.stringContaining('it is a native Secret')]);
      const nothing = await running(sync, { secret: 'nothing' });
      expect([nothing.code, nothing.err]).toEqual([
        1,
        expect.stringContaining("there is no Secret 'nothing'"),
      ]);
    });
  });

  describe('status --drift', () => {
    const sum = 'W/"secrets-48-80C15C79"';
    const data = { SNOWFLAKE_USER: 'ZmxvZQ==', SNOWFLAKE_PASSWORD: 'czNjcjN0LTE=' };
    const other = 'store-drift';

    it('tells hand-edited data from what the operator wrote, without asking Infisical', async () => {
      await api.request('POST', '/api/v1/namespaces', { metadata: { name: other } });
      const at = (collection: string): string => collection.replace(namespace, other);
      for (const [name, version, changed] of [
        ['good', sum, {}],
        ['edited', sum, { SNOWFLAKE_USER: 'eA==' }],
        ['older', '"2jmj7l5rSw0yVb/vlWAYkK/YBwk="', {}],
      ] as const) {
        await api.request('POST', at(syncs), resourceFor(name, name, other));
        const annotations = { 'secrets.infisical.com/version': version };
        await api.request('POST', at(secrets), {
          metadata: { name, annotations },
          data: { ...data, ...changed },
        });
      }
      await api.request('POST', at(syncs), resourceFor('gone', 'gone', other));
      await api.request('POST', at(secrets), { metadata: { name: 'plain' }, data });
      const asked = infisical.requests.length;
      const { code, out } = await running(status, { namespace: other, drift: true, exitCode: true });
      const drifts = out
        .split('\n')
        .map((line) => line.split(/ {2,}/))
        .map((cells) => [cells[0], cells.at(-1)]);
      expect(drifts.slice(0, -1)).toEqual([
        ['NAME', 'DRIFT'],
        ['edited', 'drifted'],
        ['gone', 'unknown'],
        ['good', 'in sync'],
        ['older', 'unknown'],
        ['plain', '-'],
      ]);
      expect(code).toBe(5);
      expect(infisical.requests.length).toBe(asked);
      expect(out).not.toMatch(/s3cr3t-1|czNjcjN0/);
      const told = await running(status, { namespace: other, drift: true, output: 'json' });
      expect(told.code).toBe(0);
      expect(JSON.parse(told.out)).toMatchObject({
        items: [
          { name: 'edited', drift: 'drifted' },
          {},
          { drift: 'in sync' },
          { drift: 'unknown' },
          { drift: null },
        ],
      });
      expect((await running(status, { namespace: other, output: 'json' })).out).not.toContain('drift":');
    });
  });
});

interface Resource {
  readonly metadata: {
    readonly generation: number;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
  readonly status?: object;
}

function resourceFor(name: string, target: string, namespace: string): object {
  return {
    apiVersion: 'secrets.infisical.com/v1alpha1',
    kind: 'InfisicalSecret',
    metadata: { name },
    spec: {
      syncConfig: { resyncInterval: '30s' },
      authentication: {
        universalAuth: { secretsScope: { projectSlug: PROJECT.slug, envSlug: 'prod', secretsPath: '/' } },
      },
      managedKubeSecretReferences: [{ secretName: target, secretNamespace: namespace }],
    },
  };
}

function staticFor(name: string, target: string, namespace: string): object {
  return {
    apiVersion: 'secrets.infisical.com/v1beta1',
    kind: 'InfisicalStaticSecret',
    metadata: { name },
    spec: {
      infisicalAuthRef: { name: 'auth', namespace },
      syncOptions: { refreshInterval: '1m' },
      sources: [{ projectSlug: PROJECT.slug, environmentSlug: 'prod', secretPath: '/' }],
      targets: [{ name: target, namespace, kind: 'Secret', creationPolicy: 'Owner' }],
    },
  };
}
