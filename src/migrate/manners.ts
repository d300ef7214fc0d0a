/** The kinds that Secrets are handed from and to, by their manifests. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, get, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { apiVersionOf, groupOf } from '../kube/object.ts';
import type { Manner } from './manner.ts';
import { PUSH_MANNERS } from './push-manners.ts';
import { SYNC_MANNERS } from './sync-manners.ts';
import { VAULT_MANNER } from './vault-manner.ts';

const MANNERS: readonly Manner[] = [...SYNC_MANNERS, VAULT_MANNER, ...PUSH_MANNERS];

/** How the kind of this manifest is handled. Throws on a kind that Secrets are not handed to. */
export function mannerOf(manifest: unknown): Manner {
  const [kind, apiVersion] = [text(manifest, 'kind') ?? '', text(manifest, 'apiVersion') ?? ''];
  const found = MANNERS.find(
    ({ sync }) => sync.resource.kind === kind && sync.resource.group === groupOf(apiVersion),
  );
  if (found === undefined) throw new Error(`no Secret can be handed to a ${kind} of ${apiVersion}`);
  return found;
}

/** The kind of a manifest, in the version that it is written in. */
export function kindOfManifest(manifest: unknown): ResourceKind {
  const { olderVersions: _older, ...resource } = mannerOf(manifest).sync.resource;
  const apiVersion = text(manifest, 'apiVersion') ?? '';
  return { ...resource, version: apiVersion.slice(apiVersion.indexOf('/') + 1) };
}

/** A resource as it would be applied again: without its status and what the API server made. */
export function manifestOfObject({ kind, raw }: KubeObject): JsonObject {
  const { name, namespace, labels, annotations } = asObject(get(raw, 'metadata'));
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: get(raw, 'spec') ?? {},
  };
}
