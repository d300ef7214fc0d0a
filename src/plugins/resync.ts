/**
 * How each operator is made to sync now, and how one sees that it did. Most operators hear of some writes of their
 * resource and not of others, and write nothing where nothing changed.
 */
import { KEYS } from '../contract/keys.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asNumber, dig, get, isObject, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { conditionOf } from './conditions.ts';

export type Nudge =
  /** This annotation with a new value. */
  | { readonly how: 'annotation'; readonly key: string }
  /** JSON Patches of the spec: `change` writes it otherwise, `back` as it was, unless somebody wrote it meanwhile. */
  | {
      readonly how: 'spec';
      readonly field: string;
      readonly change: readonly Json[];
      readonly back: readonly Json[];
    }
  | { readonly how: 'none'; readonly why: string };

export interface Resync {
  nudge(object: KubeObject): Nudge;
  /** The condition that each pass writes; what is added to its message is gone after the next pass. */
  readonly condition?: string;
  /** What else a pass leaves in the status: another value is another pass. */
  evidence(object: KubeObject): Json | undefined;
}

const INFISICAL = 'secrets.infisical.com';

/** By kind. A kind that is not here has no known way. */
const RESYNCS: Readonly<Record<string, Resync>> = {
  InfisicalSecret: {
    // Its operator looks at the generation alone: no label, no annotation wakes it.
    nudge: (object) => intervalNudge(object, infisicalInterval(object)),
    condition: `${INFISICAL}/ReadyToSyncSecrets`,
    evidence: (object) => conditionText(object, `${INFISICAL}/ReadyToSyncSecrets`),
  },
  InfisicalStaticSecret: {
    nudge: () => ({ how: 'annotation', key: KEYS.syncRequested }),
    condition: `${INFISICAL}/LastReconcileStatus`,
    evidence: (object) =>
      `${conditionText(object, `${INFISICAL}/LastReconcileStatus`)} ${conditionText(object, `${INFISICAL}/LastSuccessfulReconcileAt`)}`,
  },
  ExternalSecret: {
    nudge: externalSecretNudge,
    condition: 'Ready',
    evidence: (object) =>
      `${conditionText(object, 'Ready')} ${text(get(object.raw, 'status'), 'refreshTime') ?? ''}`,
  },
  VaultStaticSecret: {
    nudge: (object) => intervalNudge(object, vaultInterval(object)),
    evidence: (object) => dig(object.raw, 'status', 'lastGeneration'),
  },
  ...without(
    'VaultDynamicSecret',
    'a sync would be a new lease, and its operator renews the one that there is',
  ),
  ...without(
    'VaultPKISecret',
    'a sync would be a new certificate, and its operator makes one before the old one ends',
  ),
  ...without(
    'InfisicalDynamicSecret',
    'a sync would be a new lease, and its operator renews the one that there is',
  ),
  ...without('ClusterExternalSecret', 'it only makes ExternalSecrets: sync the one of this namespace'),
  ...without(
    'DopplerSecret',
    'its operator asks every resyncSeconds (60 by default), and cannot be asked for more',
  ),
  ...without(
    'OnePasswordItem',
    'its operator asks every POLLING_INTERVAL (600 s by default), and cannot be asked for more',
  ),
  ...without('SealedSecret', 'there is nothing to fetch: its controller acts on each write of it'),
  ...without('SopsSecret', 'there is nothing to fetch: its operator acts on each write of it'),
  ...without('SecretProviderClass', 'the CSI driver fetches when a pod mounts it, and at each rotation'),
};

export function resyncOf(kind: string): Resync | undefined {
  return Object.hasOwn(RESYNCS, kind) ? RESYNCS[kind] : undefined;
}

function without(kind: string, why: string): Readonly<Record<string, Resync>> {
  return { [kind]: { nudge: () => ({ how: 'none', why }), evidence: () => undefined } };
}

