/** What `list` and `status` show: one row for each Secret that is there or that a sync resource targets. */
import type { WorldContents } from '../cluster/world-files.ts';
import { worldOfContents } from '../cluster/world-files.ts';
import { targetsOf } from '../cluster/watched-kinds.ts';
import type { State } from '../contract/reasons.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { World } from '../kube/world.ts';
import type { Target } from '../plugins/plugin.ts';
import type { Drift } from '../plugins/infisical-checksum.ts';
import type { Claim } from '../review/claims.ts';
import { policyOf } from '../review/policy.ts';
import type { Resolution } from '../review/resolve.ts';
import { resolveSecret } from '../review/resolve.ts';
import type { Settings } from '../review/settings.ts';

/** Times are milliseconds since the epoch. */
export interface SecretRow {
  readonly namespace: string;
  readonly name: string;
  /** The sync resource's kind, or the Secret's type. */
  readonly type?: string;
  readonly state: State;
  readonly syncResource?: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** Why it is not simply Synced. */
  readonly reason?: string;
  readonly projects: readonly string[];
  readonly environments: readonly string[];
  readonly paths: readonly string[];
  readonly lastSync?: LastSync;
  /** Only where a closer look was asked for. */
  readonly drift?: Drift;
}

interface LastSync {
  readonly time: number;
  /** Told by the operator, or proved by its newest write, or by the moment its condition turned True. */
  readonly source: 'reported' | 'written' | 'transition';
}

interface Viewpoint {
  readonly settings: Settings;
  readonly now: number;
  /** undefined: every namespace. */
  readonly namespace?: string;
}

/** The rows of one namespace or of all, by namespace and name. */
export function secretRows(contents: WorldContents, viewpoint: Viewpoint): readonly SecretRow[] {
  const world = worldOfContents(contents, viewpoint.settings.kinds);
  return namesIn(contents, viewpoint).map((target) => rowOf(target, world, viewpoint));
}

function namesIn(
  { secrets, syncResources }: WorldContents,
  { settings, namespace }: Viewpoint,
): readonly Target[] {
  const targets = syncResources.flatMap((object) => targetsOf(settings.kinds, object));
  const all = [...secrets, ...targets].filter(
    (one) => namespace === undefined || one.namespace === namespace,
  );
  const unique = new Map(
    all.map(({ namespace: place, name }) => [`${place}/${name}`, { namespace: place, name }]),
  );
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target);
}

function rowOf({ namespace, name }: Target, world: World, { settings, now }: Viewpoint): SecretRow {
  const inquiry = { settings, world, now, namespace, wanted: [] };
  const read = world.namespace(namespace);
  const maxSyncAge = read.state === 'present' ? policyOf(settings, read.value).maxSyncAge : undefined;
  const resolution = resolveSecret(inquiry, name, maxSyncAge);
  const claims = tellingClaims(resolution);
  const [claim] = claims;
  const scope = claim?.kind.scope(claim.object, claim.view);
  const type = claim?.object.kind.kind ?? resolution.record?.type;
  const reason = resolution.why ?? resolution.failure?.message;
  const lastSync = lastSyncOf(claims, resolution.record);
  return {
    namespace,
    name,
    ...(type === undefined ? {} : { type }),
    state: resolution.state,
    ...(claim === undefined ? {} : { syncResource: syncResourceOf(claim) }),
    ...(reason === undefined ? {} : { reason }),
    projects: scope?.shown ?? scope?.projects ?? [],
    environments: scope?.environments ?? [],
    paths: scope?.paths ?? [],
    ...(lastSync === undefined ? {} : { lastSync }),
  };
}

/** The claimants, the one that decided first; a stranger's only where there is no Secret for them to spoil. */
export function tellingClaims({ culprit, claims, record }: Resolution): readonly Claim[] {
  const { trusted, foreign } = claims;
  const telling = trusted.length > 0 || record !== undefined ? trusted : foreign;
  return culprit === undefined ? telling : [culprit, ...telling.filter((claim) => claim !== culprit)];
}

export function syncResourceOf({ object }: Claim): NonNullable<SecretRow['syncResource']> {
  return { kind: object.kind.kind, namespace: namespaceOf(object.raw), name: nameOf(object.raw) };
}

/** People and their tools write Secrets too, which proves no sync. */
const NO_OPERATOR = /^(?:kubectl|helm)/i;

export function lastSyncOf(claims: readonly Claim[], record: SecretRecord | undefined): LastSync | undefined {
  if (claims.length === 0) return undefined;
  const reported = newest(
    'reported',
    claims.map(({ health }) => health.lastSync),
  );
  if (reported !== undefined) return reported;
  const writes = record?.writes.filter((write) => write.data && !NO_OPERATOR.test(write.manager)) ?? [];
  const written = newest(
    'written',
    writes.map((write) => write.time),
  );
  const transition = newest(
    'transition',
    claims.map(({ health }) => health.healthySince),
  );
  return written !== undefined && written.time >= (transition?.time ?? -Infinity) ? written : transition;
}

function newest(source: LastSync['source'], times: readonly (number | undefined)[]): LastSync | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : { time: Math.max(...known), source };
}
