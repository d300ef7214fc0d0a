// The chart's alerts as Prometheus itself judges them: each fires on its series and on no healthy ones. What the
// dashboard asks is read by Prometheus too.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { needs } from '../needs.ts';
import { CHART } from './rendered.ts';
import type { Rendered } from './rendered.ts';

/** Values of one series, a minute apart, in promtool's notation: '0+3x60' is 0, 3, … 180. */
type Series = Readonly<Record<string, string>>;

interface AlertCase {
  readonly fires: Series;
  /** When it has fired; by then every `for` is over. */
  readonly at: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** What its summary says, where that has something in it. */
  readonly summary?: string;
  /** Series that are near it, and must be quiet. */
  readonly quiet: Series;
}

const requests = (result: string, code = ''): string =>
  `floe_secrets_admission_requests_total{operation="CREATE",result="${result}",code="${code}",namespace="floe-jobs",pod="a"}`;
const bucket = (le: string): string => `floe_secrets_admission_duration_seconds_bucket{le="${le}",pod="a"}`;
const expiry = 'floe_secrets_certificate_expiry_seconds{pod="a"}';
const SYNC = 'namespace="floe-jobs",secret="db",plugin="infisical"';

const ALERTS: Readonly<Record<string, AlertCase>> = {
  FloeSecretsWebhookDown: {
    fires: { [expiry]: '7776000 _x60' },
    at: '30m',
    quiet: { [expiry]: '7776000x60', 'floe_secrets_certificate_expiry_seconds{pod="b"}': '7776000 _x60' },
  },
  FloeSecretsCertificateExpiring: {
    fires: { [expiry]: '7776000x60', 'floe_secrets_certificate_expiry_seconds{pod="b"}': '518400x60' },
    at: '40m',
    summary: 'A serving certificate of floe-secrets-webhook expires in 6d 0h 0m 0s',
    quiet: { [expiry]: '691200x60' },
  },
  FloeSecretsReviewsFail: {
    fires: { [requests('error', 'FLOE-E820')]: '0+1x60' },
    at: '20m',
    quiet: { [requests('error', 'FLOE-E820')]: '4x60', [requests('denied', 'FLOE-E801')]: '0+1x60' },
  },
  FloeSecretsKubernetesUnreachable: {
    fires: { [requests('denied', 'FLOE-E821')]: '0+1x60' },
    at: '30m',
    quiet: { [requests('denied', 'FLOE-E803')]: '0+1x60', [requests('denied', 'FLOE-E820')]: '7x60' },
  },
  FloeSecretsManyRefusals: {
    fires: { [requests('denied', 'FLOE-E803')]: '0+6x60' },
    at: '55m',
    labels: { namespace: 'floe-jobs', code: 'FLOE-E803' },
    summary: 'Pods of floe-jobs have been refused for half an hour (FLOE-E803)',
    quiet: { [requests('denied', 'FLOE-E803')]: '0+1x60', [requests('allowed')]: '0+600x60' },
  },
  FloeSecretsReviewsSlow: {
    fires: {
      [bucket('0.1')]: '0+90x60',
      [bucket('1')]: '0+90x60',
      [bucket('2.5')]: '0+100x60',
      [bucket('+Inf')]: '0+100x60',
    },
    at: '30m',
    quiet: {
      [bucket('0.1')]: '0+90x60',
      [bucket('1')]: '0+100x60',
      [bucket('2.5')]: '0+100x60',
      [bucket('+Inf')]: '0+100x60',
    },
  },
  FloeSecretsPodsWait: {
    fires: { 'floe_secrets_gated_pods{namespace="floe-jobs",overdue="true",pod="a"}': '2x60' },
    at: '20m',
    labels: { namespace: 'floe-jobs' },
    summary: '2 pods of floe-jobs wait for Secrets for longer than pending.gateTimeout',
    quiet: { 'floe_secrets_gated_pods{namespace="floe-jobs",overdue="false",pod="a"}': '9x60' },
  },
  FloeSecretsInjectionMissed: {
    fires: { 'floe_secrets_missed_pods{namespace="floe-jobs",pod="a"}': '3x60' },
    at: '30m',
    labels: { namespace: 'floe-jobs' },
    summary: '3 pods of floe-jobs run without the Secrets that they asked for',
    quiet: { 'floe_secrets_missed_pods{namespace="floe-jobs",pod="a"}': '0x60' },
  },
  FloeSecretsSyncFails: {
    fires: { [`floe_secrets_sync_ready{${SYNC},pod="a"}`]: '0x60' },
    at: '50m',
    labels: { namespace: 'floe-jobs', secret: 'db', plugin: 'infisical' },
    summary: 'The sync of Secret floe-jobs/db (infisical) fails',
    // Between two leaders both may tell of it for a moment.
    quiet: { [`floe_secrets_sync_ready{${SYNC},pod="a"}`]: '0x20 1x40' },
  },
  FloeSecretsReloadsFail: {
    fires: { 'floe_secrets_reloads_total{kind="Deployment",result="refused",pod="a"}': '0+1x60' },
    at: '50m',
    labels: { kind: 'Deployment', result: 'refused' },
    summary: 'Restarts of Deployments for changed Secrets do not succeed (refused)',
    quiet: { 'floe_secrets_reloads_total{kind="Deployment",result="restarted",pod="a"}': '0+1x60' },
  },
  FloeSecretsOverloaded: {
    fires: { 'floe_secrets_overload_total{action="caller_gone",pod="a"}': '0+3x60' },
    at: '20m',
    labels: { action: 'caller_gone' },
    summary: 'floe-secrets-webhook gets more reviews than it can judge in time (caller_gone)',
    // Large bodies that take turns are bounded memory at work.
    quiet: {
      'floe_secrets_overload_total{action="body_waited",pod="a"}': '0+30x60',
      'floe_secrets_overload_total{action="not_looked_up",pod="a"}': '12x60',
    },
  },
};