function conditionText(object: KubeObject, type: string): string {
  const condition = conditionOf(object, type);
  return condition === undefined ? '' : JSON.stringify(condition);
}

/** Where an interval stands, and how it is written otherwise. */
interface Interval {
  readonly path: readonly string[];
  /** Undefined where it is not written at all. */
  readonly before: Json | undefined;
  readonly other: Json;
}

function infisicalInterval({ raw }: KubeObject): Interval {
  const config = ['spec', 'syncConfig', 'resyncInterval'];
  const written = text(dig(raw, 'spec', 'syncConfig'), 'resyncInterval');
  if (written !== undefined) return { path: config, before: written, other: otherwise(written) };
  const seconds = asNumber(dig(raw, 'spec', 'resyncInterval'));
  if (seconds !== undefined) return { path: ['spec', 'resyncInterval'], before: seconds, other: seconds + 1 };
  // Both of the operator's own defaults, so that nothing but the text of the spec changes.
  const instant = dig(raw, 'spec', 'syncConfig', 'instantUpdates') === true;
  return { path: config, before: undefined, other: instant ? '1h' : '5m' };
}

/** Of one that is not written the operator's default, which is near a minute. */
function vaultInterval({ raw }: KubeObject): Interval {
  const written = text(get(raw, 'spec'), 'refreshAfter');
  return {
    path: ['spec', 'refreshAfter'],
    before: written,
    other: written === undefined ? '60s' : otherwise(written),
  };
}

const UNITS: Readonly<Record<string, readonly [smaller: string, times: number]>> = {
  w: ['d', 7],
  d: ['h', 24],
  h: ['m', 60],
  m: ['s', 60],
};

/** The same time in the next smaller unit; of seconds, one more. */
function otherwise(interval: string): string {
  const [, count = '', unit = ''] = /^(\d+)([smhdw])$/.exec(interval) ?? [];
  if (count === '') return '60s';
  const [smaller, times] = UNITS[unit] ?? ['s', 1];
  return unit === 's' ? `${Number(count) + 1}s` : `${Number(count) * times}${smaller}`;
}

function intervalNudge(object: KubeObject, { path, before, other }: Interval): Nudge {
  const whole = `/${path.join('/')}`;
  const change =
    before === undefined
      ? [{ op: 'add', path: whole, value: other }]
      : [
          { op: 'test', path: whole, value: before },
          { op: 'replace', path: whole, value: other },
        ];
  const test = { op: 'test', path: whole, value: other };
  const back =
    before === undefined
      ? [test, { op: 'remove', path: whole }]
      : [test, { op: 'replace', path: whole, value: before }];
  const parent = path.slice(0, -1);
  if (isObject(dig(object.raw, ...parent))) return { how: 'spec', field: path.join('.'), change, back };
  // Without the mapping around it that comes and goes too.
  const around = `/${parent.join('/')}`;
  return {
    how: 'spec',
    field: path.join('.'),
    change: [{ op: 'add', path: around, value: { [path.at(-1) ?? '']: other } }],
    back: [test, { op: 'remove', path: around }],
  };
}

/** ESO hears of any annotation, but not where it fetches once. */
function externalSecretNudge({ raw }: KubeObject): Nudge {
  const spec = get(raw, 'spec');
  if (text(spec, 'refreshPolicy') === 'CreatedOnce')
    return { how: 'none', why: 'its refreshPolicy is CreatedOnce: it is never fetched again' };
  return { how: 'annotation', key: 'force-sync' };
}

/** Where the condition stands among the others, and its message; undefined where it is not written yet. */
export function messageOf(
  raw: JsonObject,
  type: string,
): { readonly index: number; readonly message: string } | undefined {
  const conditions = asArray(dig(raw, 'status', 'conditions'));
  const index = conditions.findIndex((condition) => text(condition, 'type') === type);
  return index === -1 ? undefined : { index, message: text(conditions[index], 'message') ?? '' };
}
