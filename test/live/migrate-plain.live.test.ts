/**
 * `migrate k8s` and `migrate sops` with the real API server, garbage collector, SOPS and age: Secrets never vanish and
 * their data never changes; values are in no output, object, record, command line or file; killed anywhere, it goes on,
 * or back, and what was upstream before stays there.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, test, vi } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { findSops } from '../../tools/sops.ts';
import { needs } from '../needs.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { MANIFESTS, encrypted, makeKey } from '../upstream/sops-files.ts';
import type { SopsKey } from '../upstream/sops-files.ts';
import { testKilledAnywhere } from './killed-anywhere.ts';
import { startMigrationCluster } from './migration-cluster.ts';
import type { Stage } from './migration-stage.ts';
import { openStage } from './migration-stage.ts';
import { watchSecret } from './secret-witness.ts';

const VALUES = { USER: 'floe-made-up', PASSWORD: 'hunter2-made-up' };
/** What Infisical would trim, what it would take for a reference, and bytes that are no text. */
const AWKWARD = {
  PADDED: '  padded-made-up ',
  REFERENCE: 'a${b}-made-up',
  BYTES: '\u00ff\u00fe\u0000made-up',
};
const CEILING = { timeout: 60_000, interval: 100 };
const RECORD = 'configmaps/floe-migration-db';
const MARK = 'secrets.infisical.com/version';

