/**
 * `migrate infisical` with values that go to Vault, over a real API server and a stand-in of Vault, without any operator: plans, what stands
 * against one, and what is left of a copy that led to nothing.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { run } from '../../src/cli/migrate-infisical.ts';
import type { Options } from '../../src/cli/options.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { CUSTOM_KINDS, installCrds } from '../../tools/control-plane/crds.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import type { VaultServer } from '../upstream/vault-server.ts';
import { MOUNTS, startVault } from '../upstream/vault-server.ts';
import type { Outcome } from './captured.ts';
import { captured } from './captured.ts';

const VALUE = 'hunter2-made-up';
const HASHICORP = '/apis/secrets.hashicorp.com/v1beta1/namespaces/jobs';
const KINDS = CUSTOM_KINDS.filter(({ group }) =>
  ['secrets.infisical.com', 'external-secrets.io', 'secrets.hashicorp.com'].includes(group),
);

describe.skipIf(!needs('apiserver'))('migrate infisical --to vault', () => {
  let cluster: ControlPlane;
  let vault: VaultServer;

  beforeAll(async () => {
    [cluster, vault] = await Promise.all([startControlPlane({ controllers: false }), startVault()]);
    await installCrds(cluster, KINDS);
    await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'jobs' } });
    const data = { PASSWORD: Buffer.from(VALUE).toString('base64'), 'tls.key': '/wA=' };
    await cluster.request('POST', '/api/v1/namespaces/jobs/secrets', { metadata: { name: 'db' }, data });
    await cluster.request('POST', '/apis/secrets.infisical.com/v1alpha1/namespaces/jobs/infisicalsecrets', {
      apiVersion: 'secrets.infisical.com/v1alpha1',
      kind: 'InfisicalSecret',
      metadata: { name: 'db' },
      spec: {
        authentication: {
          universalAuth: {
            credentialsRef: { secretName: 'identity', secretNamespace: 'jobs' },
            secretsScope: { projectSlug: 'floe', envSlug: 'prod', secretsPath: '/db' },
          },
        },
        managedKubeSecretReferences: [{ secretName: 'db', secretNamespace: 'jobs' }],
      },
    });
    await cluster.request('POST', `${HASHICORP}/vaultauths`, {
      apiVersion: 'secrets.hashicorp.com/v1beta1',
      kind: 'VaultAuth',
      metadata: { name: 'main' },
      spec: {},
    });
    const stores = {
      vault: { vault: { server: vault.url, path: MOUNTS.v2 } },
      other: { vault: { server: 'https://vault.example', path: MOUNTS.v2 } },
      infisical: { infisical: { secretsScope: { projectSlug: 'floe', environmentSlug: 'prod' } } },
    };
    for (const [name, provider] of Object.entries(stores)) {
      await cluster.request('POST', '/apis/external-secrets.io/v1/namespaces/jobs/secretstores', {
        apiVersion: 'external-secrets.io/v1',
        kind: 'SecretStore',
        metadata: { name },
        spec: { provider },
      });
    }
  }, 120_000);
  beforeEach(() => {
    vault.state.entries.clear();
    vault.state.denied.clear();
    vault.heal();
  });
  afterAll(async () => Promise.all([cluster?.stop(), vault?.stop()]));

  const LOGGED_IN = { VAULT_TOKEN: 'root-token' };

  async function migrate(options: Options, env: Record<string, string> = LOGGED_IN): Promise<Outcome> {
    return captured(
      run,
      {
        kubeconfig: cluster.kubeconfig,
        namespace: 'jobs',
        to: 'vault',
        vaultAuth: 'main',
        path: 'floe',
        ...options,
      },
      { env: { VAULT_ADDR: vault.url, ...env } },
    );
  }

  it.each([
    ['kv-v2', MOUNTS.v2],
    ['kv-v1', MOUNTS.v1],
  ])('plans a %s, as the mount says', async (type, mount) => {
    const { out, code } = await migrate({ mount });
    expect(code).toBe(0);
    expect(out).toContain(`# copies 2 values to Vault ${mount}/floe/jobs/db: PASSWORD, tls.key\n`);
    expect(out).toContain(`  type: ${type}\n  path: floe/jobs/db\n`);
    expect(out).not.toContain(VALUE);
    expect(vault.requests.map(({ method }) => method)).not.toContain('POST');
  });

  it('plans without Vault, and says what it assumes; nothing more goes without', async () => {
    const plan = await migrate({}, {});
    expect(plan).toMatchObject({ code: 0, err: '' });
    expect(plan.out).toMatch(/# note: mount 'secret' is taken for kv-v2: Vault: no credentials/);
    for (const more of [{ dryRun: true }, { apply: true }]) {
      expect(await migrate(more, {})).toMatchObject({
        code: 2,
        err: expect.stringMatching(/Vault: no credentials/) as string,
      });
    }
  });

  it.each<[string, Options, RegExp, number]>([
    ['no place to go', { to: undefined }, /say where to: --to external-secrets or --to vault/, 2],
    ['another place', { to: 'doppler' }, /say where to: --to external-secrets or --to vault/, 2],
    ['a store of External Secrets', { store: 'team' }, /--store is of --to external-secrets alone/, 2],
    ['Vault for External Secrets', { to: 'external-secrets', store: 'team' }, /is of --to vault alone/, 2],
    ['no store', { to: 'external-secrets', vaultAuth: undefined }, /no store is named: give --store/, 2],
    ['what is no name of a VaultAuth', { vaultAuth: 'a/b/c' }, /--vault-auth a\/b\/c is no name/, 2],
    ['a mount that is not there', { mount: 'nowhere' }, /no such mount, or no right to it/, 1],
    ['a mount of another type', { mount: MOUNTS.database }, /it is of type 'database', not kv/, 2],
  ])('refuses %s', async (_name, options, words, code) => {
    expect(await migrate(options)).toMatchObject({ code, err: expect.stringMatching(words) as string });
  });

  test.each<[string, Options, RegExp]>([
    ['no default VaultAuth', { vaultAuth: undefined }, /no VaultAuth that is its default; give --vault-auth/],
    ['no VaultAuth of the name', { vaultAuth: 'other' }, /VaultAuth 'jobs\/other' is not there/],
  ])('with %s nothing can be migrated', async (_name, options, words) => {
    const { out, code } = await migrate(options);
    expect(code).toBe(5);
    expect(out).toMatch(words);
  });

  it('asks the lists of the namespace first', async () => {
    const namespace = '/api/v1/namespaces/jobs';
    const metadata = (change: object): Promise<unknown> =>
      cluster.request('PATCH', namespace, { metadata: change });
    const chain = { 'secrets.floe.dev/plugin': 'vault', 'secrets.floe.dev/allowed-projects': 'secret-*' };
    await metadata({ labels: { 'secrets.floe.dev/injection': 'enabled' }, annotations: chain });
    try {
      const refused = await migrate({});
      expect(refused).toMatchObject({ code: 5 });
      expect(refused.out).toMatch(/VaultStaticSecret 'db' reads project 'secret', .* \(E810\)/);
      await metadata({ annotations: { 'secrets.floe.dev/allowed-projects': 'secret' } });
      expect(await migrate({})).toMatchObject({ code: 0 });
      await metadata({ annotations: { 'secrets.floe.dev/plugin': 'infisical' } });
      expect((await migrate({})).out).toMatch(/the chain 'infisical' is without vault; kubectl annotate/);
    } finally {
      await metadata({
        labels: { 'secrets.floe.dev/injection': null },
        annotations: { 'secrets.floe.dev/plugin': null, 'secrets.floe.dev/allowed-projects': null },
      });
    }
  });

  it('tries out whether the entry is free, and changes nothing', async () => {
    expect(await migrate({ dryRun: true })).toMatchObject({ code: 0 });
    vault.seed(MOUNTS.v2, 'floe/jobs/db', { OTHER: 'x' });
    const { out, code } = await migrate({ dryRun: true });
    expect(code).toBe(5);
    expect(out).toMatch(/Vault secret\/floe\/jobs\/db has other keys too, .*: OTHER; choose another place/);
    expect(vault.dataAt(MOUNTS.v2, 'floe/jobs/db')).toEqual({ OTHER: 'x' });
  });

  const BY_STORE = { to: 'external-secrets', vaultAuth: undefined };

  it('copies to the mount of a store of External Secrets, too', async () => {
    const { out, code } = await migrate({ ...BY_STORE, store: 'vault', dryRun: true });
    expect(code).toBe(0);
    expect(out).toContain('# copies 2 values to Vault secret/floe/jobs/db: PASSWORD, tls.key\n');
    expect(out).toContain('kind: ExternalSecret\n');
    const plan = await migrate({ ...BY_STORE, store: 'vault' }, {});
    expect(plan).toMatchObject({ code: 0 });
    expect(plan.out).toMatch(/note: mount 'secret' is taken for kv-v2: Vault: no credentials/);
  });

  it.each([
    ['other', /vault\/other reads another Vault, https:\/\/vault\.example, than the settings name/],
    ['infisical', /--path: nothing is copied for a store of Infisical; leave it out/],
  ])('does not copy for the store %s', async (store, words) => {
    const { out, code } = await migrate({ ...BY_STORE, store });
    expect(code).toBe(5);
    expect(out).toMatch(words);
  });

  const isThere = async (path: string): Promise<boolean> => (await cluster.send('GET', path)).status === 200;

  /** Nobody syncs here, so the rehearsal has no end. */
  async function applied(): Promise<Outcome> {
    const outcome = await migrate({ apply: true, timeout: '1s' });
    expect(await isThere(`${HASHICORP}/vaultstaticsecrets/db`)).toBe(false);
    expect(await isThere(`${HASHICORP}/vaultstaticsecrets/db-floe-rehearsal`)).toBe(false);
    expect(await isThere('/api/v1/namespaces/jobs/configmaps/floe-migration-db')).toBe(false);
    return outcome;
  }

  it('takes back what it copied where the new resource does not sync', async () => {
    const { err, code } = await applied();
    expect(code).toBe(1);
    expect(err).toMatch(/2 values copied: Vault secret\/floe\/jobs\/db/);
    expect(err).toMatch(
      /no end of the wait for the rehearsal: no status yet; everything is as it was before/,
    );
    expect(err).toMatch(/2 values taken away again: Vault secret\/floe\/jobs\/db/);
    expect(vault.state.entries.get(`${MOUNTS.v2}/floe/jobs/db`)).toEqual([{ data: undefined }]);
    const written = vault.requests.filter(({ method, path }) => method === 'POST' && path.includes('/data/'));
    expect(written.at(-1)?.body).toMatchObject({ data: { PASSWORD: VALUE, 'tls.key': '/wA=' } });
  });

  it('leaves what was there before, and an entry that somebody else made', async () => {
    vault.seed(MOUNTS.v2, 'floe/jobs/db', { PASSWORD: VALUE });
    await applied();
    expect(vault.dataAt(MOUNTS.v2, 'floe/jobs/db')).toEqual({ PASSWORD: VALUE });
    vault.seed(MOUNTS.v2, 'floe/jobs/db', {});
    await applied();
    expect(vault.dataAt(MOUNTS.v2, 'floe/jobs/db')).toEqual({});
  });

  it('changes nothing where Vault does not take the values, and says why', async () => {
    vault.meanwhile('/data/floe/jobs/db', async () =>
      vault.answer('/data/floe/jobs/db', { status: 403, body: { errors: ['permission denied'] } }),
    );
    const { err, code } = await applied();
    expect(code).toBe(4);
    expect(err).toMatch(/Vault, secret\/floe\/jobs\/db: permission denied/);
    expect(vault.dataAt(MOUNTS.v2, 'floe/jobs/db')).toBeUndefined();
  });

  it('says what stays in Vault where that is away by then', async () => {
    const before = vault.requests.length;
    const outcome = applied();
    while (
      !vault.requests.slice(before).some(({ method, path }) => method === 'POST' && path.includes('/data/'))
    )
      await new Promise((resolve) => setTimeout(resolve, 5));
    vault.state.condition = 'sealed';
    const { err, code } = await outcome;
    vault.state.condition = 'active';
    expect(code).toBe(1);
    expect(err).toMatch(/what was copied could not be taken back: Vault, .*: Vault is sealed/);
    expect(err).not.toContain(VALUE);
  });
});
