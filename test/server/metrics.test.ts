import { expect, it } from 'vitest';
import { createMetrics } from '../../src/server/metrics.ts';
import { decision, requestOf } from './webhook.ts';

const finding = { code: 'FLOE-E801', severity: 'error', message: '', summary: '' } as const;
const refusal = { code: 403, reason: 'Forbidden', message: '' } as const;
const injected = {
  secret: 'db',
  state: 'Synced',
  injected: true,
  codes: [],
  denied: false,
  plugin: 'k8s',
  mayWait: false,
  claimants: [],
} as const;

function counted(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(name));
}

it('counts reviews by operation, result, code and namespace', async () => {
  const metrics = createMetrics({ certificateExpiry: () => 0 });
  metrics.reviewed(requestOf(), decision({ mode: 'strict' }), 1);
  metrics.reviewed(requestOf(), decision({ mode: 'strict' }), 1);
  const denied = decision({ mode: 'strict', allowed: false, refusal, findings: [finding] });
  metrics.reviewed(requestOf({ operation: 'UPDATE' }), denied, 1);
  metrics.reviewed(requestOf(), undefined, 1);
  expect(counted(await metrics.text(), 'floe_secrets_admission_requests_total')).toEqual([
    'floe_secrets_admission_requests_total{operation="CREATE",result="allowed",code="",namespace="floe-jobs"} 2',
    'floe_secrets_admission_requests_total{operation="UPDATE",result="denied",code="FLOE-E801",namespace="floe-jobs"} 1',
    'floe_secrets_admission_requests_total{operation="CREATE",result="error",code="FLOE-E820",namespace="_other"} 1',
  ]);
});

it('puts durations into buckets of seconds', async () => {
  const metrics = createMetrics({ certificateExpiry: () => 0 });
  metrics.reviewed(requestOf(), decision({}), 0.4);
  metrics.reviewed(requestOf(), decision({}), 2000);
  const text = await metrics.text();
  expect(text).toContain('floe_secrets_admission_duration_seconds_bucket{le="0.0005"} 1');
  expect(text).toContain('floe_secrets_admission_duration_seconds_bucket{le="2.5"} 2');
  expect(text).toContain('floe_secrets_admission_duration_seconds_count 2');
});

it('counts what /mutate injected, and nothing that was refused or looked at by /validate', async () => {
  const metrics = createMetrics({ certificateExpiry: () => 0 });
  const given = decision({ mode: 'strict', verdicts: [injected, { ...injected, injected: false }] });
  metrics.reviewed(requestOf({ door: 'mutate' }), given, 1);
  metrics.reviewed(requestOf({ door: 'mutate' }), { ...given, allowed: false }, 1);
  metrics.reviewed(requestOf({ door: 'validate' }), given, 1);
  expect(counted(await metrics.text(), 'floe_secrets_injected_total')).toEqual([
    'floe_secrets_injected_total{plugin="k8s",namespace="floe-jobs"} 1',
  ]);
});

it('counts each review of a decision that many share', async () => {
  const metrics = createMetrics({ certificateExpiry: () => 0 });
  const shared = decision({ mode: 'strict', verdicts: [injected], shared: true });
  const aside = decision({ shared: true });
  for (let index = 0; index < 600; index += 1) metrics.reviewed(requestOf({ door: 'mutate' }), shared, 1);
  for (const operation of ['CREATE', 'UPDATE', 'CREATE'])
    metrics.reviewed(requestOf({ operation }), aside, 1);
  metrics.reviewed(requestOf({ door: 'mutate', namespace: 'other' }), shared, 1);
  const text = await metrics.text();
  expect(counted(text, 'floe_secrets_admission_requests_total')).toEqual([
    'floe_secrets_admission_requests_total{operation="CREATE",result="allowed",code="",namespace="floe-jobs"} 600',
    'floe_secrets_admission_requests_total{operation="CREATE",result="allowed",code="",namespace="_other"} 2',
    'floe_secrets_admission_requests_total{operation="UPDATE",result="allowed",code="",namespace="_other"} 1',
    'floe_secrets_admission_requests_total{operation="CREATE",result="allowed",code="",namespace="other"} 1',
  ]);
  expect(counted(text, 'floe_secrets_injected_total')).toEqual([
    'floe_secrets_injected_total{plugin="k8s",namespace="floe-jobs"} 600',
    'floe_secrets_injected_total{plugin="k8s",namespace="other"} 1',
  ]);
  expect(text).toContain('floe_secrets_admission_duration_seconds_count 604');
});

it('bounds the labels that strangers choose', async () => {
  const metrics = createMetrics({ certificateExpiry: () => 0, maxNamespaces: 2 });
  for (const namespace of ['a', 'b', 'c', 'd', 'a']) {
    metrics.reviewed(requestOf({ namespace }), decision({ mode: 'audit' }), 1);
  }
  metrics.reviewed(requestOf({ namespace: 'e' }), decision({}), 1);
  metrics.reviewed(requestOf({ operation: '"}\n1' }), decision({}), 1);
  const lines = counted(await metrics.text(), 'floe_secrets_admission_requests_total');
  expect(lines.map((line) => /operation="(\w+)".*namespace="(\w+)"\} (\d)/.exec(line)?.slice(1))).toEqual([
    ['CREATE', 'a', '2'],
    ['CREATE', 'b', '1'],
    ['CREATE', '_other', '3'],
    ['_other', '_other', '1'],
  ]);
});

it('tells of the cache, the certificate and the process', async () => {
  const metrics = createMetrics({ certificateExpiry: () => Date.now() + 3_600_000 });
  metrics.cacheOperation('hit');
  metrics.cacheOperation('hit');
  const text = await metrics.text();
  expect(text).toContain('floe_secrets_cache_operations_total{result="hit"} 2');
  expect(Number(/certificate_expiry_seconds (\d+)/.exec(text)?.[1])).toBeGreaterThan(3500);
  expect(text).toContain('process_cpu_seconds_total');
});
