import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/review.ts';
import type { Options } from '../../src/cli/options.ts';
import { NAMESPACE, SECRET, captured, folderOf, infisicalSecret, readyStatus } from './captured.ts';
import type { Outcome } from './captured.ts';

const pod = (inject: string, name = 'dbt', namespace = 'floe-jobs'): string => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}, annotations: {secrets.floe.dev/inject: "${inject}"}}
spec: {containers: [{name: dbt, image: dbt}]}
`;

interface Result {
  readonly allowed: boolean;
  readonly mode: string | null;
  readonly name: string;
  readonly findings: readonly { readonly code: string; readonly key?: string; readonly message: string }[];
  readonly injected: readonly string[];
  readonly warnings: readonly string[];
}

interface Judged extends Outcome {
  readonly results: readonly Result[];
  readonly summary: object;
}

/** Reviews what stands on standard input. */
async function judged(
  bundle: readonly string[],
  world: readonly string[] = [],
  more: Options = {},
): Promise<Judged> {
  const cwd = folderOf({ 'world/world.yaml': world.join('---\n') });
  const options = { filename: ['-'], world: ['world'], output: 'json', ...more };
  const outcome = await captured(run, options, { cwd, stdin: bundle.join('---\n') });
  const document = outcome.out === '' ? { results: [], summary: {} } : (JSON.parse(outcome.out) as Judged);
  return { ...outcome, results: document.results, summary: document.summary };
}

const codes = ({ results }: Judged): readonly string[] =>
  results.flatMap(({ findings }) => findings.map(({ code }) => code));

describe('review', () => {
  it('gives exactly the JSON of the contract', async () => {
    const { code, out, err } = await judged([pod('snowflake-credentials')], [NAMESPACE, SECRET]);
    expect(JSON.parse(out)).toEqual({
      results: [
        {
          kind: 'Pod',
          namespace: 'floe-jobs',
          name: 'dbt',
          allowed: true,
          mode: 'strict',
          plugin: 'infisical,k8s',
          findings: [],
          warnings: [],
          patch: expect.arrayContaining([
            {
              op: 'add',
              path: '/spec/containers/0/envFrom',
              value: [{ secretRef: { name: 'snowflake-credentials' } }],
            },
          ]),
          injected: ['snowflake-credentials'],
        },
      ],
      summary: { reviewed: 1, allowed: 1, denied: 0, unknown: 0, warnings: 0 },
    });
    expect([code, err]).toEqual([0, '']);
    expect(out).not.toContain('hunter2');
  });

  it.each(['text', 'json', 'yaml', 'diff'])('denies with exit code 5: -o %s', async (output) => {
    const cwd = folderOf({ 'pod.yaml': pod('salesforce-credentials') });
    expect((await captured(run, { filename: ['pod.yaml'], output }, { cwd })).code).toBe(5);
  });

  it('writes for people', async () => {
    const cwd = folderOf({
      'pods/a.yaml': pod('snowflake-credentials'),
      'pods/b.yml': pod('salesforce-credentials', 'crm'),
      'world.yaml': `${NAMESPACE}---\n${SECRET}`,
    });
    const { out, code } = await captured(run, { filename: ['pods'], world: ['world.yaml'] }, { cwd });
    expect(out).toBe(`✓ Pod floe-jobs/dbt: allowed (strict), injected snowflake-credentials
✗ Pod floe-jobs/crm: denied (strict)
  ✗ FLOE-E801: Secret 'salesforce-credentials' not found in namespace 'floe-jobs'. Used by container 'dbt' (envFrom). Suggestion: create it, or a sync resource that targets it
    at pods/b.yml:3