describe.skipIf(!needs('controllers'))('migrating Secrets that nobody syncs', () => {
  let plane: ControlPlane;
  let infisical: InfisicalServer;
  const open: Stage[] = [];

  beforeAll(async () => {
    [plane, infisical] = await startMigrationCluster();
  });
  afterEach(async () => {
    infisical.heal();
    await Promise.all(open.splice(0).map(async (one) => one.stop()));
  });
  afterAll(async () => {
    await Promise.all([infisical?.stop(), plane?.stop()]);
  });

  async function stage(): Promise<Stage> {
    const opened = await openStage(plane, infisical);
    open.push(opened);
    return opened;
  }

  function base64(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value, 'latin1').toString('base64')]),
    );
  }

  async function withSecret(
    values: Readonly<Record<string, string>> = VALUES,
    more: object = {},
  ): Promise<Stage> {
    const opened = await stage();
    const metadata = { name: 'db', labels: { team: 'data' } };
    await opened.make('secrets', { metadata, data: base64(values), ...more });
    return opened;
  }

  async function expectMigrated(scene: Stage): Promise<void> {
    expect(await scene.exists('infisicalsecrets/db')).toBe(true);
    const gone = ['infisicalsecrets/db-floe-rehearsal', 'secrets/db-floe-rehearsal'];
    // A pass that was under way may have written the rehearsal's Secret once more; its owner is gone.
    await vi.waitFor(
      async () => expect(await Promise.all(gone.map(scene.exists))).toEqual([false, false]),
      CEILING,
    );
    const { metadata } = await scene.secret();
    expect(metadata.ownerReferences ?? []).toEqual([]);
    expect(metadata.annotations).toHaveProperty([MARK]);
  }

  async function expectLeft(scene: Stage): Promise<void> {
    const gone = [
      'infisicalsecrets/db',
      'infisicalsecrets/db-floe-rehearsal',
      'secrets/db-floe-rehearsal',
      RECORD,
    ];
    await vi.waitFor(
      async () => expect(await Promise.all(gone.map(scene.exists))).toEqual([false, false, false, false]),
      CEILING,
    );
    const { metadata } = await scene.secret();
    expect(metadata.ownerReferences ?? []).toEqual([]);
    expect(metadata.annotations ?? {}).not.toHaveProperty([MARK]);
  }

  const STEPS = [
    'record the way',
    'values copied',
    'rehearse',
    'equal data: make',
    'rehearsal away',
    'close the record',
  ];

  describe('migrate k8s', () => {
    it('plans first, passes over what is of others and says why, and changes nothing', async () => {
      const scene = await withSecret();
      await scene.make('secrets', { metadata: { name: 'locked' }, immutable: true, data: base64(VALUES) });
      await scene.make('secrets', { metadata: { name: 'empty' } });
      const annotations = { 'cert-manager.io/certificate-name': 'web' };
      await scene.make('secrets', { metadata: { name: 'web', annotations }, data: base64(VALUES) });
      const maker = `/api/v1/namespaces/${scene.namespace}/configmaps`;
      const { uid } = (
        await plane.request<{ readonly metadata: { readonly uid: string } }>('POST', maker, {
          metadata: { name: 'maker' },
        })
      ).metadata;
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'maker', uid };
      await scene.make('secrets', {
        metadata: { name: 'owned', ownerReferences: [owner] },
        data: base64(VALUES),
      });
      await scene.make('secrets', {
        metadata: { name: 'kept', labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } },
        data: base64(AWKWARD),
      });
      await scene.make('secrets', {
        metadata: { name: 'release' },
        type: 'helm.sh/release.v1',
        data: base64(VALUES),
      });
      const before = await scene.secret();
      const { code, out, err } = await scene.run(['k8s']);
      expect([code, err]).toEqual([5, '']);
      expect(out).toContain('# 6 Secrets: 2 can be migrated, 4 cannot\n');
      for (const line of [
        'it is immutable: no operator could update it',
        'it has no keys',
        "cert-manager's Certificate 'web' writes it",
        "ConfigMap 'maker' owns it, and it would go with that; kubectl delete configmap maker -n plain-",
        'note: Flux keeps the Secret: before its manifest goes there, kubectl annotate secret kept',
        'copies 2 values to Infisical floe-platform/prod/',
        'Infisical keeps BYTES, PADDED, REFERENCE as base64',
      ]) {
        expect(out).toContain(line);
      }
      expect(out).not.toContain('release');
      const named = await scene.run(['k8s', 'release', '--apply']);
      expect([named.code, named.err]).toEqual([5, expect.stringContaining('Helm keeps a release in it')]);
      expect(await scene.secret()).toEqual(before);
      expect(scene.upstream()).toBeUndefined();
      expect(await scene.exists(RECORD)).toBe(false);
    });

    it.each([
      ['texts', VALUES, {}],
      ['what Infisical could not keep as it is', { ...VALUES, ...AWKWARD }, {}],
      ['another type', { 'tls.crt': 'made-up', 'tls.key': 'made-up' }, { type: 'kubernetes.io/tls' }],
    ])('hands over a watched Secret of %s, and back', async (_name, values, more) => {
      const scene = await withSecret(values, more);
      const witness = await watchSecret(plane, scene.namespace, 'db');
      const before = await scene.secret();
      const { code, out, err } = await scene.run(['k8s', 'db', '--apply']);
      expect([code, out], err).toEqual([0, '1 Secret: 1 migrated\n']);
      await expectMigrated(scene);
      expect(Object.keys(scene.upstream() ?? {}).toSorted()).toEqual(Object.keys(values).toSorted());
      expect(await scene.exists(RECORD)).toBe(true);
      expect((await scene.run(['k8s'])).out).toContain('# Done; --rollback goes back');
      const back = await scene.run(['k8s', 'db', '--rollback']);
      expect([back.code, back.out], back.err).toEqual([0, '1 Secret: 1 rolled back\n']);
      await expectLeft(scene);
      expect(scene.upstream()).toEqual({});
      const after = await scene.secret();
      expect([after.metadata.uid, after.data, after.type, after.metadata.labels]).toEqual([
        before.metadata.uid,
        before.data,
        before.type,
        before.metadata.labels,
      ]);
      await witness.stop();
      expect(witness.incidents).toEqual([]);
    });

    testKilledAnywhere<Stage>(() => plane, {
      steps: STEPS,
      set: withSecret,
      kill: async ({ run }, killedAt) => run(['k8s', 'db', '--apply'], { killedAt }),
      goOn: async ({ run }) => run(['k8s', 'db', '--apply']),
      goBack: async ({ run }) => run(['k8s', 'db', '--rollback']),
      async expectThere(scene) {
        await expectMigrated(scene);
        const back = await scene.run(['k8s', 'db', '--rollback']);
        expect(back.code, back.err).toBe(0);
        expect(scene.upstream()).toEqual({});
      },
      async expectBack(scene) {
        await expectLeft(scene);
        expect(scene.upstream()).toEqual({});
      },
    });

    it('leaves upstream what was there before, and what is another now', async () => {
      const scene = await withSecret();
      const path = `/${scene.namespace}/db`;
      infisical.seed('prod', path, { USER: VALUES.USER });
      expect((await scene.run(['k8s', 'db', '--apply'])).code).toBe(0);
      scene.operator.mood.failure = 'paused';
      infisical.seed('prod', path, { PASSWORD: 'rotated-made-up' });
      const { code, err } = await scene.run(['k8s', 'db', '--rollback']);
      expect([code, err]).toEqual([
        0,
        expect.stringContaining('where they are others than in the Secret: PASSWORD'),
      ]);
      expect(scene.upstream()).toEqual({ USER: VALUES.USER, PASSWORD: 'rotated-made-up' });
      expect(await scene.values()).toEqual(VALUES);
    });

    it('writes nothing over, and nothing beside', async () => {
      const scene = await withSecret();
      infisical.seed('prod', `/${scene.namespace}/db`, { USER: 'another-made-up' });
      const over = await scene.run(['k8s', 'db', '--apply']);
      expect([over.code, over.err]).toEqual([
        1,
        expect.stringContaining("'USER' exists already with another value"),
      ]);
      const other = await withSecret();
      infisical.seed('prod', `/${other.namespace}/db`, { OTHER: 'another-made-up' });
      const dry = await other.run(['k8s', 'db', '--dry-run']);
      expect([dry.code, dry.out]).toEqual([5, expect.stringContaining('has other keys too')]);
      const beside = await other.run(['k8s', 'db', '--apply']);
      expect([beside.code, beside.err]).toEqual([1, expect.stringContaining('has other keys too')]);
      for (const one of [scene, other]) {
        expect(await Promise.all([RECORD, 'infisicalsecrets/db'].map(one.exists))).toEqual([false, false]);
        expect(Object.keys(one.upstream() ?? {})).toHaveLength(1);
      }
    });

    it('takes everything back where the store or the operator fails', async () => {
      const scene = await withSecret();
      infisical.answer('/secrets/raw/PASSWORD', { status: 403, body: { message: 'no' } });
      infisical.answer('/secrets/PASSWORD', { status: 403, body: { message: 'no' } });
      const refused = await scene.run(['k8s', 'db', '--apply']);
      expect(refused.code, refused.err).toBe(4);
      expect(await scene.exists(RECORD)).toBe(false);
      infisical.heal();
      scene.operator.mood.failure = 'the identity may not read';
      const failed = await scene.run(['k8s', 'db', '--apply', '--timeout', '12s']);
      expect([failed.code, failed.err]).toEqual([
        1,
        expect.stringContaining('everything is as it was before'),
      ]);
      expect(scene.upstream()).toEqual({});
      await expectLeft(scene);
      expect(await scene.values()).toEqual(VALUES);
    });

    it('does nothing by a record that somebody wrote', async () => {
      const scene = await withSecret();
      infisical.seed('prod', '/payments', { USER: VALUES.USER });
      await scene.run(['k8s', 'db', '--apply']);
      const record = `/api/v1/namespaces/${scene.namespace}/${RECORD}`;
      const { data } = await plane.request<{ readonly data: Readonly<Record<string, string>> }>(
        'GET',
        record,
      );
      const copy = { ...(JSON.parse(data['copy'] ?? '') as object), created: ['USER'] };
      const place = { project: 'floe-platform', environment: 'prod', path: '/payments' };
      await plane.request(
        'PATCH',
        record,
        { data: { copy: JSON.stringify({ ...copy, place }) } },
        { contentType: 'application/merge-patch+json' },
      );
      const { code, err } = await scene.run(['k8s', 'db', '--rollback']);
      expect([code, err]).toEqual([
        1,
        expect.stringContaining("'copy' is at another place than 'to' reads from"),
      ]);
      expect(infisical.valuesAt('prod', '/payments')).toEqual({ USER: VALUES.USER });
      await expectMigrated(scene);
    });
  });

  describe.skipIf(!needs('sops') || !needs('age'))('migrate sops', () => {
    let key: SopsKey;

    /** A stage with this file, encrypted; the key is outside of what is looked through, as is SOPS. */
    async function withFile(name: string, content: string, more: readonly string[] = []): Promise<Stage> {
      const scene = await stage();
      key = makeKey(scene.folder, 'age.key');
      encrypted(join(scene.folder, name), content, { ...key, more });
      return scene;
    }

    const sops = ['--sops', findSops() ?? 'sops'];
    const ENV_FILE = Object.entries(VALUES)
      .map(([name, value]) => `${name}=${value}\n`)
      .join('');
    const applied = async (scene: Stage, file: string, ...more: readonly string[]) =>
      scene.run(['sops', file, '--apply', ...sops, ...more], { env: key.env });

    it('plans without SOPS and without its key, and changes nothing', async () => {
      const scene = await withFile(
        'db.enc.yaml',
        `# made-up comment\nUSER: ${VALUES.USER}\nPASSWORD: made-up\n`,
      );
      encrypted(join(scene.folder, 'nested.json'), '{"db": {"password": "made-up"}}', key);
      writeFileSync(join(scene.folder, 'values.yaml'), 'replicas: 1\n');
      const { code, out, err } = await scene.run(['sops', '.', '--sops', 'no-such-program']);
      expect([code, err]).toEqual([5, '']);
      expect(out).toContain('# 2 SOPS secrets: 1 can be migrated, 1 cannot\n');
      expect(out).toContain('db: it holds more than one value; --flatten joins the names of the keys by _');
      expect(out).toContain(': PASSWORD, USER\n');
      expect(out).toContain(`# SOPS file ${scene.namespace}/db (db.enc.yaml)\n`);
      expect(scene.upstream()).toBeUndefined();
      expect(await Promise.all([RECORD, 'infisicalsecrets/db', 'secrets/db'].map(scene.exists))).toEqual([
        false,
        false,
        false,
      ]);
      const missing = await scene.run(['sops', 'db.enc.yaml', '--apply', '--sops', 'no-such-program']);
      expect([missing.code, missing.err]).toEqual([
        2,
        expect.stringContaining("the program 'no-such-program' is not there: install it"),
      ]);
    });

    test.each([
      ['db.env', ENV_FILE],
      ['db.enc.json', JSON.stringify(VALUES)],
      ['db.sops.yaml', `USER: ${VALUES.USER}\nPASSWORD: ${VALUES.PASSWORD}\n`],
    ])(
      'makes the Secret of %s where there is none yet, and leaves it on the way back',
      async (file, content) => {
        const scene = await withFile(file, content);
        const { code, out, err } = await applied(scene, file);
        expect([code, out], err).toEqual([0, '1 SOPS secret: 1 migrated\n']);
        expect(await scene.values()).toEqual(VALUES);
        expect(scene.upstream()).toEqual(VALUES);
        await expectMigrated(scene);
        const back = await scene.run(['sops', file, '--rollback']);
        expect(back.code, back.err).toBe(0);
        await expectLeft(scene);
        expect(scene.upstream()).toEqual({});
      },
    );

    it('hands over a watched Secret that the same file made', async () => {
      const manifest = (name: string, more: string): string =>
        `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}}\n${more}`;
      const data = base64({ ...VALUES, ...AWKWARD });
      const lines = Object.entries(data).map(([name, value]) => `  ${name}: ${value}\n`);
      const scene = await withFile(
        'secrets.yaml',
        `${manifest('db', `data:\n${lines.join('')}`)}---\n${manifest('tls', 'type: kubernetes.io/tls\nstringData: {tls.crt: made-up, tls.key: "made-up\\n"}\n')}`,
        MANIFESTS,
      );
      await scene.make('secrets', { metadata: { name: 'db' }, data });
      const witness = await watchSecret(plane, scene.namespace, 'db');
      const { code, out, err } = await applied(scene, 'secrets.yaml');
      expect([code, out], err).toEqual([0, '2 SOPS secrets: 2 migrated\n']);
      await expectMigrated(scene);
      expect(await scene.values()).toEqual({ ...VALUES, ...AWKWARD });
      expect((await scene.secret('tls')).type).toBe('kubernetes.io/tls');
      expect(await scene.values('tls')).toEqual({ 'tls.crt': 'made-up', 'tls.key': 'made-up\n' });
      expect((await scene.run(['sops', 'secrets.yaml'])).out).toContain('2 done');
      await witness.stop();
      expect(witness.incidents).toEqual([]);
    });

    it('leaves a Secret alone that is another one in the cluster', async () => {
      const scene = await withFile('db.env', ENV_FILE);
      await scene.make('secrets', {
        metadata: { name: 'db' },
        data: base64({ ...VALUES, PASSWORD: 'other-made-up' }),
      });
      const { code, out } = await applied(scene, 'db.env');
      expect([code, out]).toEqual([
        5,
        expect.stringContaining('is another one: it has other values of PASSWORD'),
      ]);
      expect(scene.upstream()).toBeUndefined();
      const owner = { apiVersion: 'v1', kind: 'SopsSecret', name: 'several', uid: 'x' };
      const other = await withFile('db.env', ENV_FILE);
      await other.make('secrets', {
        metadata: { name: 'db', ownerReferences: [owner] },
        data: base64(VALUES),
      });
      expect((await other.run(['sops', 'db.env'])).out).toContain(
        "SopsSecret 'several' owns it, and it would go with that; kubectl delete sopssecret several",
      );
    });

    it('without the key says whose it takes, and does nothing', async () => {
      const scene = await withFile('db.env', ENV_FILE);
      const other = makeKey(scene.folder, 'other.key');
      const { code, err } = await scene.run(['sops', 'db.env', '--apply', ...sops], { env: other.env });
      expect([code, err]).toEqual([4, expect.stringContaining(`it is for age ${key.recipient}`)]);
      expect(scene.upstream()).toBeUndefined();
      expect(await scene.exists(RECORD)).toBe(false);
    });

    test.each(['record the way', 'values copied', 'make Infisical', 'close the record'])(
      'killed at "%s" it goes on',
      async (words) => {
        const scene = await withFile('db.env', ENV_FILE);
        await scene.run(['sops', 'db.env', '--apply', ...sops], { env: key.env, killedAt: words });
        const { code, err } = await applied(scene, 'db.env');
        expect(code, err).toBe(0);
        await expectMigrated(scene);
        expect(await scene.values()).toEqual(VALUES);
        const back = await scene.run(['sops', 'db.env', '--rollback']);
        expect(back.code, back.err).toBe(0);
        expect(scene.upstream()).toEqual({});
      },
    );
  });
});
