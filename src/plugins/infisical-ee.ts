/**
 * Infisical's operator with InfisicalDynamicSecret: credentials that live as long as their lease. The operator makes
 * the Secret empty first and then leases, so a Secret without keys is one to wait for.
 */
import { derived } from '../kube/derived.ts';
import { dig, get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { namespaceOf, timeOf } from '../kube/object.ts';
import { conditionOf, verdictOf } from './conditions.ts';
import { infisical } from './infisical.ts';
import { GROUP, credentialNamespacesOf, isMarked, projectsOf } from './infisical-operator.ts';
import type { Health, Plugin, Scope, SyncKind } from './plugin.ts';
import { optional, target, texts } from './spec.ts';

const infisicalDynamicSecret: SyncKind = {
  resource: {
    group: GROUP,
    version: 'v1alpha1',
    kind: 'InfisicalDynamicSecret',
    plural: 'infisicaldynamicsecrets',
    namespaced: true,
  },
  targets(object) {
    const reference = dig(object.raw, 'spec', 'managedSecretReference');
    return target(
      text(reference, 'secretName'),
      text(reference, 'secretNamespace') ?? namespaceOf(object.raw),
    );
  },
  health: derived(healthOf),
  scope: derived(scopeOf),
  credentialNamespaces: derived((object) => credentialNamespacesOf(object.raw)),
  revive: 'recreate it: the operator fills a Secret only when it takes a new lease',
};

export const infisicalEe: Plugin = {
  id: 'infisical-ee',
  aliases: [],
  claims: 'as `infisical`, and `InfisicalDynamicSecret` leases',
  kinds: [...infisical.kinds, infisicalDynamicSecret],
  marks: isMarked,
};

function healthOf(object: KubeObject): Health {
  const lease = dig(object.raw, 'status', 'lease');
  const leasedAt = timeOf(text(lease, 'creationTimestamp'));
  return {
    // The conditions of its login and its leases have types, but nothing ever writes them.
    ...verdictOf(conditionOf(object, `${GROUP}/Reconcile`)),
    generation: 'unreported',
    ...optional('lastSync', leasedAt),
    ...optional('expiresAt', timeOf(text(lease, 'expiresAt'))),
    // A lease is good until it expires, however long ago it was taken.
    neverOld: true,
    everSynced: leasedAt !== undefined,
  };
}

function scopeOf(object: KubeObject): Scope {
  const secret = dig(object.raw, 'spec', 'dynamicSecret');
  const [path, name] = [text(secret, 'secretsPath') ?? '', text(secret, 'secretName') ?? ''];
  return {
    projects: texts(projectsOf(secret ?? null)),
    environments: texts([get(secret, 'environmentSlug')]),
    paths: texts([path.endsWith('/') ? `${path}${name}` : `${path}/${name}`]),
  };
}
