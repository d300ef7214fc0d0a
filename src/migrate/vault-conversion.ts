/**
 * The way out to Vault Secrets Operator: what a Secret of Infisical holds now goes to an entry of Vault's KV, and a
 * VaultStaticSecret takes the Secret over. Whatever Infisical's operator makes it of, its values are copied as they are.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import { OWNER_LABELS, REFRESH, vaultStaticSecretFor } from '../plugins/vault-manifest.ts';
import type { Conversion, Obstacle, TargetSecret } from './conversion.ts';
import type { Metadata } from './eso-metadata.ts';
import { ownMetadata } from './eso-metadata.ts';
import type { VaultPlace } from './vault-copy.ts';
import { copyNotes, copyToVault } from './vault-copy.ts';
import type { Leaving } from './way-out.ts';
import { departureOf, farewell } from './way-out.ts';

/** Where values go, and how the operator reads them. */
export interface VaultWish extends VaultPlace {
  /** The VaultAuth; undefined: the operator's default. */
  readonly auth?: { readonly namespace: string; readonly name: string };
}

export interface WayToVault extends Leaving {
  readonly wish: VaultWish;
  /** The VaultAuth that it logs in by. */
  readonly login: Read<KubeObject>;
}

export function convertToVault(request: WayToVault): Conversion {
  const { object, reading, target, wish } = request;
  const { base, obstacles: refusals } = departureOf(request);
  const obstacles = [...refusals, ...loginObstacles(request), ...relicOf(request)];
  if (obstacles.length > 0 || target === undefined) return { ...base, obstacles };
  const namespace = namespaceOf(object.raw);
  const copy = copyToVault(wish, base, target);
  const to = vaultStaticSecretFor({
    namespace,
    name: nameOf(object.raw),
    metadata: ownMetadata(object.raw),
    ...(wish.auth === undefined ? {} : { auth: referenceTo(wish.auth, namespace) }),
    vaultNamespace: wish.vaultNamespace,
    mount: wish.mount,
    type: wish.type,
    path: copy.place.path,
    secret: { name: reading.secret, type: target.type, ...withoutOwnerLabels(target.metadata) },
    encoded: copy.encoded,
  });
  return { ...base, to, copy, obstacles: [], notes: [...base.notes, ...notesOn(request, target)] };
}

function referenceTo(auth: NonNullable<VaultWish['auth']>, home: string): string {
  return auth.namespace === home ? auth.name : `${auth.namespace}/${auth.name}`;
}

function loginObstacles({ object, wish, login }: WayToVault): readonly Obstacle[] {
  const title = titleOf(wish);
  const obstacle = (why: string, fix: string): readonly Obstacle[] => [{ where: '', why, fix }];
  if (login.state === 'absent') {
    return wish.auth === undefined
      ? obstacle('the operator has no VaultAuth that is its default', 'give --vault-auth [namespace/]name')
      : obstacle(`${title} is not there`, 'make it, or name another by --vault-auth [namespace/]name');
  }
  if (login.state !== 'present') return [];
  const { raw } = login.value;
  const home = namespaceOf(object.raw);
  const spec = get(raw, 'spec');
  const foreign = text(spec, 'namespace') ?? '';
  return [
    ...(isAllowed(raw, home)
      ? []
      : obstacle(`${title} does not let namespace '${home}' use it`, 'add it to its spec.allowedNamespaces')),
    ...(foreign === '' || wish.vaultNamespace !== ''
      ? []
      : obstacle(`${title} reads Vault's namespace '${foreign}'`, 'set upstream.vault.namespace')),
  ];
}

function titleOf({ auth }: VaultWish): string {
  return auth === undefined ? 'the default VaultAuth' : `VaultAuth '${auth.namespace}/${auth.name}'`;
}

/** As the operator has it: without a list its own namespace alone. */
function isAllowed(auth: JsonObject, home: string): boolean {
  const allowed = asArray(get(get(auth, 'spec'), 'allowedNamespaces'));
  const isAll = allowed.length === 1 && allowed[0] === '*';
  return namespaceOf(auth) === home || isAll || allowed.some((one: Json) => one === home);
}

/** One with all three is taken for another resource's, for ever. */
function relicOf({ object, reading: { secret }, target }: WayToVault): readonly Obstacle[] {
  const labels = target?.metadata.labels;
  const isRelic = Object.entries(OWNER_LABELS).every(([key, value]) => text(labels, key) === value);
  if (!isRelic) return [];
  const place = namespaceOf(object.raw);
  const fix = `kubectl label secret ${secret} -n ${place} app.kubernetes.io/managed-by-`;
  const why = 'its Secret has the labels of Vault Secrets Operator already, which would leave it to another';
  return [{ where: '', why, fix }];
}

function withoutOwnerLabels({ labels, ...metadata }: Metadata): Metadata {
  if (labels === undefined) return metadata;
  const kept = Object.entries(labels).filter(([key]) => !Object.hasOwn(OWNER_LABELS, key));
  return kept.length === 0 ? metadata : { ...metadata, labels: Object.fromEntries(kept) };
}

function notesOn(request: WayToVault, target: TargetSecret): readonly string[] {
  const { reading, wish, login, object } = request;
  const lost = Object.keys(OWNER_LABELS).filter((key) => text(target.metadata.labels, key) !== undefined);
  const unseen = login.state === 'failed' || login.state === 'unread';
  return [
    ...copyNotes(wish, target),
    ...(unseen ? [`whether ${titleOf(wish)} is there could not be seen`] : []),
    ...(lost.length === 0 ? [] : [`the operator's own labels take the place of ${lost.join(', ')}`]),
    ...(reading.owns
      ? []
      : [`the Secret goes with VaultStaticSecret '${nameOf(object.raw)}' from then on, if that is deleted`]),
    ...farewell(request, REFRESH),
  ];
}
