import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { Options } from '../../src/cli/options.ts';
import { MOST_RESULTS, reviewSarif } from '../../src/cli/review-sarif.ts';
import type { Reviewed } from '../../src/cli/review-report.ts';
import { run } from '../../src/cli/review.ts';
import { NAMESPACE, SECRET, captured, folderOf } from './captured.ts';
import { expectGolden } from './golden.ts';

/** Findings of every kind of place, in one file of several documents. */
const BUNDLE = `apiVersion: v1
kind: Pod
metadata:
  name: asks
  namespace: floe-jobs
  annotations:
    secrets.floe.dev/inject: nowhere
spec:
  containers:
    - name: dbt
      image: dbt
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: names
  namespace: floe-jobs
spec:
  template:
    spec:
      containers:
        - name: first
          image: dbt
        - name: second
          image: dbt
          env:
            - name: A
              value: b
            - name: PASSWORD
              valueFrom:
                secretKeyRef: {name: snowflake-credentials, key: NOPE}
      volumes:
        - name: scratch
          emptyDir: {}
        - name: creds
          secret: {secretName: "gone"}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
  namespace: floe-jobs
spec:
  jobTemplate:
    metadata:
      annotations:
        secrets.floe.dev/env: A=<b>&
    spec:
      template:
        spec:
          containers: [{name: dbt, image: dbt}]
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Pod
    metadata: {name: fine, namespace: floe-jobs}
    spec: {containers: [{name: dbt, image: dbt}]}
  - apiVersion: v1
    kind: Pod
    metadata: {name: pulls, namespace: floe-jobs}
    spec:
      containers: [{name: dbt, image: dbt}]
      imagePullSecrets: [{name: registry}]
`;

const cwd = folderOf({ 'a b/bundle.yaml': BUNDLE, 'world.yaml': `${NAMESPACE}---\n${SECRET}` });

async function review(more: Options = {}) {
  return captured(run, { filename: ['a b/bundle.yaml'], world: ['world.yaml'], ...more }, { cwd });
}

interface Finding {
  readonly code: string;
  readonly file: string;
  readonly line: number;
  readonly fingerprint: string;
  readonly baseline?: boolean;
}

interface Document {
  readonly results: readonly { readonly name: string; readonly findings: readonly Finding[] }[];
}

async function findings(more: Options = {}): Promise<readonly (readonly [string, Finding])[]> {
  const { out } = await review({ ...more, output: 'json' });
  const { results } = JSON.parse(out) as Document;
  return results.flatMap((result) => result.findings.map((finding) => [result.name, finding] as const));
}

describe('every format', () => {
  it.each(['text', 'json', 'yaml', 'sarif', 'junit', 'diff'])('%s is as it was', async (output) => {
    const { out, err, code } = await review({ output });
    expect([code, err]).toEqual([5, '']);
    await expectGolden(`review.${output}`, out);
  });
});

describe('positions', () => {
  it('are of the entry that names the Secret, or of the annotation that asks', async () => {
    const lines = BUNDLE.split('\n');
    const shown = (await findings()).map(([name, { code, line }]) => [name, code, lines[line - 1]?.trim()]);
    expect(shown).toEqual([
      ['asks', 'FLOE-E801', 'secrets.floe.dev/inject: nowhere'],
      ['names', 'FLOE-E802', '- name: PASSWORD'],
      ['names', 'FLOE-E801', '- name: creds'],
      ['nightly', 'FLOE-E805', 'secrets.floe.dev/env: A=<b>&'],
      ['pulls', 'FLOE-E801', 'imagePullSecrets: [{name: registry}]'],
    ]);
  });

  it('are known in JSON too', async () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'floe-jobs' } };
    const spec = { containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'nowhere' } }] }] };
    const text = JSON.stringify({ ...pod, spec }, undefined, 2);
    writeFileSync(join(cwd, 'pod.json'), text);
    const [[, finding] = []] = await findings({ filename: ['pod.json'] });
    expect(text.split('\n')[(finding?.line ?? 0) - 1]?.trim()).toBe('{');
    expect(text.split('\n')[finding?.line ?? 0]?.trim()).toBe('"secretRef": {');
  });
});

