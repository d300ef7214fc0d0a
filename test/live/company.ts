/** The stories of one configuration on a real API server: their world, their webhook, their registration. */
import { CUSTOM_KINDS } from '../../tools/control-plane/crds.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDuration } from '../../src/kube/duration.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { asShort } from '../stories/manifest.ts';
import type { Manifest } from '../stories/manifest.ts';
import type { Stage } from '../stories/rendering.ts';
import type { Case } from '../stories/telling.ts';
import { troupesFor } from '../stories/troupe.ts';
import type { Numbered, Troupe } from '../stories/troupe.ts';
import { NOT_MUTATED, SERVED_BY } from './registration.ts';
import { createWorld } from './world.ts';

const YOUNG = 120_000;
/** More than the grace of those who are old; creation times are whole seconds. */
const OLD = 2100;
const AT_ONCE = 6;
/** Numbers of cases that are told a second time, in namespaces of their own. */
const AGAIN = 10_000;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/**
 * The API server sets creation times itself, so what a story calls old is some seconds old here: its webhook has
 * a grace of one second. Stories about young sync resources keep the grace, and go by themselves.
 */
export function companies(): readonly LiveTroupe[] {
  const all = troupesFor('live').troupes.flatMap(byAge);
  const [defaults] = all;
  if (defaults === undefined) return [];
  const hostile = defaults.cases
    .filter(({ one }) => HOSTILE.includes(one.file))
    .map((numbered) => ({ ...numbered, number: numbered.number + AGAIN }));
  return [...all, { ...defaults, name: 'failurePolicy Ignore', cases: hostile, failurePolicy: 'Ignore' }];
}

export interface LiveTroupe extends Troupe {
  readonly failurePolicy: 'Fail' | 'Ignore';
  /** Its sync resources must be younger than the grace when they are asked about. */
  readonly young: boolean;
}

/** Stories that would be a way past the webhook if it ever failed to answer: told with `Ignore` too. */
const HOSTILE = [
  'care.yaml',
  'carried.yaml',
  'exempt.yaml',
  'grammar.yaml',
  'levels.yaml',
  'references.yaml',
];

function byAge(troupe: Troupe): readonly LiveTroupe[] {
  const young = troupe.cases.filter(({ one }) => isYoung(one));
  const old = troupe.cases.filter(({ one }) => !isYoung(one));
  const short = { ...troupe.config, sync: { pendingGrace: '1s', ...asShort(troupe.config['sync']) } };
  const failurePolicy = 'Fail';
  return [
    { ...troupe, config: short, cases: old, failurePolicy, young: false } as const,
    { ...troupe, name: `${troupe.name}, young`, cases: young, failurePolicy, young: true } as const,
  ].filter(({ cases }) => cases.length > 0);
}

function isYoung(one: Case): boolean {
  return one.objects.some((object) => {
    const created = String(asShort(object['metadata'])['creationTimestamp']);
    const age = parseDuration(created.replace('now-', ''));
    return age !== undefined && age < YOUNG;
  });
}

/** A troupe's worlds, written. */
export interface Stagecraft {
  /** Where a case is told: its uids are those that the API server gave. */
  stageOf(numbered: Numbered): Stage;
}

/**
 * Writes the worlds of all cases, for the webhook of this name. What is old must be that before anybody asks, so
 * whoever writes old worlds waits until they are.
 */
export async function furnish(api: ApiClient, troupe: LiveTroupe, name: string): Promise<Stagecraft> {
  const now = new Date();
  const uids = new Map<number, ReadonlyMap<string, string>>();
  await allowPeople(api, troupe.cases, name);
  await inParallel(troupe.cases, async ({ one, number }) => {
    uids.set(number, await createWorld(api, worldOf(one, name), { now, number }));
  });
  return {
    stageOf: ({ number }) => ({ now, number, uid: (kindAndName) => uids.get(number)?.get(kindAndName) }),
  };
}

/** Resolves when all that was written until now is old. */
export async function untilOld(): Promise<void> {
  await sleep(OLD);
}

/** The case's objects, with its namespace served by this webhook; what is updated later is there already. */
function worldOf(one: Case, name: string): readonly Manifest[] {
  const [namespace = {}, ...others] = one.objects;
  const metadata = asShort(namespace['metadata']);
  const labels = {
    ...asShort(metadata['labels']),
    [SERVED_BY]: name,
    ...(one.mutateSkipped ? { [NOT_MUTATED]: 'true' } : {}),
  };
  const served = { ...namespace, metadata: { ...metadata, labels } };
  // The webhook itself leads here.
  const made = others.filter((object) => object['kind'] !== 'Lease');
  return [served, ...made, ...(one.old === undefined ? [] : [one.old])];
}

/** Everybody in the stories may write what is reviewed; some may also list Secrets. */
async function allowPeople(api: ApiClient, cases: readonly Numbered[], name: string): Promise<void> {
  const users = [...new Set(cases.map(({ one }) => one.user.username))];
  const readers = cases.filter(({ one }) => one.user.may.includes('list secrets'));
  await bind(api, {
    name: `${name}-writers`,
    users,
    rule: { apiGroups: ['*'], resources: WRITTEN, verbs: ['*'] },
  });
  const listing = { apiGroups: [''], resources: ['secrets'], verbs: ['list'] };
  const names = [...new Set(readers.map(({ one }) => one.user.username))];
  if (names.length > 0) await bind(api, { name: `${name}-readers`, users: names, rule: listing });
}

const WRITTEN = [
  'pods',
  'pods/ephemeralcontainers',
  'replicationcontrollers',
  'deployments',
  'statefulsets',
  'daemonsets',
  'replicasets',
  'jobs',
  'cronjobs',
  ...CUSTOM_KINDS.map(({ plural }) => plural),
];

async function bind(
  api: ApiClient,
  { name, users, rule }: { readonly name: string; readonly users: readonly string[]; readonly rule: object },
): Promise<void> {
  await api.request('POST', `${RBAC}/clusterroles`, { metadata: { name }, rules: [rule] });
  await api.request('POST', `${RBAC}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: users.map((user) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user })),
  });
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (const item of queue) await work(item);
  });
  await Promise.all(workers);
}
