// What the chart makes of its values: permissions, webhooks and pods, as an installation gets them.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { rbacRules } from '../../src/cluster/permissions.ts';
import type { Rule } from '../../src/cluster/permissions.ts';
import { FILE_SCHEMA } from '../../src/config/config.ts';
import { OPERATOR_NAMESPACES, SYSTEM_NAMESPACES } from '../../src/contract/keys.ts';
import { PLUGINS } from '../../src/plugins/index.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { tracingSettings } from '../../src/server/tracing-settings.ts';
import { needs } from '../needs.ts';
import { ROOT } from '../sources.ts';
import { CHART, rendered, set } from './rendered.ts';
import type { Rendered } from './rendered.ts';
import { VARIANTS } from './variants.ts';

const { version: VERSION } = manifest;
const LENIENT = ['audit', 'warn', 'off'];

function one(objects: readonly Rendered[], kind: string, name = 'floe-secrets-webhook'): Rendered {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}

/** Each permission as a line, so that rules may be cut as they like. */
function lines(rules: readonly Rule[]): readonly string[] {
  const all = rules.flatMap(({ apiGroups, resources, verbs, resourceNames = ['*'] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) => resourceNames.map((name) => `${verb} ${resource}.${group} ${name}`)),
      ),
    ),
  );
  return [...new Set(all)].toSorted();
}

const webhooks = (objects: readonly Rendered[]): readonly Rendered[] =>
  ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'].flatMap(
    (kind) => one(objects, kind).webhooks,
  );

