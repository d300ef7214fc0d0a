/**
 * HashiCorp's Vault Secrets Operator: VaultStaticSecret, VaultDynamicSecret and VaultPKISecret (v1beta1), as its
 * controllers of v1.4 write them. A reason is the same word whatever the status, so only `status` is read; operators
 * before 1.0 write no conditions, and are known by what else they leave.
 */
import { asNumber, dig, flag, get, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { namespaceOf } from '../kube/object.ts';
import { conditionOf, generationOfVerdict, verdictOf } from './conditions.ts';
import type { Condition } from './conditions.ts';
import type { Health, Plugin, SyncKind, View } from './plugin.ts';
import { ownedByGroup } from './plugin.ts';
import { intervalOf, optional, target } from './spec.ts';
import {
  CONNECTION,
  GROUP,
  VAULT_AUTH,
  VAULT_AUTH_GLOBAL,
  authNamespaceOf,
  causeOfAuth,
  scopeOfMount,
} from './vault-auth.ts';

/** Without `refreshAfter` the operator compares its HMAC of the data about once a minute. */
const DRIFT_CHECK = 60_000;

/** Any of them that is False tells of a failure; the first has the most to say. */
const TELLING = ['SecretSynced', 'Healthy', 'Ready'] as const;

const RESOURCE: ResourceKind = {
  group: GROUP,
  version: 'v1beta1',
  kind: 'VaultStaticSecret',
  plural: 'vaultstaticsecrets',
  namespaced: true,
};

const BASE: Omit<SyncKind, 'resource' | 'health' | 'scope'> = {
  companions: [VAULT_AUTH, VAULT_AUTH_GLOBAL, CONNECTION],
  targets: ({ raw }) => target(text(dig(raw, 'spec', 'destination'), 'name'), namespaceOf(raw)),
  credentialNamespaces: authNamespaceOf,
  ownsWithoutController: true,
  revive: 'change its spec (for example refreshAfter), so that the operator reconciles it',
};

export const vaultStaticSecret: SyncKind = {
  ...BASE,
  resource: RESOURCE,
  health: healthOfStatic,
  scope: (object, view) => scopeOfMount(object, view, 'path'),
};

export const vaultDynamicSecret: SyncKind = {
  ...BASE,
  resource: { ...RESOURCE, kind: 'VaultDynamicSecret', plural: 'vaultdynamicsecrets' },
  health: healthOfDynamic,
  scope: (object, view) => scopeOfMount(object, view, 'path'),
};

export const vaultPkiSecret: SyncKind = {
  ...BASE,
  resource: { ...RESOURCE, kind: 'VaultPKISecret', plural: 'vaultpkisecrets' },
  health: healthOfPki,
  scope: (object, view) => scopeOfMount(object, view, 'role'),
};

export const vault: Plugin = {
  id: 'vault',
  aliases: ['vault-secrets-operator'],
  claims: 'a `VaultStaticSecret`, `VaultDynamicSecret` or `VaultPKISecret` targets it',
  kinds: [vaultStaticSecret, vaultDynamicSecret, vaultPkiSecret],
  marks: (secret) =>
    secret.labels['app.kubernetes.io/managed-by'] === 'hashicorp-vso' ||
    Object.hasOwn(secret.labels, `${GROUP}/vso-ownerRefUID`) ||
    ownedByGroup(secret.ownerReferences, GROUP),
};

function healthOfStatic(object: KubeObject, view: View): Health {
  const status = get(object.raw, 'status');
  const spec = get(object.raw, 'spec');
  const wrote =
    (text(status, 'secretMAC') ?? '') !== '' || (asNumber(get(status, 'lastGeneration')) ?? 0) > 0;
  const checksDrift = get(spec, 'hmacSecretData') !== false;
  return {
    ...healthOf(object, view, wrote),
    // The operator stamps this condition anew with every read of Vault that went well.
    ...optional('lastSync', whenTrue(conditionOf(object, 'Healthy'))),
    ...intervalOf(text(spec, 'refreshAfter') ?? (checksDrift ? DRIFT_CHECK : 0)),
  };
}

/** A lease is good until it ends, however long ago it was renewed. Credentials of a static role have none. */
function healthOfDynamic(object: KubeObject, view: View): Health {
  const status = get(object.raw, 'status');
  const renewed = timeOfSeconds(asNumber(get(status, 'lastRenewalTime')));
  const duration = asNumber(dig(status, 'secretLease', 'duration')) ?? 0;
  const expiresAt = renewed === undefined || duration <= 0 ? undefined : renewed + duration * 1000;
  return {
    ...healthOf(object, view, renewed !== undefined),
    ...optional('lastSync', renewed),
    ...optional('expiresAt', expiresAt),
    neverOld: true,
  };
}

/** A certificate is good until it expires. `status.valid` and `status.error` are its own, beside the conditions. */
function healthOfPki(object: KubeObject, view: View): Health {
  const status = get(object.raw, 'status');
  const rotated = timeOfSeconds(asNumber(get(status, 'lastRotation')));
  const error = text(status, 'error') ?? '';
  const health = healthOf(object, view, flag(status, 'valid'));
  const isInvalid = get(status, 'valid') === false && health.verdict !== 'failing';
  return {
    ...health,
    ...(isInvalid
      ? { verdict: 'failing', words: `status.valid=false${error === '' ? '' : ` (${error})`}` }
      : {}),
    ...optional('lastSync', rotated),
    ...optional('expiresAt', timeOfSeconds(asNumber(get(status, 'expiration')))),
    neverOld: true,
  };
}

/** What all three say alike. `wrote`: what it left shows that it wrote its Secret, also where it has no conditions. */
function healthOf(object: KubeObject, view: View, wrote: boolean): Health {
  const conditions = TELLING.map((type) => conditionOf(object, type)).filter((one) => one !== undefined);
  const bad = conditions.find((condition) => condition.status !== 'True');
  const synced = conditions.find((condition) => condition.type === 'SecretSynced');
  const telling = bad ?? synced;
  const said = conditions.length === 0 && wrote ? withoutConditions() : statement(telling);
  const observed = telling?.observedGeneration ?? asNumber(dig(object.raw, 'status', 'lastGeneration'));
  return {
    ...said,
    generation: said.verdict === 'none' ? 'unreported' : generationOfVerdict(object, observed),
    ...optional('restraint', restraintOf(object)),
    ...optional('cause', said.verdict === 'failing' ? causeOfAuth(object, view) : undefined),
    neverOld: false,
    everSynced: wrote || synced?.status === 'True',
  };
}

/** Conditions are stamped anew at each attempt, so when one turned False is not known. */
function statement(condition: Condition | undefined): Pick<Health, 'verdict' | 'words' | 'healthySince'> {
  const { failingSince: _stamped, ...said } = verdictOf(condition);
  return said;
}

function withoutConditions(): Pick<Health, 'verdict' | 'words'> {
  return { verdict: 'ok', words: 'a sync, by an operator without conditions' };
}

function restraintOf({ raw }: KubeObject): Health['restraint'] {
  if (flag(dig(raw, 'spec', 'destination'), 'create')) return undefined;
  return { from: 'create', why: 'its destination.create is false' };
}

function whenTrue(condition: Condition | undefined): number | undefined {
  return condition?.status === 'True' ? condition.since : undefined;
}

/** Unix seconds in milliseconds; 0 is Go's "never". */
function timeOfSeconds(seconds: number | undefined): number | undefined {
  return seconds === undefined || seconds <= 0 ? undefined : seconds * 1000;
}
