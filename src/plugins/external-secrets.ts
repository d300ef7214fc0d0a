/**
 * External Secrets Operator: ExternalSecret and ClusterExternalSecret, as its controllers of v2 write them. `Ready`
 * is True also where no Secret was written on purpose, so its reason is read too.
 */
import { parseDuration } from '../kube/duration.ts';
import type { Json } from '../kube/json.ts';
import { asArray, asString, dig, get, isObject, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { generationOf, nameOf, namespaceOf, timeOf } from '../kube/object.ts';
import type { Condition } from './conditions.ts';
import { conditionOf, verdictOf } from './conditions.ts';
import type { Health, Plugin, Restraint, Scope, SyncKind, Target, View } from './plugin.ts';
import { ownedByGroup } from './plugin.ts';
import type { Reader } from './secret-stores.ts';
import {
  CLUSTER_SECRET_STORE,
  GROUP,
  SECRET_STORE,
  causeOfStores,
  scopeOfStores,
  storeToDescribe,
} from './secret-stores.ts';

import { intervalOf, optional, texts } from './spec.ts';

/** The operator's default, which its CRD fills in. */
const REFRESH_INTERVAL = '1h';

/** True, and yet there is no data: deleted upstream, or not to be created by it. */
const EMPTY_REASONS = ['SecretDeleted', 'SecretMissing'];

export const externalSecret: SyncKind = {
  resource: {
    group: GROUP,
    version: 'v1',
    olderVersions: ['v1beta1'],
    kind: 'ExternalSecret',
    plural: 'externalsecrets',
    namespaced: true,
  },
  companions: [SECRET_STORE, CLUSTER_SECRET_STORE],
  targets: (object) =>
    targetNames(get(object.raw, 'spec'), nameOf(object.raw)).map((name) => ({
      namespace: namespaceOf(object.raw),
      name,
    })),
  health: healthOf,
  scope: scopeOf,
  // A SecretStore reads credentials of its own namespace only; a ClusterSecretStore lends what its admin decided.
  credentialNamespaces: () => [],
  revive:
    'change an annotation of it (kubectl annotate externalsecret NAME force-sync=1): the operator syncs again',
};

export const clusterExternalSecret: SyncKind = {
  resource: {
    group: GROUP,
    version: 'v1',
    olderVersions: ['v1beta1'],
    kind: 'ClusterExternalSecret',
    plural: 'clusterexternalsecrets',
    namespaced: false,
  },
  companions: [SECRET_STORE, CLUSTER_SECRET_STORE],
  targets: targetsOfCluster,
  health: healthOfCluster,
  scope: scopeOf,
  credentialNamespaces: () => [],
  revive: 'recreate its ExternalSecret by a change of its spec, for example of refreshTime',
};

export const externalSecrets: Plugin = {
  id: 'external-secrets',
  aliases: ['eso'],
  claims:
    'an `ExternalSecret` (also from a `ClusterExternalSecret`) targets it, whatever the store: Infisical, Vault, AWS Secrets Manager, Doppler…',
  kinds: [externalSecret, clusterExternalSecret],
  marks: (secret) =>
    secret.labels['reconcile.external-secrets.io/managed'] === 'true' ||
    Object.hasOwn(secret.annotations, 'reconcile.external-secrets.io/data-hash') ||
    ownedByGroup(secret.ownerReferences, GROUP),
};

/** The Secret of an ExternalSecret's spec; none where it makes another kind of object (`target.manifest`). */
function targetNames(spec: Json | undefined, name: string): readonly string[] {
  const target = get(spec, 'target');
  const manifest = get(target, 'manifest');
  const isSecret = text(manifest, 'apiVersion') === 'v1' && text(manifest, 'kind') === 'Secret';
  if (isObject(manifest) && !isSecret) return [];
  const named = text(target, 'name');
  return [named === undefined || named === '' ? name : named];
}

function healthOf(object: KubeObject, view: View): Health {
  const spec = get(object.raw, 'spec');
  const ready = conditionOf(object, 'Ready');
  const said = verdictOf(ready);
  const verdict = ready !== undefined && EMPTY_REASONS.includes(ready.reason) ? 'failing' : said.verdict;
  const lastSync = timeOf(text(get(object.raw, 'status'), 'refreshTime'));
  const restraint = restraintOf(spec);
  const interval = parseDuration(text(spec, 'refreshInterval') ?? REFRESH_INTERVAL);
  return {
    ...said,
    verdict,
    generation: generationOfStatus(object, ready),
    ...optional('restraint', restraint),
    ...(verdict === 'ok' ? {} : explained(storeReaderOf(object, view))),
    ...optional('lastSync', lastSync),
    ...intervalOf(interval),
    neverOld: isNeverOld(spec, interval),
    everSynced: lastSync !== undefined && restraint?.from !== 'write',
  };
}

function scopeOf(object: KubeObject, view: View): Scope {
  return scopeOfStores(storeReaderOf(object, view));
}

function restraintOf(spec: Json | undefined): Restraint | undefined {
  const policy = text(get(spec, 'target'), 'creationPolicy');
  if (policy !== 'None' && policy !== 'Merge') return undefined;
  return { from: policy === 'None' ? 'write' : 'create', why: `its target.creationPolicy is ${policy}` };
}

/** A failure is often the store's. */
function explained(reader: Reader): Pick<Health, 'cause' | 'remedy'> {
  const cause = causeOfStores(reader);
  if (cause === undefined) return {};
  return { cause, ...optional('remedy', storeToDescribe(reader)) };
}

/**
 * `syncedResourceVersion` is "<generation>-<hash>" of the last good sync. A failure does not write it: one that
 * began after the last edit is about the spec as it stands.
 */
function generationOfStatus(object: KubeObject, ready: Condition | undefined): Health['generation'] {
  const synced = asString(dig(object.raw, 'status', 'syncedResourceVersion'));
  const generation = Number.parseInt(synced ?? '', 10);
  if (ready === undefined || Number.isNaN(generation)) return 'unreported';
  if (generation >= generationOf(object.raw)) return 'current';
  const { specWrittenAt } = object;
  const isNews = ready.since !== undefined && specWrittenAt !== undefined && ready.since >= specWrittenAt;
  return ready.status === 'False' && isNews ? 'current' : 'behind';
}

/** Synced once, or only when somebody changes it, or only at certain times. */
function isNeverOld(spec: Json | undefined, interval: number | undefined): boolean {
  const policy = text(spec, 'refreshPolicy');
  const windows = get(spec, 'syncWindows') !== undefined;
  return (
    interval === 0 ||
    text(spec, 'refreshInterval') === '0' ||
    windows ||
    policy === 'CreatedOnce' ||
    policy === 'OnChange'
  );
}

/** The namespaces that it names or has tried, each with the Secret of its template. */
function targetsOfCluster(object: KubeObject): readonly Target[] {
  const spec = get(object.raw, 'spec');
  const status = get(object.raw, 'status');
  const namespaces = [
    ...asArray(get(spec, 'namespaces')),
    ...asArray(get(status, 'provisionedNamespaces')),
    ...asArray(get(status, 'failedNamespaces')).map((one) => get(one, 'namespace')),
  ];
  const names = targetNames(
    get(spec, 'externalSecretSpec'),
    text(spec, 'externalSecretName') ?? nameOf(object.raw),
  );
  return texts(namespaces).flatMap((namespace) => names.map((name) => ({ namespace, name })));
}

/** What it says of one namespace: its own condition speaks of all of them at once. */
function healthOfCluster(object: KubeObject, view: View): Health {
  const { namespace } = view;
  const status = get(object.raw, 'status');
  const failed = asArray(get(status, 'failedNamespaces')).find((one) => text(one, 'namespace') === namespace);
  const provisioned = asArray(get(status, 'provisionedNamespaces')).includes(namespace);
  const restraint = restraintOf(dig(object.raw, 'spec', 'externalSecretSpec'));
  const base: Omit<Health, 'verdict' | 'words'> = {
    generation: 'unreported',
    neverOld: true,
    everSynced: false,
    ...optional('restraint', restraint),
  };
  if (failed !== undefined) {
    const why = text(failed, 'reason') ?? 'no reason given';
    return { ...base, verdict: 'failing', words: why, clause: `cannot make its ExternalSecret here: ${why}` };
  }
  if (!provisioned) return { ...base, verdict: 'none', words: 'no status yet' };
  return { ...base, verdict: 'ok', words: 'provisioned', clause: 'has made its ExternalSecret here' };
}

/** Either kind as a reader of its stores; those of a ClusterExternalSecret are in the namespace that is looked at. */
export function storeReaderOf(object: KubeObject, view: View): Reader {
  const spec = get(object.raw, 'spec');
  if (object.kind.namespaced) return { spec, namespace: namespaceOf(object.raw), view };
  return { spec: get(spec, 'externalSecretSpec'), namespace: view.namespace, view };
}
