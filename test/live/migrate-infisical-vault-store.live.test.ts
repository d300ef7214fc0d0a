/**
 * `migrate infisical --to external-secrets` by a store of Vault: the ExternalSecret reads what was copied, byte for byte,
 * and what was copied goes on the way back.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test, vi } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { needs } from '../needs.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { PROJECT } from '../upstream/infisical-server.ts';
import type { VaultServer } from '../upstream/vault-server.ts';
import { MOUNTS, startVault } from '../upstream/vault-server.ts';
import type { EsoOperator } from './eso-operator.ts';
import { startEsoOperator } from './eso-operator.ts';
import { startMigrationCluster } from './migration-cluster.ts';
import type { Ended, Stage } from './migration-stage.ts';
import { openStage } from './migration-stage.ts';
import { watchSecret } from './secret-witness.ts';

const CEILING = { timeout: 60_000, interval: 50 };
const BYTES = Buffer.from('\u00ff\u0000made-up', 'latin1');
const VALUES = { USER: ' floe-made-up ', KEY: BYTES.toString('base64') };
const TEMPLATE = {
  includeAllSecrets: false,
  data: { URL: 'db://{{ .USER.Value }}', 'tls.key': '{{ decodeBase64ToBytes .KEY.Value }}' },
};
const OUT = ['--to', 'external-secrets', '--store', 'team', '--path', 'floe'];

describe.skipIf(!needs('controllers'))('migrate infisical by a store of Vault', { timeout: 180_000 }, () => {
  let plane: ControlPlane;
  let infisical: InfisicalServer;
  let vault: VaultServer;
  let stage: Stage;
  let eso: EsoOperator;

  beforeAll(async () => {
    [[plane, infisical], vault] = await Promise.all([startMigrationCluster(), startVault()]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([infisical?.stop(), plane?.stop(), vault?.stop()]);
  }, 60_000);

  beforeEach(async () => {
    stage = await openStage(plane, infisical);
    const { namespace } = stage;
    infisical.seed('prod', `/${namespace}/db`, VALUES);
    eso = startEsoOperator(plane, namespace, { stores: { team: storeOf(namespace) } });
    await plane.request('POST', `/apis/external-secrets.io/v1/namespaces/${namespace}/secretstores`, {
      apiVersion: 'external-secrets.io/v1',
      kind: 'SecretStore',
      metadata: { name: 'team' },
      spec: { provider: { vault: { server: vault.url, path: MOUNTS.v2 } } },
    });
    await stage.make('infisicalsecrets', resource(namespace));
    await vi.waitFor(async () => expect(await stage.exists('secrets/db')).toBe(true), CEILING);
  });
  afterEach(async () => {
    await Promise.all([eso.stop(), stage.stop()]);
  });

  function entry(namespace: string): Readonly<Record<string, unknown>> | undefined {
    return vault.dataAt(MOUNTS.v2, `floe/${namespace}/db`);
  }

  /** By key and property. */
  function storeOf(namespace: string): () => Readonly<Record<string, string>> {
    const path = `floe/${namespace}/db`;
    return () =>
      Object.fromEntries(
        Object.entries(entry(namespace) ?? {}).map(([key, value]) => [`${path}/${key}`, String(value)]),
      );
  }

  function resource(namespace: string): object {
    const credentialsRef = { secretName: 'operator', secretNamespace: 'infisical' };
    const secretsScope = { projectSlug: PROJECT.slug, envSlug: 'prod', secretsPath: `/${namespace}/db` };
    return {
      apiVersion: 'secrets.infisical.com/v1alpha1',
      kind: 'InfisicalSecret',
      metadata: { name: 'db' },
      spec: {
        hostAPI: `${infisical.url}/api`,
        syncConfig: { resyncInterval: '1m' },
        authentication: { universalAuth: { credentialsRef, secretsScope } },
        managedKubeSecretReferences: [
          { secretName: 'db', secretNamespace: namespace, creationPolicy: 'Owner', template: TEMPLATE },
        ],
      },
    };
  }

  async function run(args: readonly string[], killedAt?: string): Promise<Ended> {
    const env = { VAULT_ADDR: vault.url, VAULT_TOKEN: 'root-token' };
    return stage.run(['infisical', 'db', ...args], { env, ...(killedAt === undefined ? {} : { killedAt }) });
  }

  it('reads what the Secret had, and goes back', async () => {
    const { namespace } = stage;
    const before = await stage.secret();
    const witness = await watchSecret(plane, namespace, 'db');
    const there = await run([...OUT, '--apply']);
    expect(there.code, there.err).toBe(0);
    expect(there.err).toMatch(/2 values copied: Vault secret\/floe/);
    expect(entry(namespace)).toEqual({ URL: 'db:// floe-made-up ', 'tls.key': BYTES.toString('base64') });
    expect((await stage.secret()).data).toEqual(before.data);
    expect(await stage.exists('infisicalsecrets/db')).toBe(false);
    const back = await run(['--rollback']);
    expect(back.code, back.err).toBe(0);
    expect(back.err).toMatch(/2 values taken away again: Vault secret\/floe/);
    expect(entry(namespace)).toBeUndefined();
    expect((await stage.secret()).data).toEqual(before.data);
    expect(await stage.exists('infisicalsecrets/db')).toBe(true);
    expect(await stage.exists('configmaps/floe-migration-db')).toBe(false);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
  });

  test.each(['record the way back', 'values copied', 'equal data again'])(
    'killed at "%s" it goes on',
    async (words) => {
      const before = await stage.secret();
      await run([...OUT, '--apply'], words);
      const { code, err } = await run([...OUT, '--apply']);
      expect(code, err).toBe(0);
      expect((await stage.secret()).data).toEqual(before.data);
      expect(await stage.exists('infisicalsecrets/db')).toBe(false);
    },
  );
});