describe.skipIf(!needs('helm'))('the chart', () => {
  it('grants exactly what the plugins and features that are on need', () => {
    const objects = rendered();
    const expected = rbacRules(PLUGINS, [
      'lease',
      'controllers',
      'registrations',
      'keepRegistrations',
      'certificates',
      'keepCertificates',
    ]);
    expect(lines(one(objects, 'ClusterRole').rules)).toEqual(
      expect.arrayContaining([...lines(expected.cluster)]),
    );
    expect(lines(one(objects, 'Role').rules)).toEqual(lines(expected.own));
    expect(JSON.stringify(objects.filter(({ kind }) => kind === 'ClusterRole'))).not.toContain('"*"');
  });

  it.each(PLUGINS.map((plugin) => [plugin.id, plugin] as const))(
    'grants for %s alone what it needs',
    (id, plugin) => {
      const groups = (objects: readonly Rendered[]): readonly string[] =>
        one(objects, 'ClusterRole').rules.flatMap((rule: Rule) => rule.apiGroups);
      const objects = rendered(...set(`config.plugins.enabled={${id}}`));
      const needed = rbacRules([plugin]).cluster;
      expect(lines(one(objects, 'ClusterRole').rules)).toEqual(expect.arrayContaining([...lines(needed)]));
      const others = PLUGINS.flatMap(({ kinds }) => kinds.map(({ resource }) => resource.group)).filter(
        (group) => !JSON.stringify(needed).includes(group),
      );
      expect(groups(objects).filter((group) => others.includes(group))).toEqual([]);
      const asked = webhooks(objects).flatMap(({ rules }) => rules.flatMap((rule: Rule) => rule.apiGroups));
      expect(asked.filter((group: string) => others.includes(group))).toEqual([]);
    },
  );

  it('reads Secrets only where it is told', () => {
    const objects = rendered(...set('rbac.secretNamespaces={floe-jobs,floe-dev}'));
    expect(lines(one(objects, 'ClusterRole').rules).filter((line) => line.includes('secrets. '))).toEqual([]);
    for (const namespace of ['floe-jobs', 'floe-dev']) {
      const role = objects.find(({ kind, metadata }) => kind === 'Role' && metadata.namespace === namespace);
      expect(lines(role.rules)).toEqual(['get secrets. *']);
    }
  });

  it('gives the leader’s permissions to controllers of their own alone', () => {
    const objects = rendered(...set('controllers.separate=true'));
    const ofWebhook = lines([...one(objects, 'ClusterRole').rules, ...one(objects, 'Role').rules]);
    // A replica tells of its own refusals in Events; it writes nothing else.
    const writes = /^(create|update|patch|delete) (?!subjectaccessreviews|events\.)/;
    expect(ofWebhook.filter((line) => writes.test(line))).toEqual([]);
    const subjects = one(objects, 'ClusterRoleBinding', 'floe-secrets-webhook-controllers').subjects;
    expect(subjects.map(({ name }: Rendered) => name)).toEqual(['floe-secrets-webhook-controllers']);
    const { env } = one(objects, 'Deployment').spec.template.spec.containers[0];
    expect(env).toContainEqual({ name: 'FLOE_SECRETS_CONTROLLERS_ENABLED', value: 'false' });
    expect(one(objects, 'Service').spec.selector['app.kubernetes.io/component']).toBe('webhook');
  });

  it('leaves no caBundle to an injector, and lets nobody empty one', () => {
    for (const mode of ['self', 'cert-manager', 'files']) {
      const objects = rendered(...set(`certificates.mode=${mode}`, 'certificates.existingSecret=tls'));
      expect(JSON.stringify(objects)).not.toContain('cert-manager.io/inject');
      const { spec } = one(objects, 'ValidatingAdmissionPolicy', 'floe-secrets-webhook-bundles');
      const [rule] = spec.matchConstraints.resourceRules;
      expect(rule).toMatchObject({ operations: ['UPDATE'], resourceNames: ['floe-secrets-webhook'] });
    }
    const unguarded = rendered(...set('guard.enabled=false'));
    expect(unguarded.filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'))).toEqual([]);
  });

  it('asks about opted-in namespaces that are not exempt, and never writes a caBundle', () => {
    const all = webhooks(rendered(...set('config.enforcement.exempt.namespaces={floe-system}')));
    expect(JSON.stringify(all)).not.toContain('caBundle');
    const judged = all.filter(({ name }) => !name.startsWith('reachable'));
    for (const { namespaceSelector, matchConditions, sideEffects, timeoutSeconds } of judged) {
      expect(namespaceSelector.matchLabels).toEqual({ 'secrets.floe.dev/injection': 'enabled' });
      const [exempt] = namespaceSelector.matchExpressions;
      const namespaces = [...SYSTEM_NAMESPACES, ...OPERATOR_NAMESPACES, 'floe-system', 'floe-secrets-system'];
      expect(exempt.values.toSorted()).toEqual(namespaces.toSorted());
      expect([matchConditions, sideEffects, timeoutSeconds]).toEqual([undefined, 'NoneOnDryRun', 5]);
    }
    expect(
      all
        .filter(({ objectSelector }) => objectSelector !== undefined)
        .map(({ clientConfig }) => clientConfig.service.path),
    ).toEqual(expect.not.arrayContaining(['/validate']));
  });

  it('splits strict namespaces from the others, so that every mode has one webhook of each call', () => {
    const modes = ['strict', 'nonsense', ...LENIENT, undefined];
    const called = (all: readonly Rendered[], path: string, mode: string | undefined): readonly string[] =>
      all
        .filter(
          ({ clientConfig, rules }) => clientConfig.service.path === path && rules[0].resources[0] === 'pods',
        )
        .filter(({ namespaceSelector }) =>
          namespaceSelector.matchExpressions.every(({ key, operator, values }: Rendered) =>
            key !== 'secrets.floe.dev/enforcement' ? true : (operator === 'In') === values.includes(mode),
          ),
        )
        .map(({ failurePolicy }) => failurePolicy);
    const usual = webhooks(rendered(...set('webhook.failurePolicy=Fail')));
    const strict = webhooks(
      rendered(...set('webhook.failurePolicy=Fail', 'config.enforcement.minimum=strict')),
    );
    for (const path of ['/mutate', '/validate']) {
      for (const mode of modes) {
        expect(called(usual, path, mode)).toEqual([LENIENT.includes(mode ?? '') ? 'Ignore' : 'Fail']);
        expect(called(strict, path, mode)).toEqual(['Fail']);
      }
    }
    expect(webhooks(rendered()).every(({ failurePolicy }) => failurePolicy === 'Ignore')).toBe(true);
  });

  it('makes pods that Pod Security restricted takes, and that never are fewer', () => {
    for (const object of rendered(...set('controllers.separate=true')).filter(({ kind }) =>
      ['Deployment', 'Job', 'Pod'].includes(kind),
    )) {
      const pod = object.kind === 'Pod' ? object.spec : object.spec.template.spec;
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { securityContext } of pod.containers)
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
    }
    const { strategy, template } = one(rendered(), 'Deployment').spec;
    expect(strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    const { preStop } = template.spec.containers[0].lifecycle;
    // The drain of ten seconds and the patience of five fit in.
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(preStop.sleep.seconds + 15);
  });

  it('gives the program a file that it can read', () => {
    for (const args of [
      [],
      set('certificates.mode=cert-manager'),
      set('config.secrets.cacheTtl=1s', 'certificates.clientCAConfigMap=ca'),
    ]) {
      const { data } = one(rendered(...args), 'ConfigMap');
      expect(FILE_SCHEMA.safeParse(parse(data['config.yaml'])).error).toBe(undefined);
    }
  });

  it.each([
    ['an unknown value', ['replicas=3'], /additional properties 'replicas' not allowed/],
    ['an unknown setting', ['config.server.prot=1'], /'prot' not allowed/],
    ['files without a Secret', ['certificates.mode=files'], /certificates\.existingSecret/],
    ['two modes', ['config.certificates.mode=files'], /say it in certificates\.mode/],
  ])('refuses %s', (_what, values, words) => {
    expect(() => rendered(...set(...values))).toThrow(words);
  });

  it.each([
    [
      ['http://otel.floe-platform:4317'],
      4317,
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel.floe-platform:4317' },
    ],
    [
      ['https://otel.example.com/otlp', 'tracing.protocol=http/json', 'tracing.ratio=0.1'],
      443,
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel.example.com/otlp',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.1',
      },
    ],
  ])('sends traces to %s, and lets them out', ([endpoint, ...more], port, expected) => {
    const objects = rendered(...set(`tracing.endpoint=${endpoint}`, ...more));
    const { env } = one(objects, 'Deployment').spec.template.spec.containers[0];
    const given = Object.fromEntries(env.map(({ name, value }: Rendered) => [name, value]));
    expect(given).toEqual({ OTEL_SERVICE_NAME: 'floe-secrets-webhook', ...expected });
    const { egress } = one(objects, 'NetworkPolicy').spec;
    expect(egress).toContainEqual({ ports: [{ port, protocol: 'TCP' }] });
    expect(egress).toHaveLength(one(rendered(), 'NetworkPolicy').spec.egress.length + 1);
    // What the chart writes is what the program reads.
    expect(tracingSettings(given, { name: 'x', instance: 'x' }).endpoint.port || '443').toBe(String(port));
  });

  it('has in the variants that tests go through every kind that its templates can make', () => {
    const templates = join(CHART, 'templates');
    const files = readdirSync(templates, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(yaml|tpl)$/.test(name),
    );
    const texts = files.map((name) => readFileSync(join(templates, name), 'utf8'));
    // The kinds of documents; those of references are indented, or stand within braces.
    const named = texts.flatMap((text) => [...text.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind));
    const made = new Set(VARIANTS.flatMap((values) => rendered(...values)).map(({ kind }) => kind));
    expect([...new Set(named)].filter((kind) => !made.has(kind))).toEqual([]);
    expect(made.size).toBeGreaterThan(18);
    // What stands there without a kind of its own is a role's: ClusterRole or Role, and its binding.
    expect(
      ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'].filter((kind) => !made.has(kind)),
    ).toEqual([]);
  });

  it('finds images in another registry, and by digest', () => {
    const image = (...values: readonly string[]): string =>
      one(rendered(...set(...values)), 'Deployment').spec.template.spec.containers[0].image;
    expect(image('image.registry=mirror.internal:5000')).toMatch(/^mirror\.internal:5000\/obsidian-owl\//);
    expect(image(`image.digest=sha256:${'a'.repeat(64)}`)).toMatch(/webhook@sha256:a+$/);
  });
});

test('says one version wherever one is said', () => {
  const files = [
    'package-lock.json',
    'deploy/chart/Chart.yaml',
    'Dockerfile',
    '.pre-commit-hooks.yaml',
    '.github/workflows/review-manifests.yaml',
  ];
  const pattern = /(?:"version": "|[vV]ersion: |VERSION=|webhook:)(\d+\.\d+\.\d+)/;
  const said = files.map((file) => {
    const [, version] = pattern.exec(readFileSync(join(ROOT, file), 'utf8')) ?? [];
    return `${file} ${version}`;
  });
  expect(said).toEqual(files.map((file) => `${file} ${VERSION}`));
});

test('alerts and the dashboard ask only for metrics that there are, and every alert has its runbook', async () => {
  const text = await createMetrics({ certificateExpiry: () => 0 }).text();
  const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const { groups } = parse(readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8'));
  const rules: readonly Rendered[] = groups.flatMap((group: Rendered) => group.rules);
  const board: Rendered = JSON.parse(readFileSync(join(CHART, 'files/dashboard.json'), 'utf8'));
  const queries: readonly string[] = [
    ...rules.map(({ expr }) => expr),
    ...board.panels.flatMap(({ targets }: Rendered) => targets.map(({ expr }: Rendered) => expr)),
  ];
  const named = queries.flatMap((query) =>
    [...query.matchAll(/\b(floe_secrets|process|nodejs)_\w+/g)].map(([name]) => name),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !known.has(name.replace(/_bucket$/, '')))).toEqual([]);
  const runbooks = readFileSync(join(ROOT, 'docs/runbooks.md'), 'utf8');
  for (const { alert, annotations } of rules) {
    expect(runbooks).toContain(`## ${alert}\n`);
    expect(annotations.runbook_url).toBe(`RUNBOOKS#${alert.toLowerCase()}`);
  }
});
