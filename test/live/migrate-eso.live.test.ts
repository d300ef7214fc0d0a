/**
 * `migrate eso` where the Secrets are watched the whole time: real API server, real garbage collector, and operators
 * at their worst. A Secret never vanishes and its data never changes; killed anywhere, it goes on, or back.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { run as migrate } from '../../src/cli/migrate-eso.ts';
import type { Options } from '../../src/cli/options.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import type { Outcome } from '../cli/captured.ts';
import { captured } from '../cli/captured.ts';
import { needs } from '../needs.ts';
import { ROOT } from '../sources.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { IDENTITY, PROJECT, startInfisical } from '../upstream/infisical-server.ts';
import { prepareCluster, WEBHOOK } from './cluster.ts';
import type { EsoOperator, EsoOptions, ExternalSecret } from './eso-operator.ts';
import { startEsoOperator } from './eso-operator.ts';
import type { SyncingOperator } from './infisical-operator.ts';
import { startSyncingOperator } from './infisical-operator.ts';
import { watchSecret } from './secret-witness.ts';

const CEILING = { timeout: 60_000, interval: 50 };

/** Made up, and looked for in everything that is said or kept. */
const VALUES = { USER: 'floe-made-up', PASSWORD: 'hunter2-made-up' };

/** A value that Infisical would trim, one with a reference in it, and bytes that are no text. */
const AWKWARD = {
  PADDED: '  padded-made-up ',
  REFERENCE: 'a${b}-made-up',
  BYTES: '\u00ff\u00fe\u0000made-up',
};

