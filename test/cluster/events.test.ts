import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAnnouncer } from '../../src/cluster/admission-events.ts';
import { ApiError } from '../../src/cluster/api-error.ts';
import type { EventDraft, Events } from '../../src/cluster/events.ts';
import { createEvents } from '../../src/cluster/events.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { dig, text } from '../../src/kube/json.ts';
import type { Decision } from '../../src/review/decision.ts';
import type { Request } from '../../src/review/request.ts';

const CEILING = { timeout: 60_000, interval: 2 };

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

let sent: Sent[];
let counted: string[];
let now: number;
let failure: ApiError | undefined;
let events: Events;

beforeEach(() => {
  sent = [];
  counted = [];
  now = 1_000_000;
  failure = undefined;
  events = createEvents({
    client: {
      async send(method, path, body) {
        if (failure !== undefined) throw failure;
        sent.push({ method, path, body });
        return {};
      },
    },
    telemetry: { count: (_name, labels) => counted.push(Object.values(labels).join()) },
    now: () => now,
    failed: (error) => counted.push(`told ${String(error)}`),
  });
});
afterEach(async () => {
  await events.stop();
});

const draft = (message: string, uid = 'u-1'): EventDraft => ({
  regarding: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'jobs', name: 'dbt', uid },
  type: 'Warning',
  reason: 'SecretsRefused',
  message,
});
const sentAre = async (count: number) => vi.waitFor(() => expect(sent).toHaveLength(count), CEILING);

describe('an Event', () => {
  it('is about the object, in the form that kubectl describe prints', async () => {
    events.emit(draft('FLOE-E803: not synced'));
    await sentAre(1);
    expect(sent[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/namespaces/jobs/events',
      body: {
        metadata: { namespace: 'jobs', name: expect.stringMatching(/^dbt\.[0-9a-f]{16}$/) },
        involvedObject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dbt', uid: 'u-1' },
        type: 'Warning',
        reason: 'SecretsRefused',
        message: 'FLOE-E803: not synced',
        count: 1,
        firstTimestamp: '1970-01-01T00:16:40Z',
        source: { component: 'floe-secrets-webhook' },
      },
    });
  });

  it('has no control characters and at most 1,024 of the others', async () => {
    events.emit(draft(`a\u0007\u202Eb\n${'x'.repeat(5_000)}`));
    await sentAre(1);
    const message = text(sent[0]?.body, 'message') ?? '';
    expect(message).toMatch(/^a b x/);
    expect(message).toHaveLength(1_024);
  });

  it('that is said again is counted on the same object, seconds later', async () => {
    events.emit(draft('the same'));
    await sentAre(1);
    now += 60_000;
    for (let times = 0; times < 3; times += 1) events.emit(draft('the same'));
    await sentAre(2);
    const name = text(dig(sent[0]?.body, 'metadata'), 'name') ?? '';
    expect(sent[1]).toMatchObject({
      method: 'PATCH',
      path: `/api/v1/namespaces/jobs/events/${name}`,
      body: { count: 4 },
    });
  });

  it('of which an object has too many is dropped, and that is counted', async () => {
    for (let index = 0; index < 25; index += 1) events.emit(draft(`message ${index}`));
    events.emit(draft('of another', 'u-2'));
    await sentAre(11);
    expect(counted.filter((result) => result === 'dropped')).toHaveLength(15);
  });

  it('that cannot be written is told of once, and gives up', async () => {
    failure = new ApiError(403, 'Forbidden', 'events is forbidden');
    events.emit(draft('one'));
    events.emit(draft('two'));
    await vi.waitFor(() => expect(counted.filter((result) => result === 'failed')).toHaveLength(2), CEILING);
    expect(counted.filter((result) => result.startsWith('told'))).toHaveLength(1);
  });
});

