// Pods of 3 MB that multiply what they say: each of them once took all memory, or the event loop for minutes.
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import { SECRET_PROVIDER_CLASS } from '../../src/kube/object.ts';
import type { World } from '../../src/kube/world.ts';
import { levelOf } from '../../src/review/levels.ts';
import { createPlanner } from '../../src/review/planner.ts';
import { policyOf } from '../../src/review/policy.ts';
import { settingsOf } from '../../src/review/settings.ts';
import { cluster, codes, infisicalSecret, mutate, namespace, pod, secret, validate } from './setup.ts';

/** So many short words: 3,000 of them nearly fill an annotation. */
function words(count: number, letter = 's'): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index.toString(36)}`);
}

function containers(count: number, more: JsonObject = {}): readonly JsonObject[] {
  return words(count, 'c').map((name) => ({ name, ...more }));
}

const spec = (...list: readonly Json[]): JsonObject => ({ containers: list });
const keyOf = (name: string, key: string, variable = 'V'): JsonObject => ({
  name: variable,
  valueFrom: { secretKeyRef: { name, key } },
});

describe('entries times containers', () => {
  const crowd = { containers: containers(60_000) };

  it.each([
    ['inject', words(3000).join()],
    ['env', words(3000).join()],
    ['files', words(3000).join()],
    ['inject', words(100).join()],
  ])('%s of many Secrets for 60,000 containers is one mistake', (key, value) => {
    for (const review of [mutate, validate]) {
      const { refusal, findings, patch } = review(pod({ [key]: value }, crowd));
      expect([refusal?.code, patch]).toEqual([422, []]);
      expect(findings.map(({ message }) => message)).toEqual([
        expect.stringMatching(/^FLOE-E805: \d+ entries in each of 60000 containers are asked for; at most/),
      ]);
    }
  });

  it('up to 10,000 of both are injected', () => {
    const names = words(100);
    const world = cluster({ secrets: names.map((name) => secret(name)) });
    const asked = (count: number): JsonObject =>
      pod({ inject: names.join() }, { containers: containers(count) });
    expect(mutate(asked(100), world).patch).toHaveLength(102);
    expect(codes(mutate(asked(101), world))).toEqual(['E805']);
  });

  it('names of containers that are not there are told without all that are', () => {
    const own = pod({ inject: 'db', containers: words(3000, 'n').join() }, crowd);
    const { findings } = validate(own, cluster({ secrets: [secret('db')] }));
    expect(findings).toHaveLength(3000);
    expect(Math.max(...findings.map(({ message }) => message.length))).toBeLessThan(700);
  });

  it('many names of containers are found among many', () => {
    const own = pod({ inject: 'db', containers: words(3000, 'c').join() }, crowd);
    expect(mutate(own, cluster({ secrets: [secret('db')] })).patch).toHaveLength(3002);
  });

  it('a plan that asks for much is not remembered', () => {
    const settings = settingsOf(defaultConfig());
    const planner = createPlanner(settings);
    const policy = policyOf(settings, namespace());
    const own = pod({ inject: words(90).join() }, { containers: containers(90) });
    const plan = () => planner(policy, own, [levelOf('Pod', own)]);
    expect(plan()).toEqual(plan());
    expect(plan()).not.toBe(plan());
  });
});

describe('what a pod carries', () => {
  it('is compared with what it asks for entry by entry', () => {
    const own = {
      containers: [
        {
          name: 'dbt',
          envFrom: words(50_000, 'q').map((name) => ({ secretRef: { name } })),
          volumeMounts: words(30_000, '/q').map((mountPath) => ({ name: 'x', mountPath })),
        },
      ],
      volumes: words(30_000, 'v').map((name) => ({ name })),
    };
    const asked = pod(
      {
        inject: words(3000).join(),
        files: words(1800, '/d')
          .map((d) => `${d}=s`)
          .join(),
      },
      own,
    );
    expect(codes(mutate(asked))).toEqual(['E805']);
  });

  it('of keys that are not there gets a finding for the first of them, and one for the others', () => {
    const keys = words(30_000, 'k');
    const world = cluster({ secrets: [secret('db')] });
    const inEnv = spec({ name: 'dbt', env: keys.map((key) => keyOf('db', key, `V_${key}`)) });
    const inFiles = {
      ...spec({ name: 'dbt' }),
      volumes: [{ name: 'v', secret: { secretName: 'db', items: keys.map((key) => ({ key, path: key })) } }],
    };
    for (const own of [inEnv, inFiles]) {
      const { findings, refusal } = validate(pod({}, own), world);
      expect(refusal?.code).toBe(403);
      expect(findings).toHaveLength(51);
      expect(findings[0]).toMatchObject({ code: 'FLOE-E802', secret: 'db', key: 'k0' });
      expect(findings.at(-1)).toMatchObject({
        secret: 'db',
        summary: "FLOE-E802: Secret 'db' in namespace 'floe-jobs' lacks 29950 more keys",
      });
    }
  });

  it('of one large Secret again and again is looked at up to a bound', () => {
    const large = secret('db', { keys: words(50_000, 'k') });
    const envFrom = Array.from({ length: 40_000 }, () => ({ secretRef: { name: 'db' } }));
    const own = pod({}, spec({ name: 'a', envFrom }, { name: 'b', envFrom }));
    expect(validate(own, cluster({ secrets: [large] })).findings).toEqual([]);
    const prefixed = { prefix: 'P'.repeat(1_000_000), secretRef: { name: 'db' } };
    expect(
      validate(pod({}, spec({ name: 'a', envFrom: [prefixed] })), cluster({ secrets: [large] })),
    ).toMatchObject({
      allowed: true,
      findings: [],
    });
  });

  it('of CSI volumes is looked up for the first of their classes', () => {
    const asked: string[] = [];
    const world = cluster({ secrets: [secret('db')] });
    const counting: World = {
      ...world,
      object: (kind, ...place) => {
        if (kind === SECRET_PROVIDER_CLASS) asked.push(place[1]);
        return world.object(kind, ...place);
      },
    };
    const csi = (name: string): JsonObject => ({
      driver: 'secrets-store.csi.k8s.io',
      volumeAttributes: { secretProviderClass: name },
    });
    const volumes = words(30_000, 'v').map((name) => ({ name, csi: csi(name) }));
    const own = { ...spec({ name: 'dbt', envFrom: [{ secretRef: { name: 'db' } }] }), volumes };
    expect(validate(pod({}, own), counting).allowed).toBe(true);
    expect(asked).toEqual(words(20, 'v'));
  });

  it('is told without the whole of a name that no API server takes', () => {
    const long = 'n'.repeat(2_000_000);
    const asked = {
      env: words(2000, 'V')
        .map((name) => `${name}=s/k`)
        .join(),
    };
    const { findings, refusal } = mutate(pod(asked, spec({ name: long })));
    expect(refusal?.message.length).toBeLessThanOrEqual(1024);
    expect(findings[0]?.message.length).toBeLessThan(2000);
    const volumes = [{ name: long, secret: { secretName: 'gone' } }];
    expect(validate(pod({}, { ...spec(), volumes })).findings[0]?.message.length).toBeLessThan(2000);
  });
});

describe('what others wrote', () => {
  it('long names that are nearly those of 1,000 sync resources cost little', () => {
    const near = (index: number): string => `${'b'.repeat(40)}${'a'.repeat(180)}${index}`;
    const objects = Array.from({ length: 1000 }, (_, index) => infisicalSecret(`${near(index)}x`, undefined));
    const envFrom = Array.from({ length: 100 }, (_, index) => ({ secretRef: { name: `a${near(index)}` } }));
    const decision = validate(pod({}, spec({ name: 'dbt', envFrom })), cluster({ objects }));
    expect(new Set(codes(decision))).toEqual(new Set(['E801']));
  });

  it.each(['allowed-service-accounts', 'allowed-products'])(
    'an annotation %s of 16 KiB and more is a mistake',
    (key) => {
      const name = `secrets.floe.dev/${key}`;
      const own = pod({}, spec({ name: 'dbt', envFrom: [{ secretRef: { name: 'db' } }] }));
      const guarded = secret('db', { annotations: { [name]: `${'*a'.repeat(8192)},*` } });
      const { findings, refusal } = validate(own, cluster({ secrets: [guarded] }));
      expect(refusal?.code).toBe(422);
      expect(findings[0]?.message).toContain(
        `annotation ${name} of the Secret 'db' is longer than 16384 bytes`,
      );
    },
  );

  it('of very many that target one Secret the first are named', () => {
    const objects = words(2000, 'r').map((name) =>
      infisicalSecret(name, undefined, {
        spec: { managedKubeSecretReferences: [{ secretName: 'db', secretNamespace: 'floe-jobs' }] },
      }),
    );
    const own = pod({}, spec({ name: 'dbt', envFrom: [{ secretRef: { name: 'db' } }] }));
    const { findings } = validate(own, cluster({ objects, secrets: [secret('db')] }));
    const told = findings.find(({ code }) => code === 'FLOE-E814');
    expect(told?.message).toContain('and 1995 more');
    expect(told?.message.length).toBeLessThan(400);
  });
});
