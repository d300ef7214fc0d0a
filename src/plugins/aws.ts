/**
 * AWS Secrets Manager and Parameter Store, by both ways into a cluster: the Secrets Store CSI driver, whose
 * SecretProviderClass may have Secrets made while a pod mounts it, and ExternalSecrets whose store is AWS.
 */
import { asArray, dig, get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { SECRET_PROVIDER_CLASS, namespaceOf } from '../kube/object.ts';
import { clusterExternalSecret, externalSecret, storeReaderOf } from './external-secrets.ts';
import type { Health, Plugin, Scope, SyncKind } from './plugin.ts';
import { hasProvider } from './secret-stores.ts';
import { target, texts } from './spec.ts';

const WORDS = 'creates its Secrets only while a pod mounts it';
const HEALTH: Health = Object.freeze({
  verdict: 'ok',
  generation: 'unreported',
  words: WORDS,
  clause: WORDS,
  neverOld: true,
  everSynced: false,
});

const secretProviderClass: SyncKind = {
  resource: SECRET_PROVIDER_CLASS,
  targets: (object) =>
    asArray(dig(object.raw, 'spec', 'secretObjects')).flatMap((one) =>
      target(text(one, 'secretName'), namespaceOf(object.raw)),
    ),
  // A class has no status: the driver acts when a pod mounts it, and takes the Secret away with the last such pod.
  health: () => HEALTH,
  scope: scopeOf,
  credentialNamespaces: () => [],
  revive:
    'mount the class into this pod by a CSI volume (the driver then makes the Secret), or wait for another pod that mounts it',
};

export const aws: Plugin = {
  id: 'aws',
  aliases: ['aws-secrets-manager'],
  claims:
    "a `SecretProviderClass` with `secretObjects` syncs it, or an `ExternalSecret` whose store's provider is AWS",
  kinds: [secretProviderClass, externalSecret, clusterExternalSecret],
  owns: (object, view) =>
    object.kind.kind === SECRET_PROVIDER_CLASS.kind || hasProvider(storeReaderOf(object, view), 'aws'),
  marks: (secret) => secret.labels['secrets-store.csi.k8s.io/managed'] === 'true',
};

/** What its provider reads stands in parameters that only the provider understands. */
function scopeOf(object: KubeObject): Scope {
  return { projects: texts([get(get(object.raw, 'spec'), 'provider')]), environments: [], paths: [] };
}