describe('what was decided about a pod', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'dbt-1', uid: 'rs', controller: true };
  const request = (more: Partial<Request> = {}): Request => ({
    door: 'validate',
    uid: 'u',
    operation: 'CREATE',
    group: '',
    kind: 'Pod',
    subResource: '',
    name: 'p',
    namespace: 'jobs',
    object: { metadata: { ownerReferences: [owner] } },
    user: { username: 'x', groups: [] },
    dryRun: false,
    ...more,
  });
  const owned = (by: JsonObject): Request => request({ object: { metadata: { ownerReferences: [by] } } });
  const refused = {
    allowed: false,
    refusal: { code: 403, reason: 'Forbidden', message: 'FLOE-E801: no' },
    injected: [],
    findings: [],
  } as unknown as Decision;
  const fine = { allowed: true, injected: ['db'], findings: [] } as unknown as Decision;
  const warned = {
    ...fine,
    findings: [{ code: 'FLOE-E806', severity: 'warning', message: 'FLOE-E806: stale', summary: '' }],
  } as unknown as Decision;

  let emitted: EventDraft[];
  let read: string[];
  const objects: Record<string, JsonObject> = {
    '/apis/apps/v1/namespaces/jobs/replicasets/dbt-1': {
      metadata: {
        uid: 'rs',
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dbt', uid: 'd', controller: true },
        ],
      },
    },
    '/apis/apps/v1/namespaces/jobs/deployments/dbt': { metadata: { uid: 'd' } },
  };
  const announce = async (...told: readonly (readonly [Request, Decision])[]): Promise<void> => {
    emitted = [];
    read = [];
    const announcer = createAnnouncer({
      client: {
        async get(path) {
          read.push(path);
          const object = objects[path];
          if (object === undefined) throw new ApiError(404, 'NotFound', 'not found');
          return object;
        },
      },
      events: { emit: (event) => emitted.push(event), stop: async () => undefined },
    });
    for (const [one, decision] of told) announcer.decided(one, decision);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await announcer.stop();
  };

  it('is told on the Deployment that its ReplicaSet belongs to', async () => {
    await announce([request(), refused], [request(), warned]);
    expect(emitted).toEqual([
      expect.objectContaining({
        regarding: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'jobs', name: 'dbt', uid: 'd' },
        type: 'Warning',
        reason: 'SecretsRefused',
        message: 'FLOE-E801: no',
      }),
      expect.objectContaining({ reason: 'SecretsFindings', message: 'FLOE-E806: stale' }),
    ]);
  });

  it('is told with the first of very many findings', async () => {
    const many = { ...warned, findings: Array.from({ length: 10_000 }, () => warned.findings[0]) };
    await announce([request(), many as Decision]);
    expect(emitted).toHaveLength(1);
    expect(emitted[0]?.message.length).toBe(2000);
  });

  it.each([
    ['a dry run', request({ dryRun: true }), refused],
    ['what is fine', request(), fine],
    ['the first call that lets it pass', request({ door: 'mutate' }), warned],
    ['a pod without an owner', request({ object: {} }), refused],
    ['an update', request({ operation: 'UPDATE' }), refused],
    ['a namespace that cannot be', request({ namespace: '../kube-system' }), refused],
    ['an owner whose name is a megabyte', owned({ ...owner, name: 'o'.repeat(1_000_000) }), refused],
    [
      'an owner whose version is one',
      owned({ ...owner, apiVersion: `apps/${'v'.repeat(1_000_000)}` }),
      refused,
    ],
  ])('is not told of %s', async (_what, one, decision) => {
    await announce([one, decision]);
    expect([emitted, read]).toEqual([[], []]);
  });

  it.each([
    ['has another uid', { ...owner, uid: 'forged' }],
    ['is not there', { ...owner, name: 'dbt-2' }],
    ['is of a kind that makes no pods', { ...owner, apiVersion: 'v1', kind: 'Secret' }],
    ['has a name that leads elsewhere', { ...owner, name: '../../secrets' }],
  ])('is told to nobody where the owner %s', async (_what, forged) => {
    await announce([owned(forged), refused]);
    expect(emitted).toEqual([]);
  });
});
