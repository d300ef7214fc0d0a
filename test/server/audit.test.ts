import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Decision, Verdict } from '../../src/review/decision.ts';
import type { Request } from '../../src/review/request.ts';
import { createAudit } from '../../src/server/audit.ts';
import { decision, requestOf } from './webhook.ts';

// floe's AuditEvent (frozen, extra=forbid), and the keys that its logging puts beside it.
const AUDIT_LINE = z.strictObject({
  timestamp: z.iso.datetime(),
  requester_id: z.string().min(1).max(256),
  secret_path: z.string().min(1).max(1024),
  operation: z.enum(['get', 'set', 'list', 'delete']),
  result: z.enum(['success', 'denied', 'error']),
  source_ip: z.string().optional(),
  trace_id: z.string().optional(),
  plugin_type: z.string().optional(),
  namespace: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  audit_event: z.literal(true),
  event: z.literal('audit_event'),
  level: z.enum(['info', 'warning', 'error']),
  logger: z.literal('floe.audit'),
});
type AuditLine = z.infer<typeof AUDIT_LINE>;

function linesOf(request: Partial<Request>, decided: Decision | 'fault', authenticated = false): AuditLine[] {
  const lines: AuditLine[] = [];
  const write = (line: string) => {
    expect(line).toMatch(/^[^\n]+\n$/);
    lines.push(AUDIT_LINE.parse(JSON.parse(line)));
  };
  const audit = createAudit({ write, authenticated });
  if (decided === 'fault') audit.failed(requestOf(request));
  else audit.decided(requestOf(request), decided);
  return lines;
}

function verdict(given: Partial<Verdict>): Verdict {
  return {
    secret: 'db',
    state: 'Synced',
    injected: true,
    codes: [],
    denied: false,
    plugin: 'k8s',
    claimants: [],
    ...given,
  };
}

const missing = verdict({ secret: 'gone', state: 'Missing', codes: ['FLOE-E801'], denied: true });
const finding = {
  code: 'FLOE-E801',
  severity: 'error',
  secret: 'gone',
  message: "FLOE-E801: Secret 'gone' in namespace 'floe-jobs' was not found.",
  summary: "FLOE-E801: Secret 'gone' was not found.",
} as const;
const refusal = { code: 403, reason: 'Forbidden', message: finding.message } as const;

describe('/validate', () => {
  it('writes one line for each Secret, in the shape of an AuditEvent', () => {
    const lines = linesOf(
      {},
      decision({ mode: 'strict', verdicts: [verdict({}), verdict({ secret: 'api' })] }),
    );
    expect(lines.map(({ secret_path }) => secret_path)).toEqual(['floe-jobs/db', 'floe-jobs/api']);
    expect(lines[0]).toMatchObject({
      requester_id: 'jane',
      operation: 'get',
      result: 'success',
      plugin_type: 'k8s',
      namespace: 'floe-jobs',
      level: 'info',
      metadata: {
        request_uid: 'u-1',
        pod: 'dbt',
        mode: 'strict',
        state: 'Synced',
        codes: [],
        injected: true,
      },
    });
  });

  it('writes no more of a uid or a name than an API server gives', () => {
    const long = 'u'.repeat(1_000_000);
    const asked = { uid: long, name: long, namespace: long, user: { username: long, groups: [] } };
    const lines = linesOf(
      asked,
      decision({ mode: 'strict', verdicts: [verdict({}), verdict({ secret: 'api' })] }),
    );
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(JSON.stringify(line).length).toBeLessThan(3000);
  });

  it('tells the Secret that refuses from the one that does not', () => {
    const decided = decision({
      allowed: false,
      refusal,
      mode: 'strict',
      findings: [finding],
      verdicts: [verdict({}), missing],
    });
    const lines = linesOf({}, decided);
    expect(lines.map(({ result, level }) => [result, level])).toEqual([
      ['success', 'info'],
      ['denied', 'warning'],
    ]);
    expect(lines[1]?.metadata).toMatchObject({
      state: 'Missing',
      codes: ['FLOE-E801'],
      denial_reason: finding.message,
    });
  });

  it('calls a Secret that would be refused but is not a success', () => {
    const lines = linesOf({}, decision({ mode: 'warn', findings: [finding], verdicts: [missing] }));
    expect(lines.map(({ result }) => result)).toEqual(['success']);
    expect(lines[0]?.metadata).not.toHaveProperty('denial_reason');
  });

  it('names the key that a finding is about', () => {
    const keyed = { ...finding, code: 'FLOE-E802', key: 'password' } as const;
    const decided = decision({ allowed: false, refusal, findings: [keyed], verdicts: [missing] });
    expect(linesOf({}, decided)[0]?.secret_path).toBe('floe-jobs/gone/password');
  });

  it('calls a Secret that could not be read an error', () => {
    const decided = decision({ verdicts: [verdict({ state: 'Unknown', codes: ['FLOE-E820'] })] });
    expect(linesOf({}, decided)[0]).toMatchObject({
      result: 'error',
      level: 'error',
      metadata: { error: 'Unknown' },
    });
  });

  it('writes one line for a denial that no Secret stands for', () => {
    const unreadable = { ...finding, code: 'FLOE-E805', message: 'FLOE-E805: unreadable' } as const;
    const decided = decision({
      allowed: false,
      refusal: { ...refusal, message: unreadable.message },
      findings: [unreadable],
    });
    const lines = linesOf({}, decided);
    expect(lines.map(({ secret_path, result }) => [secret_path, result])).toEqual([
      ['floe-jobs/-', 'denied'],
    ]);
    expect(lines[0]?.metadata).toMatchObject({
      codes: ['FLOE-E805'],
      denial_reason: 'FLOE-E805: unreadable',
    });
  });
});

