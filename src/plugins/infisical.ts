/**
 * Infisical's operator: InfisicalSecret (v1alpha1) and InfisicalStaticSecret (v1beta1). Conditions as its
 * `internal/services/{infisicalsecret,infisicalstaticsecret}` write them in v0.11; reasons differ in case between
 * kinds, so only `status` is read.
 */
import { parseDuration } from '../kube/duration.ts';
import type { Json } from '../kube/json.ts';
import { asArray, asNumber, asObject, dig, get, isObject, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { namespaceOf, timeOf } from '../kube/object.ts';
import { conditionOf, generationOfVerdict, wordsOf } from './conditions.ts';
import type { Condition } from './conditions.ts';
import { infisicalShapeMistake } from './infisical-shape.ts';
import type { Health, Plugin, Scope, SyncKind, Target } from './plugin.ts';
import { ownedByGroup } from './plugin.ts';

const GROUP = 'secrets.infisical.com';
/** On every Secret that the operator wrote: a checksum of its data. */
const VERSION = `${GROUP}/version`;

/** The methods whose scope stands under `secretsScope`. */
const METHODS = [
  'universalAuth',
  'kubernetesAuth',
  'awsIamAuth',
  'azureAuth',
  'gcpIdTokenAuth',
  'gcpIamAuth',
  'ldapAuth',
  'serviceToken',
] as const;

const infisicalSecret: SyncKind = {
  resource: {
    group: GROUP,
    version: 'v1alpha1',
    kind: 'InfisicalSecret',
    plural: 'infisicalsecrets',
    namespaced: true,
  },
  targets: targetsOfSecret,
  health: healthOfSecret,
  scope: scopeOfSecret,
  credentialNamespaces: credentialNamespacesOfSecret,
  revive:
    'change its spec (for example syncConfig.resyncInterval) or recreate it: the operator does not look whether a Secret that it wrote is still there',
};

const infisicalStaticSecret: SyncKind = {
  resource: {
    group: GROUP,
    version: 'v1beta1',
    kind: 'InfisicalStaticSecret',
    plural: 'infisicalstaticsecrets',
    namespaced: true,
  },
  targets: targetsOfStatic,
  health: healthOfStatic,
  scope: scopeOfStatic,
  credentialNamespaces: (object) => strings([dig(object.raw, 'spec', 'infisicalAuthRef', 'namespace')]),
  revive:
    'wait for its next refresh (syncOptions.refreshInterval) or change a label of it: the operator then writes it again',
};

export const infisical: Plugin = {
  id: 'infisical',
  aliases: [],
  claims:
    'an `InfisicalSecret` (v1alpha1, both its forms of target) or an `InfisicalStaticSecret` (v1beta1) targets it',
  kinds: [infisicalSecret, infisicalStaticSecret],
  marks: (secret) =>
    Object.hasOwn(secret.annotations, VERSION) || ownedByGroup(secret.ownerReferences, GROUP),
};

function targetsOfSecret(object: KubeObject): readonly Target[] {
  const spec = get(object.raw, 'spec');
  const single = get(spec, 'managedSecretReference');
  const references = [
    ...(isObject(single) ? [single] : []),
    ...asArray(get(spec, 'managedKubeSecretReferences')),
  ];
  return references.flatMap((reference) =>
    target(text(reference, 'secretName'), text(reference, 'secretNamespace') ?? namespaceOf(object.raw)),
  );
}

function targetsOfStatic(object: KubeObject): readonly Target[] {
  const targets = asArray(dig(object.raw, 'spec', 'targets')).filter(
    (one) => text(one, 'kind') !== 'ConfigMap',
  );
  return targets.flatMap((one) =>
    target(text(one, 'name'), text(one, 'namespace') ?? namespaceOf(object.raw)),
  );
}

function target(name: string | undefined, namespace: string): readonly Target[] {
  return name === undefined || name === '' ? [] : [{ namespace, name }];
}

function healthOfSecret(object: KubeObject): Health {
  const ready = conditionOf(object, `${GROUP}/ReadyToSyncSecrets`);
  const token = conditionOf(object, `${GROUP}/LoadedInfisicalToken`);
  // The token's condition comes first in a resource's life; alone it tells nothing good.
  const telling = ready ?? (token?.status === 'False' ? token : undefined);
  const refused = refusedSecret(object);
  return {
    ...verdictOf(object, telling),
    // The kind has no observed generation: its conditions speak of whichever spec was read last.
    generation: 'unreported',
    ...(refused === undefined ? {} : { refused }),
    ...intervalOf(resyncInterval(object)),
    everSynced: ready?.status === 'True',
  };
}

function healthOfStatic(object: KubeObject): Health {
  const status = conditionOf(object, `${GROUP}/LastReconcileStatus`);
  const success = conditionOf(object, `${GROUP}/LastSuccessfulReconcileAt`);
  const lastSync = timeOf(success?.message);
  const refused = refusedStatic(object);
  return {
    ...verdictOf(object, status),
    ...(refused === undefined ? {} : { refused }),
    ...(lastSync === undefined ? {} : { lastSync }),
    ...intervalOf(parseDuration(text(dig(object.raw, 'spec', 'syncOptions'), 'refreshInterval') ?? '')),
    everSynced: success !== undefined,
  };
}

function verdictOf(object: KubeObject, condition: Condition | undefined): Omit<Health, 'everSynced'> {
  if (condition === undefined)
    return { verdict: 'none', generation: 'unreported', words: 'no status yet', neverOld: false };
  const ok = condition.status === 'True';
  const since =
    condition.since === undefined ? {} : { [ok ? 'healthySince' : 'failingSince']: condition.since };
  return {
    verdict: ok ? 'ok' : 'failing',
    generation: generationOfVerdict(object, condition.observedGeneration),
    words: wordsOf({ ...condition, message: withoutPreamble(condition.message) }),
    neverOld: false,
    ...since,
  };
}

/** The operator begins every failure with the same hundred characters; what a person needs stands behind them. */
const PREAMBLE =
  'Failed to sync secrets. This can be caused by invalid access token or an invalid API host that is set. Error: ';

function withoutPreamble(message: string): string {
  return message.startsWith(PREAMBLE) ? message.slice(PREAMBLE.length) : message;
}

/** Both forms of target, or none, end the operator's reconcile before it writes any status. */
function refusedSecret(object: KubeObject): string | undefined {
  const spec = get(object.raw, 'spec');
  const single = isObject(get(spec, 'managedSecretReference'));
  const several = asArray(get(spec, 'managedKubeSecretReferences')).length > 0;
  const configMaps = asArray(get(spec, 'managedKubeConfigMapReferences')).length > 0;
  if (single && several) return 'its spec has both managedSecretReference and managedKubeSecretReferences';
  if (!single && !several && !configMaps) return 'its spec has no managedKubeSecretReferences';
  return infisicalShapeMistake(object.raw);
}

function refusedStatic(object: KubeObject): string | undefined {
  const names = asArray(dig(object.raw, 'spec', 'targets')).map(
    (one) => `${text(one, 'kind') ?? ''} ${text(one, 'namespace') ?? ''}/${text(one, 'name') ?? ''}`,
  );
  return new Set(names).size === names.length ? undefined : 'its spec names one target twice';
}

function scopeOfSecret(object: KubeObject): Scope {
  const authentication = dig(object.raw, 'spec', 'authentication');
  const scopes = METHODS.map((method) => asObject(dig(authentication, method, 'secretsScope')));
  const account = get(authentication, 'serviceAccount');
  return {
    projects: strings([...scopes.flatMap(projectsOf), get(account, 'projectId')]),
    environments: strings([...scopes.map((scope) => get(scope, 'envSlug')), get(account, 'environmentName')]),
    paths: strings(scopes.map((scope) => get(scope, 'secretsPath'))),
  };
}

function scopeOfStatic(object: KubeObject): Scope {
  const sources = asArray(dig(object.raw, 'spec', 'sources'));
  // A source whose project cannot be read must not hide behind one whose project can.
  const readable = sources.every((source) => strings(projectsOf(source)).length > 0);
  return {
    projects: readable ? strings(sources.flatMap(projectsOf)) : [],
    environments: strings(sources.map((source) => get(source, 'environmentSlug'))),
    paths: strings(sources.map((source) => get(source, 'secretPath'))),
  };
}

function projectsOf(scope: Json): readonly (Json | undefined)[] {
  return [get(scope, 'projectSlug'), get(scope, 'projectId')];
}

/** Credentials stand in references of several names: whatever has a `secretNamespace`, and service accounts. */
function credentialNamespacesOfSecret(object: KubeObject): readonly string[] {
  const authentication = asObject(dig(object.raw, 'spec', 'authentication'));
  const references = Object.values(authentication).flatMap((method) => Object.values(asObject(method)));
  return strings([
    dig(object.raw, 'spec', 'tokenSecretReference', 'secretNamespace'),
    ...references.map((reference) => get(reference, 'secretNamespace')),
    ...Object.values(authentication).map((method) => dig(method, 'serviceAccountRef', 'namespace')),
  ]);
}

function resyncInterval(object: KubeObject): number | undefined {
  const written = text(dig(object.raw, 'spec', 'syncConfig'), 'resyncInterval');
  if (written !== undefined) return parseDuration(written);
  const seconds = asNumber(dig(object.raw, 'spec', 'resyncInterval'));
  return seconds === undefined ? undefined : seconds * 1000;
}

function intervalOf(interval: number | undefined): { readonly interval?: number } {
  return interval === undefined || interval === 0 ? {} : { interval };
}

function strings(values: readonly (Json | undefined)[]): readonly string[] {
  return [...new Set(values.filter((value) => typeof value === 'string' && value !== ''))] as string[];
}
