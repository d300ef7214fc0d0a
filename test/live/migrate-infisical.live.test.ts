/**
 * `migrate infisical --to external-secrets` with the real API server and garbage collector and stand-ins of both
 * operators: the Secret never vanishes and its data never changes; killed anywhere, it goes on, or back.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { needs } from '../needs.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { PROJECT } from '../upstream/infisical-server.ts';
import type { EsoOperator } from './eso-operator.ts';
import { startEsoOperator } from './eso-operator.ts';
import { testKilledAnywhere } from './killed-anywhere.ts';
import { startMigrationCluster } from './migration-cluster.ts';
import { watchSecret } from './secret-witness.ts';
import type { Source, WayOut } from './way-out.ts';
import { CEILING, MARK, RECORD, RENAMED, expectSwept, openWayOut } from './way-out.ts';

const OUT = ['--to', 'external-secrets', '--store', 'team'];
const SUCCESSOR = 'externalsecrets/db';

interface Scene extends WayOut {
  readonly eso: EsoOperator;
  /** What the store of External Secrets reads otherwise than Infisical's operator. */
  readonly other: Record<string, string>;
}

describe.skipIf(!needs('controllers'))('migrate infisical', { timeout: 180_000 }, () => {
  let plane: ControlPlane;
  let infisical: InfisicalServer;
  const open: Scene[] = [];

  beforeAll(async () => {
    [plane, infisical] = await startMigrationCluster();
  }, 120_000);
  afterEach(async () => {
    await Promise.all(open.splice(0).map(async (one) => Promise.all([one.eso.stop(), one.stop()])));
  });
  afterAll(async () => {
    await Promise.all([infisical?.stop(), plane?.stop()]);
  }, 60_000);

  /** A resource of Infisical that owns what it has synced, and a store of External Secrets of the same folder. */
  async function setScene(source: Source = {}): Promise<Scene> {
    const wayOut = await openWayOut(plane, infisical, source);
    const other: Record<string, string> = {};
    const eso = startEsoOperator(plane, wayOut.namespace, {
      stores: { team: () => ({ ...infisical.valuesAt('prod', wayOut.path), ...other }) },
    });
    const scene = { ...wayOut, eso, other };
    open.push(scene);
    await makeStore(scene);
    return scene;
  }

  async function makeStore({ make, path }: WayOut): Promise<void> {
    const reference = (key: string): object => ({ name: 'identity', key });
    const universalAuthCredentials = {
      clientId: reference('clientId'),
      clientSecret: reference('clientSecret'),
    };
    const secretsScope = { projectSlug: PROJECT.slug, environmentSlug: 'prod', secretsPath: path };
    const provider = {
      infisical: { hostAPI: `${infisical.url}/api`, auth: { universalAuthCredentials }, secretsScope },
    };
    await make('secretstores', {
      apiVersion: 'external-secrets.io/v1',
      kind: 'SecretStore',
      metadata: { name: 'team' },
      spec: { provider },
    });
  }

  async function expectOut(scene: Scene): Promise<void> {
    expect(await Promise.all([scene.source, SUCCESSOR].map(scene.exists))).toEqual([false, true]);
    await vi.waitFor(async () => {
      const { metadata } = await scene.secret();
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'ExternalSecret' }]);
      expect(metadata.labels).toMatchObject({
        team: 'data',
        'reconcile.external-secrets.io/managed': 'true',
      });
      expect(metadata.annotations).not.toHaveProperty([MARK]);
    }, CEILING);
    await expectSwept(scene, 'externalsecrets');
    expect(await scene.exists(RECORD)).toBe(true);
  }

  async function expectBack(scene: Scene): Promise<void> {
    expect(await Promise.all([scene.source, SUCCESSOR].map(scene.exists))).toEqual([true, false]);
    const { metadata } = await scene.secret();
    expect(JSON.stringify([metadata.labels, metadata.annotations])).not.toContain('external-secrets');
    expect(metadata.annotations).toHaveProperty([MARK]);
    await expectSwept(scene, 'externalsecrets');
    expect(await scene.exists(RECORD)).toBe(false);
  }

  it.each<[string, Source]>([
    ['a whole folder', {}],
    ['keys of a template', { target: RENAMED }],
    ['an InfisicalStaticSecret', { kind: 'InfisicalStaticSecret' }],
  ])('hands a Secret over that is watched all the time, of %s, and back', async (_name, source) => {
    const scene = await setScene(source);
    const { kind = 'InfisicalSecret' } = source;
    const witness = await watchSecret(plane, scene.namespace, 'db');
    const before = await scene.secret();
    const plan = await scene.run(['infisical', ...OUT]);
    expect([plan.code, plan.err]).toEqual([0, '']);
    expect(plan.out).toContain(`# 1 ${kind}: 1 can be migrated, 0 cannot\n`);
    expect(await scene.secret()).toEqual(before);
    const dry = await scene.run(['infisical', ...OUT, '--dry-run']);
    expect([dry.code, dry.out]).toEqual([0, plan.out]);
    const { code, out, err } = await scene.run(['infisical', 'db', ...OUT, '--apply']);
    expect([code, out], err).toEqual([0, `1 ${kind}: 1 migrated\n`]);
    expect(err).toContain("Secret 'db' is what it was, and of ExternalSecret 'db' now");
    await expectOut(scene);
    const after = await scene.secret();
    expect([after.metadata.uid, after.data]).toEqual([before.metadata.uid, before.data]);
    const back = await scene.run(['infisical', 'db', '--rollback']);
    expect([back.code, back.out], back.err).toEqual([0, `1 ${kind}: 1 rolled back\n`]);
    await expectBack(scene);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
  });

  const STEPS = [
    'record the way',
    'rehearse',
    'own the Secret no more',
    'make External',
    'delete Infisical',
    'marks off',
    'own wishes back',
    'rehearsal away',
    'close the record',
  ];

  testKilledAnywhere<Scene>(() => plane, {
    steps: STEPS,
    set: async () => setScene(),
    kill: async ({ run }, killedAt) => run(['infisical', 'db', ...OUT, '--apply'], { killedAt }),
    goOn: async ({ run }) => run(['infisical', 'db', ...OUT, '--apply']),
    goBack: async ({ run }) => run(['infisical', 'db', '--rollback']),
    expectThere: expectOut,
    expectBack,
  });

  it.each<[string, (scene: Scene) => void, string]>([
    ['fails', ({ eso }) => eso.fail('403 of the provider'), '403 of the provider'],
    ['has other data', ({ other }) => void (other['USER'] = 'another-made-up'), 'other values of USER'],
  ])('takes everything back where the store %s', async (_name, spoil, words) => {
    const scene = await setScene();
    const witness = await watchSecret(plane, scene.namespace, 'db');
    spoil(scene);
    const { code, err } = await scene.run(['infisical', 'db', ...OUT, '--apply', '--timeout', '12s']);
    expect([code, err]).toEqual([1, expect.stringContaining('everything is as it was before')]);
    expect(err).toContain(words);
    expect(await scene.exists('infisicalsecrets/db')).toBe(true);
    expect(await scene.exists(RECORD)).toBe(false);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
  });

  it('says what is missing, and makes nothing by credentials that it was not told', async () => {
    const scene = await setScene();
    for (const [args, words] of [
      [['infisical'], 'say where to: --to external-secrets'],
      [['infisical', '--to', 'nowhere', '--store', 'team'], 'say where to: --to external-secrets'],
      [['infisical', '--to', 'vault', '--store', 'team'], '--store is of --to external-secrets alone'],
      [
        ['infisical', '--to', 'external-secrets'],
        'no store is named: give --store [ClusterSecretStore/]NAME',
      ],
    ] as const) {
      const { code, err } = await scene.run(args);
      expect([code, err]).toEqual([2, expect.stringContaining(words)]);
    }
    const env = { FLOE_SECRETS_UPSTREAM_INFISICAL_CREDENTIALS: 'elsewhere/operator' };
    const plan = await scene.run(['infisical', ...OUT], { env });
    expect([plan.code, plan.out]).toEqual([
      5,
      expect.stringContaining(
        "log in by what is in namespace 'infisical', which the settings do not name so",
      ),
    ]);
    expect((await scene.run(['infisical', 'db', ...OUT, '--apply'])).code).toBe(0);
    const back = await scene.run(['infisical', 'db', '--rollback'], { env });
    expect([back.code, back.err]).toEqual([
      1,
      expect.stringContaining("its record logs in by what is in namespace 'infisical'"),
    ]);
    await expectOut(scene);
  });

  it('says where pods would be refused afterwards, and by whom the Secret is written, too', async () => {
    const scene = await setScene();
    const merge = { contentType: 'application/merge-patch+json' };
    const labels = { 'secrets.floe.dev/injection': 'enabled' };
    const annotations = { 'secrets.floe.dev/plugin': 'infisical' };
    await plane.request(
      'PATCH',
      `/api/v1/namespaces/${scene.namespace}`,
      { metadata: { labels, annotations } },
      merge,
    );
    await scene.make('externalsecrets', {
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      metadata: { name: 'twin' },
      spec: { secretStoreRef: { name: 'team' }, target: { name: 'db' }, dataFrom: [{ find: {} }] },
    });
    const { code, out } = await scene.run(['infisical', ...OUT]);
    expect(code).toBe(5);
    for (const words of [
      "the chain 'infisical' is without external-secrets",
      `kubectl annotate namespace ${scene.namespace} secrets.floe.dev/plugin=infisical,external-secrets --overwrite`,
      "ExternalSecret 'twin' writes the same Secret",
    ]) {
      expect(out).toContain(words);
    }
  });

  it('leaves what another migration has begun to that one', async () => {
    const scene = await setScene();
    await scene.run(['infisical', 'db', ...OUT, '--apply'], { killedAt: 'own wishes back' });
    const other = await scene.run(['eso', 'db', '--apply']);
    expect([other.code, other.err]).toEqual([
      1,
      expect.stringContaining("the migration of InfisicalSecret 'db' to the same Secret is under way"),
    ]);
    expect((await scene.run(['infisical', 'db', '--rollback'])).code).toBe(0);
    await expectBack(scene);
  });
});
