/** A namespace with both operators and an ExternalSecret that has synced: where migrations are played. */
import { spawn } from 'node:child_process';
import { expect, onTestFinished, vi } from 'vitest';
import { run as migrate } from '../../src/cli/migrate-eso.ts';
import type { Options } from '../../src/cli/options.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import type { Outcome } from '../cli/captured.ts';
import { captured } from '../cli/captured.ts';
import { programFile } from '../stories/program.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { IDENTITY, PROJECT } from '../upstream/infisical-server.ts';
import type { EsoOperator, EsoOptions } from './eso-operator.ts';
import { startEsoOperator } from './eso-operator.ts';
import type { SyncingOperator } from './infisical-operator.ts';
import { startSyncingOperator } from './infisical-operator.ts';

export const CEILING = { timeout: 60_000, interval: 50 };

/** Made up, and looked for in everything that is said or kept. */
const VALUES = { USER: 'floe-made-up', PASSWORD: 'hunter2-made-up' };

interface Secret {
  readonly metadata: {
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
  readonly data: Readonly<Record<string, string>>;
}

export interface Stage {
  readonly namespace: string;
  readonly eso: EsoOperator;
  readonly operator: SyncingOperator;
  /** What the store 'vault' has. */
  readonly vault: Record<string, string>;
  readonly env: Readonly<Record<string, string>>;
  /** `migrate eso` in the namespace; no value is ever in what it says. */
  command(options?: Options): Promise<Outcome>;
  secret(name?: string): Promise<Secret>;
  /** 'configmaps/x': whether it is there. */
  exists(resource: string): Promise<boolean>;
  /** The program as people run it, ended without notice as soon as it says these words. */
  killedAt(words: string, ...args: readonly string[]): Promise<void>;
}

/** The cluster with a kubeconfig of its administrator. */
export interface Theatre extends ApiClient {
  readonly kubeconfig: string;
}

export interface StageOptions {
  readonly eso?: Partial<EsoOptions>;
  /** Of the ExternalSecret 'db'. */
  readonly spec?: object;
  readonly store?: 'team' | 'vault';
  /** One that is there; default a new one. */
  readonly namespace?: string;
}

/** What the ExternalSecret reads where nothing else is said. */
const BOTH = {
  data: [
    { secretKey: 'USER', remoteRef: { key: 'USER' } },
    { secretKey: 'PASSWORD', remoteRef: { key: 'PASSWORD' } },
  ],
};

let count = 0;

export async function setStage(
  api: Theatre,
  infisical: InfisicalServer,
  { eso: manners = {}, spec = BOTH, store = 'team', namespace: given }: StageOptions = {},
): Promise<Stage> {
  count += 1;
  const number = count;
  const namespace = given ?? `migrate-${number}`;
  const path = `/db-${number}`;
  const vault: Record<string, string> = { ...VALUES };
  if (given === undefined) await api.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  infisical.seed('prod', path, { ...VALUES, OTHER: 'not-read' });
  const eso = startEsoOperator(api, namespace, {
    stores: {
      vault: () => vault,
      team: () => infisical.valuesAt('prod', path) ?? {},
      infisical: () => withPaths(infisical, `/imported-${number}/db`),
    },
    ...manners,
  });
  const operator = startSyncingOperator(api, namespace, () => infisical);
  onTestFinished(async () => {
    await Promise.all([eso.stop(), operator.stop()]);
  });
  await makeStores(api, namespace, { infisical, path });
  const group = `/apis/external-secrets.io/v1/namespaces/${namespace}`;
  await api.request('POST', `${group}/externalsecrets`, {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata: { name: 'db', labels: { team: 'data' } },
    spec: { secretStoreRef: { name: store }, refreshInterval: '1h', ...spec },
  });
  await vi.waitFor(async () => {
    const { status } = await api.request<{ readonly status?: object }>('GET', `${group}/externalsecrets/db`);
    expect(status).toMatchObject({ syncedResourceVersion: '1-ab12' });
  }, CEILING);
  const env = environment(infisical, number);
  const args = ['migrate', 'eso', '-n', namespace, '--kubeconfig', api.kubeconfig];
  return {
    namespace,
    eso,
    operator,
    vault,
    env,
    async command(more = {}) {
      const outcome = await captured(migrate, { namespace, kubeconfig: api.kubeconfig, ...more }, { env });
      expect(outcome.out + outcome.err).not.toMatch(/made-up/);
      return outcome;
    },
    secret: async (name = 'db') => api.request('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`),
    exists: async (resource) => {
      const served = GROUPS[resource.split('/')[0] ?? ''] ?? '/api/v1';
      return (await api.send('GET', `${served}/namespaces/${namespace}/${resource}`)).status === 200;
    },
    killedAt: async (words, ...more) => killed([...args, ...more], env, words),
  };
}

/** Keys as an absolute remoteRef names them. */
function withPaths(infisical: InfisicalServer, path: string): Readonly<Record<string, string>> {
  const entries = Object.entries(infisical.valuesAt('prod', path) ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [`${path}/${key}`, value]));
}

function environment(infisical: InfisicalServer, number: number): Readonly<Record<string, string>> {
  return {
    FLOE_SECRETS_UPSTREAM_INFISICAL_HOST_API: `${infisical.url}/api`,
    FLOE_SECRETS_UPSTREAM_INFISICAL_PROJECT: PROJECT.slug,
    FLOE_SECRETS_UPSTREAM_INFISICAL_ENVIRONMENT: 'prod',
    FLOE_SECRETS_UPSTREAM_INFISICAL_PATH: `/imported-${number}`,
    FLOE_SECRETS_UPSTREAM_INFISICAL_CREDENTIALS: 'infisical/operator',
    INFISICAL_CLIENT_ID: IDENTITY.clientId,
    INFISICAL_CLIENT_SECRET: IDENTITY.clientSecret,
  };
}

/** 'team' is of Infisical, 'vault' is of Vault. */
async function makeStores(
  api: ApiClient,
  namespace: string,
  { infisical, path }: { readonly infisical: InfisicalServer; readonly path: string },
): Promise<void> {
  const reference = (key: string): object => ({ name: 'identity', key });
  const universalAuthCredentials = {
    clientId: reference('clientId'),
    clientSecret: reference('clientSecret'),
  };
  const providers = {
    team: {
      infisical: {
        hostAPI: `${infisical.url}/api`,
        auth: { universalAuthCredentials },
        secretsScope: { projectSlug: PROJECT.slug, environmentSlug: 'prod', secretsPath: path },
      },
    },
    vault: { vault: { server: 'https://vault', path: 'secret', version: 'v2' } },
  };
  for (const [name, provider] of Object.entries(providers)) {
    await api.request('POST', `/apis/external-secrets.io/v1/namespaces/${namespace}/secretstores`, {
      apiVersion: 'external-secrets.io/v1',
      kind: 'SecretStore',
      metadata: { name },
      spec: { provider },
    });
  }
}

const GROUPS: Readonly<Record<string, string>> = {
  externalsecrets: '/apis/external-secrets.io/v1',
  secretstores: '/apis/external-secrets.io/v1',
  pushsecrets: '/apis/external-secrets.io/v1alpha1',
  infisicalsecrets: '/apis/secrets.infisical.com/v1alpha1',
  infisicalpushsecrets: '/apis/secrets.infisical.com/v1alpha1',
};

async function killed(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  words: string,
): Promise<void> {
  const child = spawn(process.execPath, [programFile(), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const hear = (text: Buffer): void => {
    said += text.toString();
    if (said.includes(words)) child.kill('SIGKILL');
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  await new Promise((resolve) => child.once('close', resolve));
  expect(said).toContain(words);
  expect(said).not.toMatch(/made-up/);
}