it('/mutate writes only where it refuses', () => {
  expect(linesOf({ door: 'mutate' }, decision({ verdicts: [verdict({})] }))).toEqual([]);
  const refused = decision({ allowed: false, refusal, findings: [finding], verdicts: [missing] });
  expect(linesOf({ door: 'mutate' }, refused)).toHaveLength(1);
});

it('a dry run writes nothing', () => {
  const refused = decision({ allowed: false, refusal, verdicts: [missing] });
  expect(linesOf({ dryRun: true }, refused)).toEqual([]);
  expect(linesOf({ dryRun: true }, 'fault')).toEqual([]);
});

it('a fault of our own is an error that names no Secret', () => {
  expect(linesOf({}, 'fault')).toMatchObject([
    { secret_path: 'floe-jobs/-', result: 'error', level: 'error' },
  ]);
});

it('says that the caller is not known, unless it showed a certificate', () => {
  const decided = decision({ verdicts: [verdict({})] });
  expect(linesOf({}, decided, false)[0]?.metadata).toHaveProperty('authenticated', false);
  expect(linesOf({}, decided, true)[0]?.metadata).not.toHaveProperty('authenticated');
});

it('fits the schema whatever a stranger sends', () => {
  const user = { username: 'x'.repeat(1000), groups: [] };
  const hostile = decision({ verdicts: [verdict({ secret: `${'y'.repeat(2000)}\n{"result":"success"}` })] });
  expect(
    linesOf({ user, name: '', object: { metadata: { generateName: 'dbt-' } } }, hostile)[0],
  ).toMatchObject({
    metadata: { pod: 'dbt-*' },
  });
  expect(linesOf({ user: { username: '', groups: [] }, namespace: '' }, hostile)[0]?.requester_id).toBe(
    'unknown',
  );
});

it('tells of each review of a decision that many share who asked for it', () => {
  const lines: AuditLine[] = [];
  const write = (line: string): void => void lines.push(AUDIT_LINE.parse(JSON.parse(line)));
  const audit = createAudit({ write, authenticated: false });
  const shared = decision({ mode: 'strict', verdicts: [verdict({})], shared: true });
  const ask = (given: Partial<Request>, traceId?: string): void =>
    audit.decided(requestOf(given), shared, traceId);
  ask({ uid: 'u-1' });
  ask({ uid: 'u-"2"\n', user: { username: 'ünal "x"\n', groups: [] }, name: 'b' }, 'trace');
  ask({ uid: 'u-3', namespace: 'other' });
  const told = lines.map((line) => [
    line.requester_id,
    line.secret_path,
    line.namespace,
    line.trace_id,
    line.metadata?.['request_uid'],
    line.metadata?.['pod'],
    line.metadata?.['state'],
  ]);
  expect(told).toEqual([
    ['jane', 'floe-jobs/db', 'floe-jobs', undefined, 'u-1', 'dbt', 'Synced'],
    ['ünal "x"\n', 'floe-jobs/db', 'floe-jobs', 'trace', 'u-"2"\n', 'b', 'Synced'],
    ['jane', 'other/db', 'other', undefined, 'u-3', 'dbt', 'Synced'],
  ]);
});
