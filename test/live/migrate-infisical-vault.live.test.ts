/**
 * `migrate infisical --to vault` with the real API server and garbage collector, the stand-in of Vault behind HTTP, and
 * those of both operators: the Secret never vanishes and its data never changes; what was copied goes on the way back;
 * killed anywhere, it goes on, or back.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, test, vi } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { needs } from '../needs.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import type { VaultServer } from '../upstream/vault-server.ts';
import { MOUNTS, ROLE, startVault } from '../upstream/vault-server.ts';
import { WEBHOOK } from './cluster.ts';
import { testKilledAnywhere } from './killed-anywhere.ts';
import { startMigrationCluster } from './migration-cluster.ts';
import { expectPodsMeanwhile } from './pods-meanwhile.ts';
import { watchSecret } from './secret-witness.ts';
import { startServed } from './served.ts';
import type { VaultOperator, VaultOperatorOptions } from './vault-operator.ts';
import { startVaultOperator } from './vault-operator.ts';
import type { Source, WayOut } from './way-out.ts';
import { CEILING, MARK, RECORD, RENAMED, VALUES, expectSwept, openWayOut } from './way-out.ts';

const SUCCESSOR = 'vaultstaticsecrets/db';
const LABELS = {
  'app.kubernetes.io/name': 'vault-secrets-operator',
  'app.kubernetes.io/managed-by': 'hashicorp-vso',
  'app.kubernetes.io/component': 'secret-sync',
};
const MERGE_PATCH = { contentType: 'application/merge-patch+json' };
const BYTES = Buffer.from('\u00ff\u00fe\u0000made-up', 'latin1').toString('base64');

interface Options {
  readonly source?: Source;
  readonly mount?: string;
  readonly operator?: VaultOperatorOptions;
}

interface Scene extends WayOut {
  readonly vault: VaultServer;
  readonly vso: VaultOperator;
  readonly out: readonly string[];
  /** What the entry of the Secret holds. */
  entry(): Readonly<Record<string, unknown>> | undefined;
  seed(values: Readonly<Record<string, string>>): void;
}

