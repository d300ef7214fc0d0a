import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import { STATIC_STATUSES } from '../plugins/statuses.ts';
import {
  HERE,
  NOW,
  ago,
  cluster,
  codes,
  infisicalSecret,
  mutate,
  namespace,
  patched,
  pod,
  request,
  reviewer,
  secret,
  syncResource,
  validate,
} from './setup.ts';

const SYNCED = cluster({ secrets: [secret('db', { keys: ['PASSWORD', 'USER', 'value'] }), secret('other')] });
const skipped: JsonObject = { containers: [{ name: 'istio-proxy' }] };

describe('injection', () => {
  it("has floe's own form of envFrom, exactly", () => {
    const { patch } = mutate(pod({ inject: 'db, X_=other, other?' }), SYNCED);
    expect(patch[0]).toEqual({
      op: 'add',
      path: '/spec/containers/0/envFrom',
      value: [
        { secretRef: { name: 'db' } },
        { prefix: 'X_', secretRef: { name: 'other' } },
        { secretRef: { name: 'other', optional: true } },
      ],
    });
  });

  it('appends behind what is there', () => {
    const own = pod(
      { inject: 'db', env: 'N=db/USER', files: '/d=db/USER' },
      {
        containers: [
          {
            name: 'a',
            envFrom: [{ configMapRef: { name: 'c' } }],
            env: [{ name: 'A', value: '1' }],
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
          },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    );
    const paths = mutate(own, SYNCED).patch.map(({ op, path }) => `${op} ${path}`);
    expect(paths).toEqual([
      'add /spec/containers/0/envFrom/-',
      'add /spec/containers/0/env/-',
      'add /spec/containers/0/volumeMounts/-',
      'add /spec/volumes/-',
      'add /metadata/annotations/secrets.floe.dev~1injected',
      'add /metadata/annotations/secrets.floe.dev~1versions',
    ]);
  });

  it.each(['skipped', 'named'])('is nothing at all where no container receives it (%s)', (how) => {
    const own =
      how === 'skipped'
        ? pod({ inject: 'db', files: 'db', env: 'db' }, skipped)
        : pod({ files: 'db', containers: 'init:*' });
    expect(mutate(own, SYNCED)).toMatchObject({ allowed: true, patch: [], injected: [] });
    // Not even a reference is judged: the pod gets none.
    expect(mutate(pod({ inject: 'gone', files: 'gone' }, skipped), SYNCED).allowed).toBe(true);
    expect(validate(pod({ inject: 'gone' }, skipped), SYNCED).allowed).toBe(true);
  });

  it.each(['', ' ', ',', '\n,'])('goes to the regular containers where `containers` is %j', (containers) => {
    expect(mutate(pod({ inject: 'db', containers }), SYNCED).patch[0]?.path).toBe(
      '/spec/containers/0/envFrom',
    );
  });

  it('goes past what is no container, to the right index', () => {
    const odd = pod({ inject: 'db' }, { containers: [null, 'x', { name: 'dbt' }] });
    const decision = mutate(odd, SYNCED);
    expect(decision.patch[0]?.path).toBe('/spec/containers/2/envFrom');
    expect(patched(odd, decision)).toMatchObject({ spec: { containers: [null, 'x', { envFrom: [{}] }] } });
  });

  it.each([
    [{ metadata: null }, '/metadata'],
    [{}, '/metadata'],
    [{ metadata: { annotations: null } }, '/metadata/annotations'],
    [{ metadata: {} }, '/metadata/annotations'],
  ])('writes its marks on a pod with %j', (metadata, path) => {
    const world = cluster({
      namespace: namespace({ 'secrets.floe.dev/inject': 'db' }),
      secrets: [secret('db')],
    });
    const own: JsonObject = { ...metadata, spec: { containers: [{ name: 'dbt' }] } };
    const decision = mutate(own, world);
    expect(decision.patch.at(-1)?.path).toBe(path);
    expect(patched(own, decision)).toMatchObject({
      metadata: {
        annotations: { 'secrets.floe.dev/injected': 'db', 'secrets.floe.dev/versions': 'db=4711' },
      },
    });
  });

  it('overwrites marks that somebody forged, and leaves alone those that are right', () => {
    const forged = pod({ injected: 'made-up', versions: 'made-up=1' });
    expect(patched(forged, mutate(forged, SYNCED))).toMatchObject({
      metadata: { annotations: { 'secrets.floe.dev/injected': '', 'secrets.floe.dev/versions': '' } },
    });
    const right = pod(
      { inject: 'db', injected: 'db', versions: 'db=4711' },
      { containers: [{ name: 'dbt', envFrom: [{ secretRef: { name: 'db' } }] }] },
    );
    expect(mutate(right, SYNCED).patch).toEqual([]);
  });
});

describe('limits', () => {
  const long = (entry: string): string => entry.repeat(Math.ceil(16_385 / entry.length));

  it.each(['inject', 'env', 'files', 'containers', 'require-keys', 'plugin', 'pending'])(
    'an annotation %s longer than 16 KiB is one mistake',
    (key) => {
      const { findings, refusal } = validate(pod({ inject: 'db', [key]: long('!,') }), SYNCED);
      const told = findings.filter(({ code }) => code === 'FLOE-E805');
      expect(told.map(({ message }) => message)).toEqual([
        expect.stringContaining('longer than 16384 bytes'),
      ]);
      expect(refusal?.code).toBe(422);
    },
  );

  it.each(['plugin', 'allowed-secrets', 'allowed-projects', 'max-sync-age', 'inject', 'pending'])(
    "a Namespace's annotation %s longer than 16 KiB is a mistake",
    (key) => {
      const world = cluster({
        namespace: namespace({ [`secrets.floe.dev/${key}`]: long('!,') }),
        secrets: [secret('db')],
      });
      const { findings, refusal } = validate(pod(), world);
      expect(findings.length).toBeLessThan(4);
      expect(findings[0]?.message).toContain('longer than 16384 bytes');
      expect(refusal?.code).toBe(422);
    },
  );

  it('bytes are counted, not characters', () => {
    const { findings } = validate(pod({ inject: '€'.repeat(5500) }), SYNCED);
    expect(findings[0]?.message).toContain('longer than 16384 bytes');
  });

  it('more than 100 distinct Secrets are a mistake, without any look-up', () => {
    const names = Array.from({ length: 101 }, (_, index) => `s${index}`);
    const refused = mutate(pod({ inject: names.join() }), SYNCED);
    expect([refused.refusal?.code, codes(refused), refused.verdicts]).toEqual([422, ['E805'], []]);
    expect(codes(mutate(pod({ inject: names.slice(1).join() }), SYNCED))).toHaveLength(100);
    expect(mutate(pod({ inject: 'db,'.repeat(200) }), SYNCED).allowed).toBe(true);
  });
});

describe('hostile words', () => {
  const evil = '\u202eevil\u0007\u001b[2J\n';
  const wanting = {
    name: `a${evil}b`,
    envFrom: [{ secretRef: { name: 'gone' } }, { secretRef: { name: evil } }],
  };

  it.each([
    ['an entry', pod({ inject: evil })],
    ['a plugin', pod({ plugin: evil })],
    ['a choice', pod({ pending: evil })],
    ['a container', pod({}, { containers: [wanting] })],
    ['a required key', pod({ 'require-keys': `db/${evil}x` })],
    ['an unknown key', pod({ [`secrets.floe.dev/${evil}`]: 'x' })],
    ['an account', pod({}, { serviceAccountName: evil, containers: [wanting] })],
  ])('%s reaches no terminal as it was written', (_what, own) => {
    const { findings, refusal, warnings } = validate(own, SYNCED);
    const told = [
      ...findings.flatMap(({ message, summary }) => [message, summary]),
      ...warnings,
      refusal?.message ?? '',
    ];
    expect(told.length).toBeGreaterThan(1);
    expect(told.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it("the operator's words are the same at every retry", () => {
    const told = (message: string): string | undefined => {
      const status = [{ type: 'secrets.infisical.com/ReadyToSyncSecrets', status: 'False', message }];
      return validate(
        pod({ inject: 'db' }, { containers: [{ name: 'dbt', envFrom: [{ secretRef: { name: 'db' } }] }] }),
        cluster({ objects: [infisicalSecret('db', status)] }),
      ).refusal?.message;
    };
    const words = (id: string, time: string, port: number): string =>
      `[reqId=req-${id}] body={"reqId":"req-${id}"} at ${time}: read tcp 10.0.0.1:${port}->10.0.0.2:443: reset`;
    const first = told(words('a4bcccbc', '2026-11-22T03:59:58Z', 43210));
    expect(first).toBe(told(words('2229d1c1', '2026-11-22T04:00:03.5+01:00', 50001)));
    expect(first).toContain('reset');
    expect(first).toMatch(
      /^FLOE-E803: Secret 'db' in namespace 'floe-jobs' is not synced: InfisicalSecret 'db' reports secrets\.infisical\.com\/ReadyToSyncSecrets=False \(/,
    );
  });

  it('never reach a patch', () => {
    const marks = ['failed to list secrets', 'Reconciliation', 'req-2229d1c1'];
    const failing = syncResource('InfisicalStaticSecret', {
      metadata: { name: 'db', namespace: HERE, generation: 1, creationTimestamp: ago(3600) },
      spec: { targets: [{ name: 'db', namespace: HERE, kind: 'Secret' }] },
      status: { conditions: STATIC_STATUSES.missingPath },
    });
    const world = cluster({
      namespace: namespace({}, { 'secrets.floe.dev/enforcement': 'warn' }),
      objects: [failing],
    });
    const { patch, findings } = mutate(pod({ inject: 'db' }), world);
    expect(findings[0]?.message).toContain('failed to list secrets');
    expect(patch.length).toBeGreaterThan(0);
    for (const mark of marks) expect(JSON.stringify(patch)).not.toContain(mark);
  });
});

describe('what is not judged', () => {
  const wanting: JsonObject = {
    metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } },
    spec: { containers: [{ name: 'dbt', envFrom: [{ secretRef: { name: 'gone' } }] }] },
  };

  it('is a mirror pod, and nothing else that only says so', () => {
    expect(validate(wanting)).toMatchObject({ allowed: true, findings: [], wanted: [] });
    expect(validate(wanting).mode).toBeUndefined();
    const deployment = {
      metadata: wanting['metadata'] ?? null,
      spec: { template: { spec: wanting['spec'] ?? null } },
    };
    expect(codes(validate(deployment, cluster(), { group: 'apps', kind: 'Deployment' }))).toEqual(['E801w']);
    const sync: JsonObject = {
      metadata: { name: 'x', namespace: HERE, annotations: { 'kubernetes.io/config.mirror': 'x' } },
      spec: { managedKubeSecretReferences: [{ secretName: 'x', secretNamespace: 'kube-system' }] },
    };
    const written = validate(sync, cluster(), { group: 'secrets.infisical.com', kind: 'InfisicalSecret' });
    expect(codes(written)).toEqual(['E810']);
  });

  test.each([
    ['an operation that makes no pod', { operation: 'UPDATE' }],
    ['deletion', { operation: 'DELETE' }],
    ['a subresource', { subResource: 'status' }],
    ['a kind of another group', { group: 'example.com' }],
    ['an exempt namespace', { namespace: 'kube-system' }],
    ["the operators' namespaces", { namespace: 'infisical' }],
  ])('%s', (_what, more) => {
    expect(
      validate(wanting, cluster(), { ...more, object: { spec: wanting['spec'] ?? null } }),
    ).toMatchObject({
      allowed: true,
      findings: [],
      wanted: [],
    });
  });

  it('is an exempt user', () => {
    const review = reviewer({ enforcement: { exempt: { usernames: ['ada@floe.dev'] } } });
    const own = { spec: wanting['spec'] ?? null };
    expect(review(request('validate', own), cluster(), NOW).mode).toBeUndefined();
    const other = request('validate', own, { user: { username: 'ada', groups: [] } });
    expect(review(other, cluster(), NOW).allowed).toBe(false);
  });

  it('is not a namespace that nobody could read', () => {
    const decision = validate(wanting, cluster(), {
      namespace: 'elsewhere',
      object: { spec: wanting['spec'] ?? null },
    });
    expect(decision).toMatchObject({ allowed: false, mode: 'strict' });
    expect(codes(decision)).toEqual(['E820']);
  });
});

describe('environments', () => {
  const reading = (envSlug: string) => {
    const status = [{ type: 'secrets.infisical.com/ReadyToSyncSecrets', status: 'True' }];
    const scope = { authentication: { universalAuth: { secretsScope: { envSlug } } } };
    return infisicalSecret('db', status, { spec: scope });
  };
  const told = (label: string, envSlug: string) => {
    const here = namespace({}, { 'floe.dev/environment': label });
    return validate(
      pod({}, { containers: [{ name: 'dbt', envFrom: [{ secretRef: { name: 'db' } }] }] }),
      cluster({ namespace: here, secrets: [secret('db')], objects: [reading(envSlug)] }),
    );
  };

  it.each([
    ['production', 'prod'],
    ['prod', 'production'],
    ['PROD', 'prod'],
    ['qa', 'QA'],
  ])('%s and %s are one', (label, envSlug) => {
    expect(told(label, envSlug)).toMatchObject({ allowed: true, findings: [] });
  });

  it('that differ are told as they are written', () => {
    const { findings } = told('production', 'dev');
    expect(findings[0]).toMatchObject({ code: 'FLOE-E811', secret: 'db' });
    expect(findings[0]?.message).toContain("environment 'dev'");
    expect(findings[0]?.message).toContain("floe.dev/environment is 'production'");
  });
});