interface Secret {
  readonly metadata: {
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
  readonly data: Readonly<Record<string, string>>;
}

describe.skipIf(!needs('controllers'))('migrate eso', { timeout: 180_000 }, () => {
  let plane: ControlPlane;
  let infisical: InfisicalServer;

  beforeAll(async () => {
    [plane, infisical] = await Promise.all([
      startControlPlane({ controllers: true, tokens: [WEBHOOK] }),
      startInfisical('current'),
    ]);
    await prepareCluster(plane);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([infisical?.stop(), plane?.stop()]);
  }, 60_000);

  interface Stage {
    readonly namespace: string;
    readonly eso: EsoOperator;
    readonly operator: SyncingOperator;
    readonly vault: Record<string, string>;
    command(options?: Options): Promise<Outcome>;
    secret(name?: string): Promise<Secret>;
    exists(path: string): Promise<boolean>;
    killedAt(words: string, ...args: readonly string[]): Promise<string>;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  }

  let count = 0;

  /** A namespace with both operators and an ExternalSecret 'db' that has synced. */
  async function stage(
    options: Partial<EsoOptions> = {},
    spec: object = {
      data: [
        { secretKey: 'USER', remoteRef: { key: 'USER' } },
        { secretKey: 'PASSWORD', remoteRef: { key: 'PASSWORD' } },
      ],
    },
    store = 'team',
  ): Promise<Stage> {
    count += 1;
    const namespace = `migrate-${count}`;
    const vault: Record<string, string> = { ...VALUES };
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    const path = `/db-${count}`;
    infisical.seed('prod', path, { ...VALUES, OTHER: 'not-read' });
    const eso = startEsoOperator(plane, namespace, {
      stores: { vault: () => vault, team: () => infisical.valuesAt('prod', path) ?? {} },
      ...options,
    });
    const operator = startSyncingOperator(plane, namespace, () => infisical);
    onTestFinished(async () => {
      await Promise.all([eso.stop(), operator.stop()]);
    });
    const group = `/apis/external-secrets.io/v1/namespaces/${namespace}`;
    const reference = (key: string): object => ({ name: 'identity', key });
    const apiVersion = 'external-secrets.io/v1';
    await plane.request('POST', `${group}/secretstores`, {
      apiVersion,
      kind: 'SecretStore',
      metadata: { name: 'team' },
      spec: {
        provider: {
          infisical: {
            hostAPI: `${infisical.url}/api`,
            auth: {
              universalAuthCredentials: {
                clientId: reference('clientId'),
                clientSecret: reference('clientSecret'),
              },
            },
            secretsScope: { projectSlug: PROJECT.slug, environmentSlug: 'prod', secretsPath: path },
          },
        },
      },
    });
    await plane.request('POST', `${group}/secretstores`, {
      apiVersion,
      kind: 'SecretStore',
      metadata: { name: 'vault' },
      spec: { provider: { vault: { server: 'https://vault', path: 'secret', version: 'v2' } } },
    });
    await plane.request('POST', `${group}/externalsecrets`, {
      apiVersion,
      kind: 'ExternalSecret',
      metadata: { name: 'db', labels: { team: 'data' } },
      spec: { secretStoreRef: { name: store }, refreshInterval: '1h', ...spec },
    });
    await vi.waitFor(async () => {
      const { status } = await plane.request<{ readonly status?: object }>(
        'GET',
        `${group}/externalsecrets/db`,
      );
      expect(status).toMatchObject({ syncedResourceVersion: '1-ab12' });
    }, CEILING);
    const env = {
      FLOE_SECRETS_UPSTREAM_INFISICAL_HOST_API: `${infisical.url}/api`,
      FLOE_SECRETS_UPSTREAM_INFISICAL_PROJECT: PROJECT.slug,
      FLOE_SECRETS_UPSTREAM_INFISICAL_ENVIRONMENT: 'prod',
      FLOE_SECRETS_UPSTREAM_INFISICAL_PATH: `/imported-${count}`,
      FLOE_SECRETS_UPSTREAM_INFISICAL_CREDENTIALS: 'infisical/operator',
      INFISICAL_CLIENT_ID: IDENTITY.clientId,
      INFISICAL_CLIENT_SECRET: IDENTITY.clientSecret,
    };
    const args = ['migrate', 'eso', '-n', namespace, '--kubeconfig', plane.kubeconfig];
    return {
      namespace,
      eso,
      operator,
      vault,
      env,
      args,
      async command(more = {}) {
        const outcome = await captured(
          migrate,
          { namespace, kubeconfig: plane.kubeconfig, ...more },
          { env },
        );
        expect(outcome.out + outcome.err).not.toMatch(/made-up/);
        return outcome;
      },
      secret: async (name = 'db') => plane.request('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`),
      exists: async (resource) => {
        const served = GROUPS[resource.split('/')[0] ?? ''] ?? '/api/v1';
        return (await plane.send('GET', `${served}/namespaces/${namespace}/${resource}`)).status === 200;
      },
      killedAt: async (words, ...more) => killed([...args, ...more], env, words),
    };
  }

  const ES = 'externalsecrets/db';
  const IS = 'infisicalsecrets/db';
  const RECORD = 'configmaps/floe-migration-db';
  const REHEARSAL = 'infisicalsecrets/db-floe-rehearsal';

  async function expectMigrated(scene: Stage): Promise<void> {
    expect(await Promise.all([ES, IS, REHEARSAL].map(scene.exists))).toEqual([false, true, false]);
    expect(await scene.exists('secrets/db-floe-rehearsal')).toBe(false);
    const { metadata } = await scene.secret();
    expect(metadata.ownerReferences ?? []).toEqual([]);
    expect(JSON.stringify([metadata.labels, metadata.annotations])).not.toContain('external-secrets');
    expect(metadata.annotations).toHaveProperty(['secrets.infisical.com/version']);
    expect(metadata.labels).toMatchObject({ team: 'data' });
    const record = await plane.request(
      'GET',
      `/api/v1/namespaces/${scene.namespace}/configmaps/floe-migration-db`,
    );
    expect(JSON.stringify(record)).not.toContain('made-up');
    expect(record).toMatchObject({ metadata: { labels: { 'secrets.floe.dev/migration': 'done' } } });
  }

  async function expectAsBefore(scene: Stage): Promise<void> {
    expect(await Promise.all([IS, REHEARSAL, RECORD, 'secrets/db-floe-rehearsal'].map(scene.exists))).toEqual(
      [false, false, false, false],
    );
    await vi.waitFor(async () => {
      const { metadata } = await scene.secret();
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'ExternalSecret' }]);
      expect(metadata.labels).toHaveProperty(['reconcile.external-secrets.io/managed']);
    }, CEILING);
    const { spec } = await plane.request<ExternalSecret>(
      'GET',
      `/apis/external-secrets.io/v1/namespaces/${scene.namespace}/externalsecrets/db`,
    );
    expect(spec.target?.creationPolicy ?? 'Owner').toBe('Owner');
  }

  it('plans first and changes nothing', async () => {
    const scene = await stage();
    const before = await scene.secret();
    const { code, out, err } = await scene.command();
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('# 1 ExternalSecret: 1 can be migrated, 0 cannot\n');
    expect(out).toContain('kind: InfisicalSecret');
    const dry = await scene.command({ dryRun: true });
    expect([dry.code, dry.out]).toEqual([0, out]);
    expect(await scene.secret()).toEqual(before);
    expect(await Promise.all([IS, REHEARSAL, RECORD].map(scene.exists))).toEqual([false, false, false]);
  });

