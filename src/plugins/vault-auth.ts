/** VaultAuth and VaultConnection: how the operator logs in, in which of Vault's namespaces, and why that fails. */
import { asObject, dig, get, isObject, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { namespaceOf } from '../kube/object.ts';
import type { Read, ReadFailure } from '../kube/world.ts';
import type { Scope, View } from './plugin.ts';
import { texts } from './spec.ts';

export const GROUP = 'secrets.hashicorp.com';

export const VAULT_AUTH: ResourceKind = {
  group: GROUP,
  version: 'v1beta1',
  kind: 'VaultAuth',
  plural: 'vaultauths',
  namespaced: true,
};
export const VAULT_AUTH_GLOBAL: ResourceKind = {
  ...VAULT_AUTH,
  kind: 'VaultAuthGlobal',
  plural: 'vaultauthglobals',
};
export const CONNECTION: ResourceKind = {
  ...VAULT_AUTH,
  kind: 'VaultConnection',
  plural: 'vaultconnections',
};

interface Place {
  readonly namespace: string;
  readonly name: string;
}

/** `vaultAuthRef` is a name, or `namespace/name`; without one the operator takes its own default, which is not known. */
function authOf({ raw }: KubeObject): Place | undefined {
  return placeOf(text(get(raw, 'spec'), 'vaultAuthRef'), namespaceOf(raw));
}

/** Of a reference as it is written in the namespace. */
export function placeOf(reference: string | undefined, here: string): Place | undefined {
  if (reference === undefined || reference === '') return undefined;
  const slash = reference.indexOf('/');
  if (slash === -1) return { namespace: here, name: reference };
  return { namespace: reference.slice(0, slash), name: reference.slice(slash + 1) };
}

export function authNamespaceOf(object: KubeObject): readonly string[] {
  return texts([authOf(object)?.namespace]);
}

/** The connection's word, where it has a bad one; else the login's. */
export function causeOfAuth(object: KubeObject, view: View): string | undefined {
  const place = authOf(object);
  if (place === undefined) return undefined;
  const auth = view.find(VAULT_AUTH, place.namespace, place.name);
  const cause = complaintOf(auth, `VaultAuth '${place.name}'`);
  if (auth.state !== 'present') return cause;
  const behind = placeOf(text(get(auth.value.raw, 'spec'), 'vaultConnectionRef'), place.namespace);
  if (behind === undefined) return cause;
  const connection = view.find(CONNECTION, behind.namespace, behind.name);
  return complaintOf(connection, `VaultConnection '${behind.name}'`) ?? cause;
}

/** Both report `status.valid`, and VaultAuth why not. */
function complaintOf(read: Read<KubeObject>, title: string): string | undefined {
  if (read.state === 'absent') return `its ${title} does not exist`;
  if (read.state !== 'present') return undefined;
  const status = get(read.value.raw, 'status');
  if (get(status, 'valid') !== false) return undefined;
  const error = text(status, 'error') ?? '';
  return `its ${title} reports status.valid=false${error === '' ? '' : ` (${error})`}`;
}

/**
 * The mount is the project; in one of Vault's namespaces (the resource's own, else its VaultAuth's) it is
 * `namespace/mount`: mounts of one name in two namespaces have nothing to do with each other.
 */
export function scopeOfMount(object: KubeObject, view: View, path: 'path' | 'role'): Scope {
  const spec = get(object.raw, 'spec');
  const mount = trimmed(text(spec, 'mount'));
  const namespace = vaultNamespaceOf(object, view);
  const unread: Scope = { projects: [], environments: [], paths: texts([get(spec, path)]) };
  if (mount === '' || namespace === undefined) return unread;
  if (typeof namespace !== 'string') return { ...unread, projectsHiddenBy: namespace };
  const project = namespace === '' ? mount : `${namespace}/${mount}`;
  return climbs(`${project}/${text(spec, path) ?? ''}`) ? unread : { ...unread, projects: [project] };
}

/** Vault's client resolves `..`, so that a path may lead out of the mount that it is written below. */
function climbs(path: string): boolean {
  return path.split('/').includes('..');
}

/** '' where there is none; undefined where what would tell does not; the failure where it may not be seen. */
type VaultNamespace = string | ReadFailure | undefined;

function vaultNamespaceOf(object: KubeObject, view: View): VaultNamespace {
  const own = trimmed(text(get(object.raw, 'spec'), 'namespace'));
  const place = authOf(object);
  if (own !== '' || place === undefined) return own;
  const auth = view.find(VAULT_AUTH, place.namespace, place.name);
  if (auth.state === 'failed') return auth.failure;
  if (auth.state !== 'present') return '';
  const named = trimmed(text(get(auth.value.raw, 'spec'), 'namespace'));
  return named === '' ? namespaceOfGlobal(auth.value, view) : named;
}

/** A VaultAuth takes what it lacks of its VaultAuthGlobal, which may have a namespace of its own for each method. */
function namespaceOfGlobal(auth: KubeObject, view: View): VaultNamespace {
  const reference = dig(auth.raw, 'spec', 'vaultAuthGlobalRef');
  if (!isObject(reference)) return '';
  const place = text(reference, 'namespace') ?? namespaceOf(auth.raw);
  // Without a name the operator looks for a default one in several places.
  const found = view.find(VAULT_AUTH_GLOBAL, place, text(reference, 'name') ?? '');
  if (found.state === 'failed') return found.failure;
  if (found.state !== 'present') return undefined;
  const spec = asObject(get(found.value.raw, 'spec'));
  const namespaces = [
    get(spec, 'defaultVaultNamespace'),
    ...METHODS.map((one) => dig(spec, one, 'namespace')),
  ];
  const [namespace = '', ...others] = texts(namespaces);
  return others.length === 0 ? trimmed(namespace) : undefined;
}

const METHODS = ['kubernetes', 'jwt', 'appRole', 'aws', 'gcp'] as const;

/** Vault takes a path with or without slashes around it. */
function trimmed(path: string | undefined): string {
  return (path ?? '')
    .split('/')
    .filter((part) => part !== '')
    .join('/');
}
