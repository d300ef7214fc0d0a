/**
 * Whether a record can be believed. It is a ConfigMap that whoever may write those in its namespace may write, and it is
 * acted on by people who may do more: what it names must be what a migration of this Secret would have made.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asObject, dig, get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { namespaceOf } from '../kube/object.ts';
import { isDnsSubdomain } from '../kube/names.ts';
import { externalSecret } from '../plugins/external-secrets.ts';
import { upstreamPlaces } from '../plugins/upstream-places.ts';
import type { CopyMade } from './hand-over.ts';
import type { Manner } from './manner.ts';
import { kindOfManifest, mannerOf } from './manners.ts';

/** The parts of a record that somebody may have changed. */
export interface Claimed {
  readonly namespace: string;
  readonly secret: string;
  readonly from?: JsonObject;
  readonly to: JsonObject;
  readonly copy?: CopyMade;
}

/** What is wrong with it; undefined where it can be believed. */
export function mistakeIn({ namespace, secret, from, to, copy }: Claimed): string | undefined {
  for (const [field, manifest] of [
    ['from', from],
    ['to', to],
  ] as const) {
    const mistake = manifest === undefined ? undefined : mistakeInManifest(manifest, { namespace, secret });
    if (mistake !== undefined) return `'${field}' ${mistake}`;
  }
  if (copy !== undefined && !reads(to, copy)) return "'copy' is at another place than 'to' reads from";
  const own = `${namespace}/${secret}`;
  return isElsewhereInVault(to, copy, own) ? "'to' reads what is of another Secret" : undefined;
}

const METADATA = ['name', 'namespace', 'labels', 'annotations'];

function mistakeInManifest(
  manifest: JsonObject,
  { namespace, secret }: Pick<Claimed, 'namespace' | 'secret'>,
): string | undefined {
  const manner = knownManner(manifest);
  if (manner === undefined) return 'is of a kind that no migration makes';
  const metadata = asObject(get(manifest, 'metadata'));
  if (namespaceOf(manifest) !== namespace) return 'is of another namespace';
  if (!isDnsSubdomain(text(metadata, 'name') ?? '')) return 'has no valid name';
  if (Object.keys(metadata).some((key) => !METADATA.includes(key)))
    return 'has more metadata than a manifest';
  const targets = manner.sync.targets(objectOf(manifest));
  const isOther = targets.some((one) => one.namespace !== namespace || one.name !== secret);
  if (isOther || targets.length === 0 || writesConfigMaps(manifest))
    return 'writes something else than the Secret';
  return undefined;
}

function knownManner(manifest: JsonObject): Manner | undefined {
  try {
    return mannerOf(manifest);
  } catch {
    return undefined;
  }
}

function objectOf(manifest: JsonObject): KubeObject {
  return { kind: kindOfManifest(manifest), raw: manifest };
}

function writesConfigMaps(manifest: JsonObject): boolean {
  const spec = get(manifest, 'spec');
  const kinds = asArray(get(spec, 'targets')).map((one: Json) => text(one, 'kind'));
  return (
    asArray(get(spec, 'managedKubeConfigMapReferences')).length > 0 ||
    kinds.some((kind) => kind === 'ConfigMap') ||
    dig(spec, 'target', 'manifest') !== undefined
  );
}

/** Keys are taken away again at the place of the copy. */
function reads(to: JsonObject, { store, place }: CopyMade): boolean {
  if (text(to, 'kind') === externalSecret.resource.kind) return store === 'vault' && isEntryOf(to, place);
  return upstreamPlaces(objectOf(to)).some(
    ({ plugin, project, environment, path }) =>
      plugin === store &&
      project === place.project &&
      environment === place.environment &&
      path === place.path,
  );
}

/** Which mount an ExternalSecret reads, its store says alone. */
function isEntryOf(to: JsonObject, { project, path }: CopyMade['place']): boolean {
  const keys = asArray(dig(to, 'spec', 'data')).map((one) => text(get(one, 'remoteRef'), 'key'));
  const isWhole = asArray(dig(to, 'spec', 'dataFrom')).length === 0;
  return isWhole && keys.length > 0 && keys.every((key) => key === path || key === `${project}/${path}`);
}

/** A namespace's own credentials of Vault may read a whole mount: an entry is of a namespace and a Secret by its path. */
function isElsewhereInVault(to: JsonObject, copy: CopyMade | undefined, own: string): boolean {
  const read = upstreamPlaces(objectOf(to)).filter(({ plugin }) => plugin === 'vault');
  const paths = [...read.map(({ path }) => path), ...(copy?.store === 'vault' ? [copy.place.path] : [])];
  return paths.some((path) => path !== own && !path.endsWith(`/${own}`));
}