  it('hands a Secret over that is watched all the time, and back', async () => {
    const scene = await stage();
    const witness = await watchSecret(plane, scene.namespace, 'db');
    const before = await scene.secret();
    const { code, out, err } = await scene.command({ apply: true });
    expect(err).toContain("✓ Secret 'db' is what it was, and of InfisicalSecret 'db' now");
    expect([code, out]).toEqual([0, '1 ExternalSecret: 1 migrated\n']);
    await expectMigrated(scene);
    const after = await scene.secret();
    expect([after.metadata.uid, after.data]).toEqual([before.metadata.uid, before.data]);
    const again = await scene.command();
    expect(again.out).toContain('# Done; --rollback goes back');
    const back = await scene.command({ names: ['db'], rollback: true });
    expect([back.err, back.code, back.out]).toEqual([
      expect.any(String),
      0,
      '1 ExternalSecret: 1 rolled back\n',
    ]);
    await expectAsBefore(scene);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
    expect(witness.writes()).toBeGreaterThan(3);
  });

  it('copies values that Infisical could not keep as they are, byte for byte', async () => {
    const scene = await stage({}, { dataFrom: [{ extract: { key: 'db' } }] }, 'vault');
    Object.assign(scene.vault, AWKWARD);
    await plane.request('PATCH', `/apis/external-secrets.io/v1/namespaces/${scene.namespace}/${ES}`, {
      metadata: { annotations: { 'force-sync': '1' } },
    });
    await vi.waitFor(async () => expect(Object.keys((await scene.secret()).data)).toHaveLength(5), CEILING);
    const refused = await scene.command();
    expect([refused.code, refused.out]).toEqual([
      5,
      expect.stringContaining('its values are in vault/vault'),
    ]);
    const witness = await watchSecret(plane, scene.namespace, 'db');
    const { code, err } = await scene.command({ apply: true, copyValues: true });
    expect([code, err]).toEqual([
      0,
      expect.stringContaining('5 values copied: Infisical floe-platform/prod/imported'),
    ]);
    await expectMigrated(scene);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
  });

  const STEPS = [
    'record the way',
    'rehearse',
    'own the Secret no more',
    'write it no more',
    'make Infisical',
    'delete External',
    'marks off',
    'rehearsal away',
    'close the record',
  ];

  test.each(STEPS)('killed at "%s" it goes on', async (words) => {
    const scene = await stage();
    const witness = await watchSecret(plane, scene.namespace, 'db');
    await scene.killedAt(words, '--apply');
    const { code, err } = await scene.command({ apply: true });
    expect(code, err).toBe(0);
    await expectMigrated(scene);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
  });

  test.each(STEPS.slice(1))('killed at "%s" it goes back', async (words) => {
    const scene = await stage();
    const witness = await watchSecret(plane, scene.namespace, 'db');
    await scene.killedAt(words, '--apply');
    const { code, err } = await scene.command({ names: ['db'], rollback: true });
    expect(code, err).toBe(0);
    await expectAsBefore(scene);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
  });