2 objects reviewed: 1 allowed, 1 denied, 0 warnings.
`);
    expect(code).toBe(5);
  });

  it('colours a terminal only, and falls back to ASCII', async () => {
    const cwd = folderOf({ 'pod.yaml': pod('a?') });
    const options = { filename: ['pod.yaml'] };
    expect((await captured(run, options, { cwd, isTTY: true })).out).toContain('\u001B[32m✓\u001B[39m');
    expect((await captured(run, options, { cwd, isTTY: true, env: { NO_COLOR: '1' } })).out).not.toContain(
      '\u001B',
    );
    expect((await captured(run, options, { cwd, env: { LANG: 'C' } })).out).toMatch(/^\+ Pod floe-jobs\/dbt/);
  });

  it('shows the injection as a diff', async () => {
    const cwd = folderOf({
      'pod.yaml': pod('snowflake-credentials'),
      'world.yaml': `${NAMESPACE}---\n${SECRET}`,
    });
    const options = { filename: ['pod.yaml'], world: ['world.yaml'], output: 'diff' };
    const { out } = await captured(run, options, { cwd });
    expect(out).toContain('--- a/floe-jobs/Pod/dbt\n+++ b/floe-jobs/Pod/dbt\n');
    expect(out).toContain(
      '+      envFrom:\n+        - secretRef:\n+            name: snowflake-credentials\n',
    );
    expect(out.split('\n').filter((line) => line.startsWith('-') && !line.startsWith('---'))).toEqual([]);
  });

  describe('what the bundle declares counts as present', () => {
    it('a Secret with its keys', async () => {
      const own = SECRET.replace('snowflake-credentials', 'own');
      expect((await judged([own, pod('own')])).code).toBe(0);
      expect(codes(await judged([own, env('own/NOPE')]))).toEqual(['FLOE-E802']);
    });

    it("a sync resource's target, whose keys nobody knows", async () => {
      const sync = infisicalSecret('sync', { target: 'db' });
      const result = await judged([env('db/ANY, db/OTHER'), sync, pod('db')], [NAMESPACE]);
      expect(result.results.map(({ allowed, findings }) => [allowed, findings])).toEqual([
        [true, []],
        [true, []],
        [true, []],
      ]);
    });

    it('also keys that the Secret does not have yet', async () => {
      const sync = infisicalSecret('sync', { target: 'snowflake-credentials' });
      expect((await judged([env('snowflake-credentials/NEW'), sync], [NAMESPACE, SECRET])).code).toBe(0);
      expect((await judged([env('snowflake-credentials/NEW')], [NAMESPACE, SECRET])).code).toBe(5);
    });

    it('over what the world says of the same sync resource', async () => {
      const failing = infisicalSecret('db', { status: readyStatus('False', '2026-01-01T00:00:00Z') });
      expect((await judged([pod('db')], [NAMESPACE, failing])).code).toBe(5);
      expect((await judged([pod('db'), infisicalSecret('db')], [NAMESPACE, failing])).code).toBe(0);
      // Exported with a failing status it speaks for itself.
      expect((await judged([pod('db'), failing], [NAMESPACE])).code).toBe(5);
    });

    it('a sync resource that nobody has synced yet, however old its manifest', async () => {
      for (const status of ['', 'status: {}\n']) {
        const sync = infisicalSecret('db', {
          status,
          metadata: ', creationTimestamp: "2020-01-01T00:00:00Z"',
        });
        const { results } = await judged([pod('db'), sync], [NAMESPACE]);
        expect(results[0]).toMatchObject({ allowed: true, findings: [] });
      }
    });

    it('a Namespace with its settings', async () => {
      const audit = NAMESPACE.replace('enabled', 'enabled, secrets.floe.dev/enforcement: audit');
      const { results, code } = await judged([audit, pod('nowhere')]);
      expect([results[0]?.mode, code]).toEqual(['audit', 0]);
    });

    const env = (entries: string): string =>
      pod('').replace('secrets.floe.dev/inject: ""', `secrets.floe.dev/env: "${entries}"`);
  });

  it.each([
    ['strict', 5, 'strict'],
    ['warn', 0, 'warn'],
    ['audit', 0, 'audit'],
    ['out', 0, null],
  ])('--assume-namespace %s', async (assumeNamespace, code, mode) => {
    const result = await judged([pod('nowhere')], [], { assumeNamespace });
    expect([result.code, result.results[0]?.mode]).toEqual([code, mode]);
  });

  it('counts warnings', async () => {
    const { summary, results } = await judged([pod('nowhere')], [], { assumeNamespace: 'warn' });
    expect(results[0]?.warnings).toHaveLength(1);
    expect(summary).toEqual({ reviewed: 1, allowed: 1, denied: 0, unknown: 0, warnings: 1 });
  });

  it('puts what names no namespace into -n, else default', async () => {
    const bare = pod('x').replace(', namespace: floe-jobs', '');
    const names = async (more: Options): Promise<unknown> => {
      const { results } = await judged([bare], [], more);
      return (results[0] as { namespace?: string } | undefined)?.namespace;
    };
    expect(await names({})).toBe('default');
    expect(await names({ namespace: 'team-a' })).toBe('team-a');
  });
});

describe('workloads get the verdict of their pods', () => {
  const template = (indent: string, metadata = ''): string =>
    [
      `template:`,
      ...(metadata === '' ? [] : [`  metadata: ${metadata}`]),
      `  spec: {containers: [{name: dbt, image: dbt}]}`,
    ]
      .map((line) => indent + line)
      .join('\n');
  const annotated = '{annotations: {secrets.floe.dev/inject: nowhere}}';

  it.each([
    ['apps/v1', 'Deployment'],
    ['apps/v1', 'StatefulSet'],
    ['apps/v1', 'DaemonSet'],
    ['apps/v1', 'ReplicaSet'],
    ['v1', 'ReplicationController'],
    ['batch/v1', 'Job'],
    ['argoproj.io/v1alpha1', 'Rollout'],
  ])('%s %s', async (apiVersion, kind) => {
    const workload = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: w, namespace: floe-jobs}\nspec:\n${template('  ', annotated)}\n`;
    const result = await judged([workload]);
    expect(codes(result)).toEqual(['FLOE-E801']);
    expect(result.code).toBe(5);
    expect(result.results[0]).toMatchObject({ kind, name: 'w', namespace: 'floe-jobs', allowed: false });
  });

  it('PodTemplate', async () => {
    const workload = `apiVersion: v1\nkind: PodTemplate\nmetadata: {name: w, namespace: floe-jobs}\n${template('', annotated)}\n`;
    expect(codes(await judged([workload]))).toEqual(['FLOE-E801']);
  });

  it('annotations of a Job, of a CronJob and of its job template count', async () => {
    const job = (own: string): string =>
      `apiVersion: batch/v1\nkind: Job\nmetadata: {name: w, namespace: floe-jobs${own}}\nspec:\n${template('  ')}\n`;
    const cronJob = (own: string, inner: string): string =>
      `apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: w, namespace: floe-jobs${own}}\nspec:\n  jobTemplate:\n    metadata: {${inner}}\n    spec:\n${template('      ')}\n`;
    const wish = 'annotations: {secrets.floe.dev/inject: snowflake-credentials}';
    for (const workload of [job(`, ${wish}`), cronJob(`, ${wish}`, ''), cronJob('', wish)]) {
      const { results } = await judged([workload], [NAMESPACE, SECRET]);
      expect(results[0]?.injected).toEqual(['snowflake-credentials']);
    }
    const { results } = await judged([job('')], [NAMESPACE, SECRET]);
    expect(results[0]?.injected).toEqual([]);
  });

  it("a Deployment's own annotations do not reach its pods", async () => {
    const workload = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w, namespace: floe-jobs, annotations: {secrets.floe.dev/inject: nowhere}}\nspec:\n${template('  ')}\n`;
    expect((await judged([workload])).code).toBe(0);
  });
});

describe('sync resources', () => {
  const adr = `apiVersion: secrets.infisical.com/v1alpha1
kind: InfisicalSecret
metadata: {name: snowflake-credentials, namespace: floe-jobs}
spec:
  authentication:
    universalAuth:
      credentialsRef: {secretName: infisical-machine-identity, secretNamespace: floe-jobs}
  managedSecretReference: {secretName: snowflake-credentials, secretNamespace: floe-jobs}
  secretsScope:
    project_slug: floe-platform
    envSlug: production
    secretsPath: /compute/snowflake
`;

  it("explains the decision record's shape and prints what the operator reads", async () => {
    const cwd = folderOf({ 'sync.yaml': adr });
    const { out, code } = await captured(run, { filename: ['sync.yaml'] }, { cwd });
    expect(code).toBe(5);
    expect(out).toContain('its secretsScope stands under spec');
    expect(out).toContain(`          secretsScope:
            projectSlug: floe-platform
            envSlug: production
            secretsPath: /compute/snowflake
`);
    expect(out).not.toContain('uid');
  });

  it('of that shape promise nothing to the pods of the bundle', async () => {
    const result = await judged([adr, pod('snowflake-credentials')]);
    expect(codes(result)).toEqual(['FLOE-E805', 'FLOE-E803']);
  });

  it('may not write into another namespace', async () => {
    const foreign = infisicalSecret('thief').replace(
      'secretName: thief, secretNamespace: floe-jobs',
      'secretName: x, secretNamespace: other',
    );
    expect(codes(await judged([foreign]))).toEqual(['FLOE-E810']);
  });
});

describe('what cannot be read', () => {
  it.each([
    ['a file that is not there', { filename: ['nope.yaml'] }, 3, 'Error: cannot read'],
    [
      'a world that is not there',
      { filename: ['pod.yaml'], world: ['nope'] },
      3,
      'nope: no such file or directory',
    ],
    [
      'no manifest',
      { filename: ['broken.yaml'] },
      1,
      'Error: broken.yaml:2: two keys of one mapping are equal',
    ],
    ['no file at all', {}, 2, 'Error: -f'],
    ['an unknown format', { filename: ['pod.yaml'], output: 'xml' }, 2, 'sarif'],
    ['both worlds', { filename: ['pod.yaml'], world: ['.'], live: true }, 2, '--live and --world'],
  ])('%s', async (_case, options, code, message) => {
    const cwd = folderOf({ 'pod.yaml': pod('a'), 'broken.yaml': 'a: 1\na: 2\n' });
    const outcome = await captured(run, options, { cwd });
    expect([outcome.code, outcome.out]).toEqual([code, '']);
    expect(outcome.err).toContain(message);
  });

  it('says so where there is nothing to review', async () => {
    const { code, err, results } = await judged([NAMESPACE]);
    expect([code, results]).toEqual([0, []]);
    expect(err).toBe('No pods, workloads or sync resources to review.\n');
  });
});
