/**
 * `migrate eso` where the Secrets are watched the whole time: real API server, real garbage collector, and operators
 * at their worst. A Secret never vanishes and its data never changes; killed anywhere, it goes on, or back.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test, vi } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { needs } from '../needs.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { PROJECT } from '../upstream/infisical-server.ts';
import { WEBHOOK } from './cluster.ts';
import type { EsoOptions, ExternalSecret } from './eso-operator.ts';
import { testKilledAnywhere } from './killed-anywhere.ts';
import { startMigrationCluster } from './migration-cluster.ts';
import type { Stage, StageOptions } from './eso-stage.ts';
import { CEILING, setStage } from './eso-stage.ts';
import { expectPodsMeanwhile } from './pods-meanwhile.ts';
import { watchSecret } from './secret-witness.ts';
import { startServed } from './served.ts';

/** A value that Infisical would trim, one with a reference in it, and bytes that are no text. */
const AWKWARD = {
  PADDED: '  padded-made-up ',
  REFERENCE: 'a${b}-made-up',
  BYTES: '\u00ff\u00fe\u0000made-up',
};

describe.skipIf(!needs('controllers'))('migrate eso', () => {
  let plane: ControlPlane;
  let infisical: InfisicalServer;

  beforeAll(async () => {
    [plane, infisical] = await startMigrationCluster();
  });
  afterAll(async () => {
    await Promise.all([infisical?.stop(), plane?.stop()]);
  });

  const stage = async (options: StageOptions = {}): Promise<Stage> => setStage(plane, infisical, options);

  const ES = 'externalsecrets/db';
  const IS = 'infisicalsecrets/db';
  const RECORD = 'configmaps/floe-migration-db';
  const REHEARSAL = 'infisicalsecrets/db-floe-rehearsal';

  /** A pass that was under way may have written the rehearsal's Secret once more; its owner is gone. */
  async function expectSwept(scene: Stage): Promise<void> {
    await vi.waitFor(
      async () => expect(await scene.exists('secrets/db-floe-rehearsal')).toBe(false),
      CEILING,
    );
  }

  async function expectMigrated(scene: Stage): Promise<void> {
    expect(await Promise.all([ES, IS, REHEARSAL].map(scene.exists))).toEqual([false, true, false]);
    await expectSwept(scene);
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
    expect(await Promise.all([IS, REHEARSAL, RECORD].map(scene.exists))).toEqual([false, false, false]);
    await expectSwept(scene);
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

  /** As a run that was killed leaves it, with its Secret gone already. */
  async function leaveRehearsal({ namespace }: Stage): Promise<void> {
    await plane.request('POST', `/apis/external-secrets.io/v1/namespaces/${namespace}/externalsecrets`, {
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      metadata: { name: 'other-floe-rehearsal', labels: { 'secrets.floe.dev/migration': 'rehearsal' } },
      spec: { secretStoreRef: { name: 'gone' }, dataFrom: [{ find: { name: { regexp: '.*' } } }] },
    });
  }

  it('plans first and changes nothing', async () => {
    const scene = await stage();
    const before = await scene.secret();
    await leaveRehearsal(scene);
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
    const scene = await stage({ spec: { dataFrom: [{ extract: { key: 'db' } }] }, store: 'vault' });
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

  testKilledAnywhere<Stage>(() => plane, {
    steps: STEPS,
    set: stage,
    kill: async ({ killedAt }, words) => killedAt(words, '--apply'),
    goOn: async ({ command }) => command({ apply: true }),
    goBack: async ({ command }) => command({ names: ['db'], rollback: true }),
    expectThere: expectMigrated,
    expectBack: expectAsBefore,
  });

  describe('with operators at their worst', () => {
    test.each<[string, Partial<EsoOptions>]>([
      ['keeps its ownerReference', { keepsOwner: true }],
      ['acts on what was a second ago', { lateMs: 1_000 }],
      ['does both', { keepsOwner: true, lateMs: 1_000 }],
    ])('passes an External Secrets that %s', async (_name, options) => {
      const scene = await stage({ eso: options });
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
      const scene = await stage({ spec: { dataFrom: [{ extract: { key: 'db' } }] }, store: 'vault' });
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

  describe('with --store-only', () => {
    const VAULT = { spec: { dataFrom: [{ extract: { key: 'db' } }] }, store: 'vault' } as const;
    const own = async (scene: Stage): Promise<Stage> => ({
      ...scene,
      command: async (options) => scene.command({ storeOnly: true, ...options }),
    });

    async function storeOf(scene: Stage): Promise<unknown> {
      const { spec } = await plane.request<ExternalSecret>(
        'GET',
        `/apis/external-secrets.io/v1/namespaces/${scene.namespace}/${ES}`,
      );
      return spec.secretStoreRef;
    }

    it('points an ExternalSecret at copies in Infisical, and back, while its Secret is watched', async () => {
      const scene = await own(await stage(VAULT));
      Object.assign(scene.vault, AWKWARD);
      await plane.request('PATCH', `/apis/external-secrets.io/v1/namespaces/${scene.namespace}/${ES}`, {
        metadata: { annotations: { 'force-sync': '1' } },
      });
      await vi.waitFor(async () => expect(Object.keys((await scene.secret()).data)).toHaveLength(5), CEILING);
      const plan = await scene.command({ dryRun: true });
      expect([plan.code, plan.out]).toEqual([0, expect.stringContaining('kind: ClusterSecretStore')]);
      const witness = await watchSecret(plane, scene.namespace, 'db');
      const { code, err } = await scene.command({ apply: true });
      expect([code, err]).toEqual([
        0,
        expect.stringContaining("ExternalSecret 'db' reads ClusterSecretStore 'infisical' now"),
      ]);
      expect(await storeOf(scene)).toEqual({ kind: 'ClusterSecretStore', name: 'infisical' });
      expect(await Promise.all([ES, IS, 'externalsecrets/db-floe-rehearsal'].map(scene.exists))).toEqual([
        true,
        false,
        false,
      ]);
      const again = await scene.command();
      expect(again.out).toContain('# Done; --rollback goes back');
      const back = await scene.command({ names: ['db'], rollback: true });
      expect(back.code, back.err).toBe(0);
      expect(await storeOf(scene)).toMatchObject({ name: 'vault' });
      expect(await scene.exists(RECORD)).toBe(false);
      await witness.stop();
      expect(witness.incidents).toEqual([]);
    });

    test.each(['record the way', 'rehearse', 'point External', 'rehearsal away', 'close the record'])(
      'killed at "%s" it goes on, and back',
      async (words) => {
        const scene = await own(await stage(VAULT));
        const witness = await watchSecret(plane, scene.namespace, 'db');
        await scene.killedAt(words, '--store-only', '--apply');
        if (words !== 'record the way') {
          const back = await scene.command({ names: ['db'], rollback: true });
          expect(back.code, back.err).toBe(0);
          expect(await storeOf(scene)).toMatchObject({ name: 'vault' });
          await scene.killedAt(words, '--store-only', '--apply');
        }
        const { code, err } = await scene.command({ apply: true });
        expect(code, err).toBe(0);
        expect(await storeOf(scene)).toMatchObject({ name: 'infisical' });
        await witness.stop();
        expect(witness.incidents).toEqual([]);
      },
    );

    it('takes all back where the copies do not arrive', async () => {
      const scene = await own(await stage(VAULT));
      const witness = await watchSecret(plane, scene.namespace, 'db');
      scene.eso.fail('no such store');
      const { code, err } = await scene.command({ apply: true, timeout: '30s' });
      expect([code, err]).toEqual([1, expect.stringContaining('everything is as it was before')]);
      expect(await storeOf(scene)).toMatchObject({ name: 'vault' });
      expect(await scene.exists(RECORD)).toBe(false);
      await witness.stop();
      expect(witness.incidents).toEqual([]);
    });
  });

  describe('of a PushSecret', () => {
    const PUSH = 'pushsecrets/out';
    const INFISICAL_PUSH = 'infisicalpushsecrets/out';

    async function pushing(deletionPolicy: string): Promise<Stage> {
      const scene = await stage();
      await plane.request(
        'POST',
        `/apis/external-secrets.io/v1alpha1/namespaces/${scene.namespace}/pushsecrets`,
        {
          apiVersion: 'external-secrets.io/v1alpha1',
          kind: 'PushSecret',
          metadata: { name: 'out' },
          spec: {
            deletionPolicy,
            secretStoreRefs: [{ name: 'vault', kind: 'SecretStore' }],
            selector: { secret: { name: 'db' } },
            data: [{ match: { secretKey: 'USER', remoteRef: { remoteKey: 'team', property: 'DB_USER' } } }],
          },
        },
      );
      return scene;
    }

    test.each(['Delete', 'None'])('with deletionPolicy %s it goes to Infisical and back', async (policy) => {
      const scene = await pushing(policy);
      const plan = await scene.command();
      expect(plan.out).toContain('# 1 ExternalSecret and 1 PushSecret: 2 can be migrated');
      const { code, err } = await scene.command({ names: ['out'], apply: true });
      expect([code, err]).toEqual([
        0,
        expect.stringContaining("InfisicalPushSecret 'out' pushes Secret 'db' now"),
      ]);
      const number = scene.namespace.replace('migrate-', '');
      expect(infisical.valuesAt('prod', `/imported-${number}/team`)).toEqual({ DB_USER: 'floe-made-up' });
      expect(await Promise.all([PUSH, INFISICAL_PUSH, ES].map(scene.exists))).toEqual([false, true, true]);
      const back = await scene.command({ names: ['out'], rollback: true });
      expect(back.code, back.err).toBe(0);
      expect(await Promise.all([PUSH, INFISICAL_PUSH].map(scene.exists))).toEqual([true, false]);
      // What is in the old store is nobody's loss, in either direction.
      expect(scene.eso.emptied).toEqual([]);
      const { spec } = await plane.request<{ readonly spec: object }>(
        'GET',
        `/apis/external-secrets.io/v1alpha1/namespaces/${scene.namespace}/${PUSH}`,
      );
      expect(spec).toMatchObject({ deletionPolicy: policy });
    });

    it('stays where it is while the new one fails', async () => {
      const scene = await pushing('Delete');
      scene.operator.mood.failure = 'not allowed';
      const { code, err } = await scene.command({ names: ['out'], apply: true, timeout: '15s' });
      expect([code, err]).toEqual([1, expect.stringContaining('everything is as it was before')]);
      expect(await Promise.all([PUSH, INFISICAL_PUSH].map(scene.exists))).toEqual([true, false]);
      expect(scene.eso.emptied).toEqual([]);
    });
  });

  it('lets pods in at every step, there and back', async () => {
    const served = await startServed(plane, {
      name: 'migrate',
      kubeconfig: plane.kubeconfigFor(WEBHOOK.token),
    });
    onTestFinished(async () => served.stop());
    const chain = { 'secrets.floe.dev/plugin': 'external-secrets' };
    const namespace = await served.namespace(chain);
    const scene = await stage({ namespace });
    const refused = await scene.command();
    expect([refused.code, refused.out]).toEqual([5, expect.stringContaining('is without infisical')]);
    const annotate = async (annotations: object): Promise<unknown> =>
      plane.request('PATCH', `/api/v1/namespaces/${namespace}`, { metadata: { annotations } });
    const both = { 'secrets.floe.dev/plugin': 'external-secrets,infisical' };
    await annotate({ ...both, 'secrets.floe.dev/allowed-projects': 'another-*' });
    const strange = await scene.command();
    expect([strange.code, strange.out]).toEqual([
      5,
      expect.stringMatching(/InfisicalSecret 'db' reads project 'floe-platform', .* \(E810\)/),
    ]);
    await annotate({ 'secrets.floe.dev/allowed-projects': PROJECT.slug });
    await expectPodsMeanwhile(plane, namespace, async () => {
      expect((await scene.command({ apply: true })).code).toBe(0);
      await expectMigrated(scene);
      expect((await scene.command({ names: ['db'], rollback: true })).code).toBe(0);
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
