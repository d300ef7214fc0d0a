/** A Secret that is there: what may be told of it without its values, and who else has to do with it. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, dig, flag, get, text } from '../kube/json.ts';
import type { OwnerReference } from '../kube/object.ts';
import { annotation, nameOf, namespaceOf, ownerReferencesOf } from '../kube/object.ts';
import type { Obstacle, TargetSecret } from './conversion.ts';
import { keeperOf, secretMetadata } from './eso-metadata.ts';
import { plainText, textOf } from './values.ts';

export interface StandingSecret {
  readonly namespace: string;
  readonly name: string;
  readonly target: TargetSecret;
  readonly owners: readonly OwnerReference[];
  /** What writes it again from a manifest, as far as it shows: 'Argo CD'. */
  readonly keeper: string | undefined;
  /** What writes it without being its owner, as far as it shows: "cert-manager's Certificate 'web'". */
  readonly writer: string | undefined;
  readonly isLeaving: boolean;
}

/** Of a Secret as it is read whole. */
export function standingSecret(raw: JsonObject): StandingSecret {
  return {
    namespace: namespaceOf(raw),
    name: nameOf(raw),
    target: targetSecretOf(raw),
    owners: ownerReferencesOf(raw),
    keeper: keeperOf(raw),
    writer: writerOf(raw),
    isLeaving: dig(raw, 'metadata', 'deletionTimestamp') !== undefined,
  };
}

export function targetSecretOf(raw: JsonObject): TargetSecret {
  const data = asObject(get(raw, 'data'));
  const keys = Object.keys(data).toSorted();
  const bytesOf = (key: string): Buffer => Buffer.from(text(data, key) ?? '', 'base64');
  return {
    keys,
    encoded: keys.filter((key) => plainText(bytesOf(key)) === undefined),
    binary: keys.filter((key) => textOf(bytesOf(key)) === undefined),
    metadata: secretMetadata(raw),
    type: text(raw, 'type') ?? 'Opaque',
    immutable: flag(raw, 'immutable'),
  };
}

/** Annotations by which programs mark Secrets that they write and do not own. */
const WRITERS: readonly (readonly [key: string, words: (value: string) => string])[] = [
  ['cert-manager.io/certificate-name', (name) => `cert-manager's Certificate '${name}'`],
  ['reflector.v1.k8s.emberstack.com/reflects', (name) => `Reflector, from '${name}',`],
  ['replicator.v1.mittwald.de/replicate-from', (name) => `Replicator, from '${name}',`],
  ['replicator.v1.mittwald.de/replicated-at', () => 'Replicator'],
];

function writerOf(raw: JsonObject): string | undefined {
  for (const [key, words] of WRITERS) {
    const value = annotation(raw, key);
    if (value !== undefined) return words(value.slice(0, 100));
  }
  return undefined;
}

/** What Kubernetes and Helm keep for themselves in Secrets. */
const INTERNAL_TYPES: Readonly<Record<string, string>> = {
  'kubernetes.io/service-account-token': 'Kubernetes writes the token of a ServiceAccount into it',
  'bootstrap.kubernetes.io/token': 'nodes join the cluster with it',
  'helm.sh/release.v1': 'Helm keeps a release in it',
};

/** Whether it is none that people would think of. */
export function isInternal(type: string | undefined): boolean {
  return Object.hasOwn(INTERNAL_TYPES, type ?? '');
}

export interface Surroundings {
  /** The sync resources that write it: "ExternalSecret 'db'". */
  readonly claimants: readonly string[];
  /** The Secret that the operator itself logs in with. */
  readonly credentials: { readonly namespace: string; readonly name: string } | undefined;
}

/** What stands against giving it to Infisical, whatever it holds. */
export function refusalsOf(
  secret: StandingSecret,
  { claimants, credentials }: Surroundings,
): readonly Obstacle[] {
  const { namespace, name, target, owners, writer } = secret;
  const found: Obstacle[] = [];
  const add = (why: string, fix?: string): void =>
    void found.push({ where: '', why, ...(fix === undefined ? {} : { fix }) });
  if (isInternal(target.type)) add(INTERNAL_TYPES[target.type] ?? '');
  if (namespace === credentials?.namespace && name === credentials.name) {
    add('the operator of Infisical logs in with it');
  }
  if (claimants.length > 0) add(`${claimants.join(', ')} writes it`);
  // A claimant is often its owner, too, and then said already.
  const [owner] = claimants.length > 0 ? [] : owners;
  if (owner !== undefined) {
    const resource = `${owner.kind.toLowerCase()} ${owner.name} -n ${namespace}`;
    add(
      `${owner.kind} '${owner.name}' owns it, and it would go with that`,
      `kubectl delete ${resource} --cascade=orphan leaves the Secret`,
    );
  }
  if (writer !== undefined) add(`${writer} writes it`);
  if (target.immutable) add('it is immutable: no operator could update it');
  if (target.keys.length === 0) add('it has no keys');
  if (secret.isLeaving) add('it is being deleted');
  return found;
}

/** How each is told that a Secret stays when its manifest goes. */
const KEEP: Readonly<Record<string, string>> = {
  'Argo CD': 'argocd.argoproj.io/sync-options=Prune=false',
  Flux: 'kustomize.toolkit.fluxcd.io/prune=disabled',
  Helm: 'helm.sh/resource-policy=keep',
};

/** What people have to see to where something else writes it from a manifest. */
export function keeperNotes({ namespace, name, keeper }: StandingSecret): readonly string[] {
  if (keeper === undefined) return [];
  const annotate = `kubectl annotate secret ${name} -n ${namespace} ${KEEP[keeper] ?? ''}`;
  return [`${keeper} keeps the Secret: before its manifest goes there, ${annotate}`];
}

/** Keys of the Secret that have other values there. */
export function changedKeys(
  raw: JsonObject,
  values: ReadonlyMap<string, Uint8Array | undefined>,
): readonly string[] {
  const data = asObject(get(raw, 'data'));
  return [...values].flatMap(([key, bytes]) => {
    const now = text(data, key);
    const isSame = now === undefined || bytes === undefined || Buffer.from(now, 'base64').equals(bytes);
    return isSame ? [] : [key];
  });
}
