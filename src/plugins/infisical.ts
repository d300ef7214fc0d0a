/**
 * Infisical's operator: InfisicalSecret (v1alpha1) and InfisicalStaticSecret (v1beta1). Conditions as its
 * `internal/services` write them in v0.11; reasons differ in case between kinds, so only `status` is read.
 */
import { derived } from '../kube/derived.ts';
import type { Json } from '../kube/json.ts';
import { asArray, asNumber, asObject, dig, get, isObject, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { namespaceOf } from '../kube/object.ts';
import { conditionOf } from './conditions.ts';
import {
  GROUP,
  credentialNamespacesOf,
  infisicalVerdict,
  isMarked,
  projectsOf,
} from './infisical-operator.ts';
import { infisicalShapeMistake } from './infisical-shape.ts';
import { infisicalStaticSecret } from './infisical-static-secret.ts';
import type { Health, Plugin, Scope, SyncKind, Target } from './plugin.ts';
import { intervalOf, optional, target, texts } from './spec.ts';

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

export const infisicalSecret: SyncKind = {
  resource: {
    group: GROUP,
    version: 'v1alpha1',
    kind: 'InfisicalSecret',
    plural: 'infisicalsecrets',
    namespaced: true,
  },
  targets: targetsOfSecret,
  health: derived(healthOfSecret),
  scope: derived(scopeOfSecret),
  credentialNamespaces: derived((object) => credentialNamespacesOf(object.raw)),
  revive:
    'change its spec (for example syncConfig.resyncInterval) or recreate it: the operator does not look whether a Secret that it wrote is still there',
};

export const infisical: Plugin = {
  id: 'infisical',
  aliases: [],
  claims:
    'an `InfisicalSecret` (v1alpha1, both its forms of target) or an `InfisicalStaticSecret` (v1beta1) targets it',
  kinds: [infisicalSecret, infisicalStaticSecret],
  marks: isMarked,
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

function healthOfSecret(object: KubeObject): Health {
  const ready = conditionOf(object, `${GROUP}/ReadyToSyncSecrets`);
  const token = conditionOf(object, `${GROUP}/LoadedInfisicalToken`);
  // The token's condition comes first in a resource's life; alone it tells nothing good.
  const telling = ready ?? (token?.status === 'False' ? token : undefined);
  return {
    ...infisicalVerdict(telling),
    // The kind has no observed generation: its conditions speak of whichever spec was read last.
    generation: 'unreported',
    ...optional('refused', refusedSecret(object)),
    ...intervalOf(resyncInterval(object)),
    neverOld: false,
    everSynced: ready?.status === 'True',
  };
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

function scopeOfSecret(object: KubeObject): Scope {
  const authentication = dig(object.raw, 'spec', 'authentication');
  const scopes = METHODS.map((method) => asObject(dig(authentication, method, 'secretsScope')));
  const account = get(authentication, 'serviceAccount');
  const named = [...scopes.flatMap(projectsOf), get(account, 'projectId')];
  return {
    // The operator tries a service token first, and that alone knows its project.
    projects: hasServiceToken(object) ? [] : texts(named),
    environments: texts([...scopes.map((scope) => get(scope, 'envSlug')), get(account, 'environmentName')]),
    paths: texts(scopes.map((scope) => get(scope, 'secretsPath'))),
  };
}

/** By its own method, or by the older form of that. */
function hasServiceToken({ raw }: KubeObject): boolean {
  const references = [
    dig(raw, 'spec', 'authentication', 'serviceToken', 'serviceTokenSecretReference'),
    dig(raw, 'spec', 'tokenSecretReference'),
  ];
  return references.some((reference) => (text(reference, 'secretName') ?? '') !== '');
}

/** `syncConfig.resyncInterval`, else the older form in seconds. */
function resyncInterval(object: KubeObject): Json | undefined {
  const written = dig(object.raw, 'spec', 'syncConfig', 'resyncInterval');
  if (typeof written === 'string') return written;
  const seconds = asNumber(dig(object.raw, 'spec', 'resyncInterval'));
  return seconds === undefined ? undefined : seconds * 1000;
}