describe.skipIf(!needs('controllers'))('migrate infisical --to vault', { timeout: 180_000 }, () => {
  let plane: ControlPlane;
  let infisical: InfisicalServer;
  const open: Scene[] = [];

  beforeAll(async () => {
    [plane, infisical] = await startMigrationCluster();
  }, 120_000);
  afterEach(async () => {
    const scenes = open.splice(0);
    await Promise.all(scenes.map(async ({ vso, stop }) => Promise.all([vso.stop(), stop()])));
    await Promise.all(scenes.map(async ({ vault }) => vault.stop()));
  });
  afterAll(async () => {
    await Promise.all([infisical?.stop(), plane?.stop()]);
  }, 60_000);

  /** A resource of Infisical that owns what it has synced, and a Vault with its operator. */
  async function setScene({ source = {}, mount = MOUNTS.v2, operator = {} }: Options = {}): Promise<Scene> {
    const wayOut = await openWayOut(plane, infisical, source);
    const vault = await startVault();
    const vso = startVaultOperator(plane, wayOut.namespace, () => vault, operator);
    const env = { VAULT_ADDR: vault.url, VAULT_TOKEN: 'root-token' };
    const entry = `floe/${wayOut.namespace}/db`;
    const scene: Scene = {
      ...wayOut,
      vault,
      vso,
      out: ['--to', 'vault', '--vault-auth', 'main', '--mount', mount, '--path', 'floe'],
      entry: () => vault.dataAt(mount, entry),
      seed: (values) => vault.seed(mount, entry, values),
      run: async (args, how = {}) => wayOut.run(args, { ...how, env: { ...env, ...how.env } }),
    };
    open.push(scene);
    await scene.make('vaultauths', {
      apiVersion: 'secrets.hashicorp.com/v1beta1',
      kind: 'VaultAuth',
      metadata: { name: 'main' },
      spec: { method: 'kubernetes', mount: 'kubernetes', kubernetes: { role: ROLE.role } },
    });
    return scene;
  }

  async function expectOut(scene: Scene): Promise<void> {
    expect(await Promise.all([scene.source, SUCCESSOR].map(scene.exists))).toEqual([false, true]);
    const { metadata } = await scene.secret();
    expect(metadata.ownerReferences).toMatchObject([{ kind: 'VaultStaticSecret', name: 'db' }]);
    expect(metadata.labels).toMatchObject({ team: 'data', ...LABELS });
    expect(metadata.annotations ?? {}).not.toHaveProperty([MARK]);
    await expectSwept(scene, 'vaultstaticsecrets');
    expect(await scene.exists(RECORD)).toBe(true);
  }

  /** `left`: what of the copies is another by now, and so not taken away. */
  async function expectBack(scene: Scene, left?: object): Promise<void> {
    expect(await Promise.all([scene.source, SUCCESSOR].map(scene.exists))).toEqual([true, false]);
    const { metadata } = await scene.secret();
    expect(JSON.stringify(metadata.labels)).not.toMatch(/vso|secret-sync|vault-secrets-operator/);
    expect(metadata.labels).toHaveProperty('team');
    expect(metadata.annotations).toHaveProperty([MARK]);
    expect(metadata.ownerReferences ?? []).not.toMatchObject([{ kind: 'VaultStaticSecret' }]);
    await expectSwept(scene, 'vaultstaticsecrets');
    expect(await scene.exists(RECORD)).toBe(false);
    expect(scene.entry()).toEqual(left);
  }

  const migrate = async ({ run, out }: Scene, killedAt?: string): ReturnType<Scene['run']> =>
    run(['infisical', 'db', ...out, '--apply'], killedAt === undefined ? {} : { killedAt });
  const goBack = async ({ run }: Scene, ...more: readonly string[]): ReturnType<Scene['run']> =>
    run(['infisical', 'db', '--rollback', ...more]);

  it.each<[string, Options, object]>([
    ['a whole folder', {}, VALUES],
    [
      'keys of a template',
      { source: { target: RENAMED } },
      { login: VALUES.USER, 'pass.word': VALUES.PASSWORD },
    ],
    [
      'bytes that are no text',
      {
        source: {
          values: { ...VALUES, KEY: BYTES },
          target: {
            secretType: 'kubernetes.io/tls',
            template: {
              data: { 'tls.crt': '{{ .USER.Value }}', 'tls.key': '{{ decodeBase64ToBytes .KEY.Value }}' },
            },
          },
        },
      },
      { 'tls.crt': VALUES.USER, 'tls.key': BYTES },
    ],
    ['a folder, to KV version 1', { mount: MOUNTS.v1 }, VALUES],
    ['an InfisicalStaticSecret', { source: { kind: 'InfisicalStaticSecret' } }, VALUES],
    ['a Secret that nobody owns', { source: { target: { creationPolicy: 'Orphan' } } }, VALUES],
  ])('hands a Secret over that is watched all the time, of %s, and back', async (_name, options, copied) => {
    const scene = await setScene(options);
    const { kind = 'InfisicalSecret' } = options.source ?? {};
    const witness = await watchSecret(plane, scene.namespace, 'db');
    const before = await scene.secret();
    const plan = await scene.run(['infisical', ...scene.out]);
    expect([plan.code, plan.err]).toEqual([0, '']);
    expect(plan.out).toContain(`# 1 ${kind}: 1 can be migrated, 0 cannot\n`);
    const dry = await scene.run(['infisical', ...scene.out, '--dry-run']);
    expect([dry.code, dry.out], dry.err).toEqual([0, plan.out]);
    expect(await scene.secret()).toEqual(before);
    expect(scene.entry()).toBeUndefined();
    const { code, out, err } = await migrate(scene);
    expect([code, out], err).toEqual([0, `1 ${kind}: 1 migrated\n`]);
    expect(err).toContain("Secret 'db' is what it was, and of VaultStaticSecret 'db' now");
    await expectOut(scene);
    expect(scene.entry()).toEqual(copied);
    const after = await scene.secret();
    expect([after.metadata.uid, after.type, after.data]).toEqual([
      before.metadata.uid,
      before.type,
      before.data,
    ]);
    const back = await goBack(scene);
    expect([back.code, back.out], back.err).toEqual([0, `1 ${kind}: 1 rolled back\n`]);
    await expectBack(scene);
    expect((await scene.secret()).metadata.labels).toEqual(before.metadata.labels);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
    expect(scene.vso.refusals).toEqual([]);
  });

  testKilledAnywhere<Scene>(() => plane, {
    steps: [
      'record the way',
      'values copied',
      'rehearse',
      'own the Secret no more',
      'make Vault',
      'delete Infisical',
      'marks off',
      'own wishes back',
      'rehearsal away',
      'close the record',
    ],
    set: setScene,
    kill: migrate,
    goOn: migrate,
    goBack,
    expectThere: expectOut,
    expectBack: async (scene) => expectBack(scene),
  });

  test.each([
    'open the record',
    'rehearse',
    'own the Secret no more',
    'write it no more',
    'make Infisical',
    'delete Vault',
    'marks off',
  ])('killed on the way back at "%s" it goes back all the same', async (killedAt) => {
    const scene = await setScene();
    const witness = await watchSecret(plane, scene.namespace, 'db');
    expect((await migrate(scene)).code).toBe(0);
    await scene.run(['infisical', 'db', '--rollback'], { killedAt });
    const { code, err } = await goBack(scene);
    expect(code, err).toBe(0);
    await expectBack(scene);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
  });

  it('goes out again from the midst of the way back', async () => {
    const scene = await setScene();
    const witness = await watchSecret(plane, scene.namespace, 'db');
    expect((await migrate(scene)).code).toBe(0);
    await scene.run(['infisical', 'db', '--rollback'], { killedAt: 'make Infisical' });
    const { code, err } = await migrate(scene);
    expect(code, err).toBe(0);
    await expectOut(scene);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
  });

  test.each<[string, VaultOperatorOptions]>([
    ['acts on what was a second ago', { lateMs: 1_000 }],
    ['tells of no conditions, as before 1.0', { old: true }],
  ])('passes an operator that %s, there and back', async (_name, operator) => {
    const scene = await setScene({ operator });
    const witness = await watchSecret(plane, scene.namespace, 'db');
    const there = await migrate(scene);
    expect(there.code, there.err).toBe(0);
    await expectOut(scene);
    const back = await goBack(scene);
    expect(back.code, back.err).toBe(0);
    // Whatever is late has come by now.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await expectBack(scene);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
  });

  it.each<[string, (scene: Scene) => void, RegExp]>([
    ['Vault is away', ({ vault }) => void (vault.state.condition = 'sealed'), /sealed/],
    ['the operator fails', ({ vso }) => vso.fail('x509: certificate has expired'), /certificate has expired/],
    [
      'it fails on the Secret itself',
      ({ vso }) => vso.fail('403 permission denied', 'db'),
      /the new resource does not sync.*403 permission denied/,
    ],
    [
      'the operator may not read',
      ({ vault }) =>
        vault.answer('auth/kubernetes/login', { status: 403, body: { errors: ['permission denied'] } }),
      /login: Code: 403/,
    ],
    ['other keys are in the entry', ({ seed }) => seed({ OTHER: 'another-made-up' }), /OTHER/],
    ['other values are in the entry', ({ seed }) => seed({ USER: 'another-made-up' }), /USER/],
  ])('leaves everything as it was where %s', async (_name, spoil, words) => {
    const scene = await setScene();
    const witness = await watchSecret(plane, scene.namespace, 'db');
    const before = await scene.secret();
    spoil(scene);
    const seeded = scene.entry();
    const { code, err } = await scene.run(['infisical', 'db', ...scene.out, '--apply', '--timeout', '12s']);
    expect(code, err).not.toBe(0);
    expect(err).toMatch(words);
    expect(await Promise.all([scene.source, SUCCESSOR, RECORD].map(scene.exists))).toEqual([
      true,
      false,
      false,
    ]);
    await expectSwept(scene, 'vaultstaticsecrets');
    expect(scene.entry()).toEqual(seeded);
    const after = await scene.secret();
    expect([after.metadata.uid, after.data]).toEqual([before.metadata.uid, before.data]);
    await witness.stop();
    expect(witness.incidents).toEqual([]);
  });

  it('goes back to other values only where they are accepted, and nobody writes the old ones again', async () => {
    const scene = await setScene();
    expect((await migrate(scene)).code).toBe(0);
    infisical.seed('prod', scene.path, { PASSWORD: 'newer-made-up' });
    const refused = await goBack(scene, '--timeout', '12s');
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringContaining('it would have other values of PASSWORD'),
    ]);
    expect(await scene.exists(SUCCESSOR)).toBe(true);
    const accepted = await goBack(scene, '--accept-changes');
    expect(accepted.code, accepted.err).toBe(0);
    await expectBack(scene, { PASSWORD: VALUES.PASSWORD });
    expect(await scene.values()).toEqual({ ...VALUES, PASSWORD: 'newer-made-up' });
  });

  it('lets pods in at every step, there and back', async () => {
    const kubeconfig = plane.kubeconfigFor(WEBHOOK.token);
    const served = await startServed(plane, { name: 'vault', kubeconfig });
    onTestFinished(async () => served.stop());
    const namespace = await served.namespace({ 'secrets.floe.dev/plugin': 'infisical' });
    const scene = await setScene({ source: { namespace } });
    const refused = await scene.run(['infisical', ...scene.out]);
    expect([refused.code, refused.out]).toEqual([5, expect.stringContaining('is without vault')]);
    const both = { 'secrets.floe.dev/plugin': 'infisical,vault' };
    const path = `/api/v1/namespaces/${namespace}`;
    await plane.request('PATCH', path, { metadata: { annotations: both } }, MERGE_PATCH);
    await expectPodsMeanwhile(plane, namespace, async () => {
      const there = await migrate(scene);
      expect(there.code, there.err).toBe(0);
      await expectOut(scene);
      const back = await goBack(scene);
      expect(back.code, back.err).toBe(0);
      await expectBack(scene);
    });
  });

  it('mends its Secret once it is out, and makes it again where it is deleted', async () => {
    const scene = await setScene();
    expect((await migrate(scene)).code).toBe(0);
    const path = `/api/v1/namespaces/${scene.namespace}/secrets/db`;
    await plane.request('DELETE', path);
    await vi.waitFor(async () => expect(await scene.values()).toEqual(VALUES), CEILING);
  });

  it('refuses a Secret that an operator of before has left, of which it would never be the owner', async () => {
    const scene = await setScene();
    const path = `/api/v1/namespaces/${scene.namespace}/secrets/db`;
    await plane.request('PATCH', path, { metadata: { labels: LABELS } }, MERGE_PATCH);
    const { code, out } = await scene.run(['infisical', ...scene.out]);
    expect([code, out]).toEqual([5, expect.stringContaining('app.kubernetes.io/managed-by-')]);
  });
});