/** A cluster at work, of which no alert is to be had. */
const HEALTHY: Series = {
  [expiry]: '7776000-60x120',
  [requests('allowed')]: '0+60x120',
  [requests('denied', 'FLOE-E801')]: '0+1x120',
  [bucket('0.1')]: '0+61x120',
  [bucket('1')]: '0+61x120',
  [bucket('+Inf')]: '0+61x120',
  [`floe_secrets_sync_ready{${SYNC},pod="a"}`]: '1x120',
  'floe_secrets_gated_pods{namespace="floe-jobs",overdue="false",pod="a"}': '2x120',
  'floe_secrets_reloads_total{kind="Deployment",result="restarted",pod="a"}': '0+1x120',
};

const text = readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8');
const rules: readonly Rendered[] = parse(text).groups.flatMap((group: Rendered) => group.rules);

/** Runs promtool over files of a folder of their own; throws with its words. */
function promtool(command: 'check' | 'test', files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'floe-alerts-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), stringify(content));
  const [subject = ''] = Object.keys(files).toReversed();
  try {
    return execFileSync('promtool', [command, 'rules', subject], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${stdout}${stderr}`, { cause: error });
  }
}

const series = (given: Series): readonly object[] =>
  Object.entries(given).map(([name, values]) => ({ series: name, values }));

/** What an alert tells, as promtool expects it. */
function told(alert: string, { labels = {}, summary }: AlertCase): object {
  const rule = rules.find((one) => one.alert === alert);
  const annotations = { ...rule.annotations, ...(summary === undefined ? {} : { summary }) };
  return { exp_labels: { ...rule.labels, ...labels }, exp_annotations: annotations };
}

function judge(tests: readonly object[]): string {
  const file = { rule_files: ['alerts.yaml'], evaluation_interval: '1m', tests };
  return promtool('test', { 'alerts.yaml': parse(text), 'tests.yaml': file });
}

test('every alert has its case here', () => {
  expect(Object.keys(ALERTS)).toEqual(rules.map(({ alert }) => alert));
});

describe.skipIf(!needs('promtool'))('promtool', () => {
  it.each(Object.entries(ALERTS))('has %s fire on its series', (alertname, one) => {
    const expected = { eval_time: one.at, alertname, exp_alerts: [told(alertname, one)] };
    judge([{ interval: '1m', input_series: series(one.fires), alert_rule_test: [expected] }]);
  });

  it.each(Object.entries(ALERTS))('has %s quiet on what is near', (alertname, one) => {
    const expected = ['10m', '25m', '59m'].map((time) => ({ eval_time: time, alertname, exp_alerts: [] }));
    judge([{ interval: '1m', input_series: series(one.quiet), alert_rule_test: expected }]);
  });

  it('has none fire, nor wait to, on a cluster at work', () => {
    const silent = ['30m', '90m', '120m'].map((time) => ({
      expr: 'ALERTS{alertname!=""}',
      eval_time: time,
      exp_samples: [],
    }));
    judge([{ interval: '1m', input_series: series(HEALTHY), promql_expr_test: silent }]);
  });

  it('is not content with whatever it is told', () => {
    const [alertname, one] = Object.entries(ALERTS)[0]!;
    const expected = { eval_time: one.at, alertname, exp_alerts: [] };
    expect(() =>
      judge([{ interval: '1m', input_series: series(one.fires), alert_rule_test: [expected] }]),
    ).toThrow(/FAILED/);
  });

  it('reads the alerts as they are shipped', () => {
    expect(promtool('check', { 'alerts.yaml': parse(text) })).toContain(`${rules.length} rules found`);
  });

  it('reads every query of the dashboard', () => {
    const board: Rendered = JSON.parse(readFileSync(join(CHART, 'files/dashboard.json'), 'utf8'));
    const queries: readonly string[] = board.panels.flatMap(({ targets }: Rendered) =>
      targets.map(({ expr }: Rendered) => expr),
    );
    const asRules = queries.map((expr, index) => ({ record: `panel:query:${index}`, expr }));
    const found = promtool('check', { 'panels.yaml': { groups: [{ name: 'dashboard', rules: asRules }] } });
    expect(found).toContain(`${queries.length} rules found`);
    expect(queries.length).toBeGreaterThan(8);
  });
});