  describe('with operators at their worst', () => {
    test.each<[string, Partial<EsoOptions>]>([
      ['keeps its ownerReference', { keepsOwner: true }],
      ['acts on what was a second ago', { lateMs: 1_000 }],
      ['does both', { keepsOwner: true, lateMs: 1_000 }],
    ])('passes an External Secrets that %s', async (_name, options) => {
      const scene = await stage(options);
      const witness = await watchSecret(plane, scene.namespace, 'db');
      const { code, err } = await scene.command({ apply: true });
      expect(code, err).toBe(0);
      // Whatever is late has come by now.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await expectMigrated(scene);
      await witness.stop();
      expect(witness.incidents).toEqual([]);
    });

    it('waits for a slow one', async () => {
      const scene = await stage();
      scene.operator.mood.slow = 3_000;
      const { code, err } = await scene.command({ apply: true });
      expect(code, err).toBe(0);
      await expectMigrated(scene);
    });

    test.each<[string, (scene: Stage) => void, RegExp]>([
      [
        'the rehearsal fails',
        ({ operator }) => (operator.mood.failure = 'no such project'),
        /the rehearsal does not sync.*no such project/,
      ],
      [
        'the rehearsal comes out otherwise',
        ({ operator }) => (operator.mood.spoils = 'db-floe-rehearsal'),
        /it would also have EXTRA/,
      ],
      [
        'the new resource fails on the Secret itself',
        ({ operator }) => Object.assign(operator.mood, { failure: 'forbidden', failsFor: 'db' }),
        /the new resource does not sync.*forbidden/,
      ],
      [
        'nobody answers',
        ({ operator }) => (operator.mood.slow = 600_000),
        /no end of the wait for the rehearsal/,
      ],
    ])('takes everything back where %s', async (name, spoil, reason) => {
      const scene = await stage();
      const witness = await watchSecret(plane, scene.namespace, 'db');
      const before = await scene.secret();
      spoil(scene);
      const { code, out, err } = await scene.command({
        apply: true,
        timeout: name === 'nobody answers' ? '3s' : '30s',
      });
      scene.operator.mood.slow = 0;
      expect([code, out]).toEqual([1, '1 ExternalSecret: 1 stopped\n']);
      expect(err).toMatch(reason);
      expect(err).toContain('everything is as it was before');
      await expectAsBefore(scene);
      expect((await scene.secret()).metadata.uid).toBe(before.metadata.uid);
      await witness.stop();
      expect(witness.incidents).toEqual([]);
    });

    it('puts the data back that an operator spoils in spite of its rehearsal', async () => {
      const scene = await stage();
      const before = await scene.secret();
      scene.operator.mood.spoils = 'db';
      const { code, err } = await scene.command({ apply: true, timeout: '30s' });
      expect([code, err]).toEqual([1, expect.stringContaining('everything is as it was before')]);
      await expectAsBefore(scene);
      const after = await scene.secret();
      expect([after.metadata.uid, after.data]).toEqual([before.metadata.uid, before.data]);
    });

    it('goes back only to equal data, or where other values are accepted', async () => {
      const scene = await stage({}, { dataFrom: [{ extract: { key: 'db' } }] }, 'vault');
      expect((await scene.command({ apply: true, copyValues: true })).code).toBe(0);
      scene.vault['PASSWORD'] = 'older-made-up';
      const refused = await scene.command({ names: ['db'], rollback: true, timeout: '20s' });
      expect([refused.code, refused.err]).toEqual([
        1,
        expect.stringContaining('it would have other values of PASSWORD'),
      ]);
      expect(await scene.exists(IS)).toBe(true);
      const accepted = await scene.command({ names: ['db'], rollback: true, acceptChanges: true });
      expect(accepted.code, accepted.err).toBe(0);
      await expectAsBefore(scene);
    });
  });

  it('stops where somebody keeps the old resource, and nothing is lost', async () => {
    const scene = await stage();
    const path = `/apis/external-secrets.io/v1/namespaces/${scene.namespace}/${ES}`;
    const keeping = setInterval(() => {
      void plane
        .send(
          'PATCH',
          path,
          { spec: { target: { creationPolicy: 'Owner' } } },
          { contentType: 'application/merge-patch+json' },
        )
        .catch(() => undefined);
    }, 20);
    try {
      const witness = await watchSecret(plane, scene.namespace, 'db');
      const { code, err } = await scene.command({ apply: true, timeout: '5s' });
      await witness.stop();
      expect(code, err).toBe(1);
      expect(witness.incidents).toEqual([]);
    } finally {
      clearInterval(keeping);
    }
  });

  it('forgets the way back when it is told to, and not before it is done', async () => {
    const scene = await stage();
    await scene.killedAt('make Infisical', '--apply');
    const early = await scene.command({ names: ['db'], finish: true });
    expect([early.code, early.err]).toEqual([1, expect.stringContaining('is under way')]);
    expect((await scene.command()).out).toContain('# Under way; --apply goes on');
    expect((await scene.command({ apply: true })).code).toBe(0);
    const finished = await scene.command({ finish: true });
    expect([finished.code, finished.out]).toEqual([0, '1 ExternalSecret: 1 finished\n']);
    expect(await scene.exists(RECORD)).toBe(false);
    const back = await scene.command({ names: ['db'], rollback: true });
    expect([back.code, back.err]).toEqual([1, expect.stringContaining("no migration of 'db' is recorded")]);
  });
});

const GROUPS: Readonly<Record<string, string>> = {
  externalsecrets: '/apis/external-secrets.io/v1',
  infisicalsecrets: '/apis/secrets.infisical.com/v1alpha1',
};

/** Runs the program as people do, and ends it without notice as soon as it says these words. */
async function killed(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  words: string,
): Promise<string> {
  const child = spawn(process.execPath, [join(ROOT, 'bin/floe-secrets.js'), ...args], {
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
  return said;
}