describe('SARIF', () => {
  const schemaFile = createRequire(import.meta.url).resolve(
    '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json',
  );
  const {
    $schema: _draft,
    id: _id,
    ...schema
  } = JSON.parse(readFileSync(schemaFile, 'utf8')) as Record<string, unknown>;
  const validate = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(schema);

  it('is valid by its schema, also where nothing is found', async () => {
    for (const filename of [['a b/bundle.yaml'], ['world.yaml']]) {
      const { out } = await review({ filename, output: 'sarif' });
      validate(JSON.parse(out));
      expect(validate.errors).toBeNull();
    }
    expect(validate({ version: '2.1.0', runs: [{}] })).toBe(false);
  });

  it('keeps to what code scanning takes', () => {
    const finding = {
      code: 'FLOE-E812',
      severity: 'warning',
      message: 'm',
      summary: 's',
    } as const;
    const one: Reviewed = {
      subject: {
        kind: 'Pod',
        namespace: 'n',
        name: 'p',
        manifest: {
          raw: {},
          written: {},
          file: '/elsewhere/p.yaml',
          line: 1,
          lineOf: () => 1,
          modifiedAt: 0,
        },
      },
      allowed: false,
      plugin: '',
      findings: [],
      warnings: [],
      patch: [],
      injected: [],
      verdicts: [],
      reviewed: Array.from({ length: MOST_RESULTS }, () => ({
        finding,
        line: 1,
        fingerprint: 'f',
        isKnown: false,
      })),
    };
    const error = {
      finding: { ...finding, code: 'FLOE-E801', severity: 'error' },
      line: 1,
      fingerprint: 'e',
      isKnown: true,
    } as const;
    const log = reviewSarif([one, { ...one, reviewed: [error] }], { version: '1.0.0', cwd: '/here' });
    const [sarif] = (log as { readonly runs: readonly { readonly results: readonly unknown[] }[] }).runs;
    expect(sarif?.results).toHaveLength(MOST_RESULTS);
    // Errors first, so that none of them is what is left out.
    expect(sarif?.results[0]).toMatchObject({
      level: 'error',
      baselineState: 'unchanged',
      locations: [{ physicalLocation: { artifactLocation: { uri: 'file:///elsewhere/p.yaml' } } }],
    });
  });
});

describe('--baseline', () => {
  it.each(['json', 'sarif'])('of %s lets only new findings fail', async (output) => {
    writeFileSync(join(cwd, 'known'), (await review({ output })).out);
    const known = await review({ baseline: 'known' });
    expect(known.code).toBe(0);
    expect(known.out).toContain('a b/bundle.yaml:7, in the baseline');

    writeFileSync(join(cwd, 'moved.yaml'), `# A line more.\n${BUNDLE.replace('gone', 'other')}`);
    const more = { filename: ['moved.yaml'], baseline: 'known' };
    expect((await review(more)).code).toBe(5);
    const fresh = (await findings(more)).filter(([, finding]) => finding.baseline !== true);
    expect(fresh.map(([name, { code }]) => [name, code])).toEqual([['names', 'FLOE-E801']]);
    expect((await review({ ...more, output: 'junit' })).out).toContain('failures="1"');
    expect((await review({ ...more, output: 'sarif' })).code).toBe(5);
  });

  it('that is none is an error that says how to write one', async () => {
    writeFileSync(join(cwd, 'odd'), '{"hello": 1}');
    expect(await review({ baseline: 'odd' })).toMatchObject({ code: 1, out: '' });
    expect((await review({ baseline: 'world.yaml' })).err).toContain("write one with 'floe-secrets review");
    expect((await review({ baseline: 'nope' })).code).toBe(3);
  });

  it('has fingerprints of their own for each finding', async () => {
    const all = (await findings()).map(([, { fingerprint }]) => fingerprint);
    expect(new Set(all).size).toBe(all.length);
    expect(all.every((one) => /^[0-9a-f]{32}$/.test(one))).toBe(true);
  });
});
