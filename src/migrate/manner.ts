/**
 * The sync resources that a Secret can be handed from and to: how each is told to let go of one, and how it is
 * rehearsed on another. As External Secrets (v0.9 to v2) and Infisical's operator (v0.8 to v0.11) behave.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asObject, dig, get, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { groupOf, labelsOf } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import { externalSecret, externalSecrets } from '../plugins/external-secrets.ts';
import { infisicalStaticSecret } from '../plugins/infisical-static-secret.ts';
import { infisical, infisicalSecret } from '../plugins/infisical.ts';
import type { SyncKind } from '../plugins/plugin.ts';
import { MIGRATION } from './names.ts';

export interface Manner {
  readonly sync: SyncKind;
  /** What it wants to become of the Secret, in words that are equal where the wishes are. */
  ownership(raw: unknown): string;
  /** Whether the Secret stays when the resource goes: its operator neither owns nor deletes it. */
  isReleased(raw: unknown): boolean;
  /** The same resource, released. */
  released(raw: JsonObject): JsonObject;
  /** The same resource, so that its operator no longer writes the Secret at all; undefined where none can be told so. */
  readonly silenced?: (raw: JsonObject) => JsonObject;
  isSilent(raw: unknown): boolean;
  /** The same resource under a name, writing a Secret of that name, which goes with it. */
  rehearsal(raw: JsonObject, name: string): JsonObject;
  /** Whether the Secret carries its operator's mark. */
  marks(secret: SecretRecord): boolean;
  /** Whether its operator takes its ownerReference away once the resource is released. */
  readonly dropsOwner: boolean;
  /** What its operator leaves on a Secret, and nobody reads once the resource is gone. */
  readonly traces: { readonly labels: readonly string[]; readonly annotations: readonly string[] };
}

const ESO = 'reconcile.external-secrets.io/';
const INFISICAL = 'secrets.infisical.com/';

const EXTERNAL_SECRET: Manner = {
  sync: externalSecret,
  marks: externalSecrets.marks,
  ownership: (raw) => {
    const target = dig(raw, 'spec', 'target');
    return `${text(target, 'creationPolicy') ?? 'Owner'} ${text(target, 'deletionPolicy') ?? 'Retain'}`;
  },
  isReleased: (raw) => {
    const target = dig(raw, 'spec', 'target');
    const owns = ['Owner', undefined].includes(text(target, 'creationPolicy'));
    return !owns && text(target, 'deletionPolicy') !== 'Delete';
  },
  released: (raw) => withTarget(raw, { creationPolicy: 'Orphan', deletionPolicy: 'Retain' }),
  silenced: (raw) => withTarget(raw, { creationPolicy: 'None', deletionPolicy: 'Retain' }),
  isSilent: (raw) => text(dig(raw, 'spec', 'target'), 'creationPolicy') === 'None',
  rehearsal: (raw, name) =>
    rehearsed(withTarget(raw, { name, creationPolicy: 'Owner', deletionPolicy: 'Retain' }), name),
  dropsOwner: true,
  traces: { labels: [`${ESO}managed`, `${ESO}created-by`], annotations: [`${ESO}data-hash`] },
};

const INFISICAL_TRACES = {
  labels: [],
  annotations: ['version', 'managed-labels', 'managed-annotations'].map((name) => INFISICAL + name),
};

const INFISICAL_SECRET: Manner = {
  sync: infisicalSecret,
  marks: infisical.marks,
  ownership: (raw) => policiesOf(dig(raw, 'spec', 'managedKubeSecretReferences')),
  isReleased: (raw) =>
    asArray(dig(raw, 'spec', 'managedKubeSecretReferences')).every(
      (one) => text(one, 'creationPolicy') !== 'Owner',
    ),
  isSilent: () => false,
  released: (raw) => withReferences(raw, (one) => ({ ...one, creationPolicy: 'Orphan' })),
  rehearsal: (raw, name) =>
    rehearsed(
      withReferences(raw, (one) => ({ ...one, secretName: name, creationPolicy: 'Owner' })),
      name,
    ),
  dropsOwner: false,
  traces: INFISICAL_TRACES,
};

const INFISICAL_STATIC_SECRET: Manner = {
  sync: infisicalStaticSecret,
  marks: infisical.marks,
  ownership: (raw) => policiesOf(dig(raw, 'spec', 'targets')),
  isReleased: (raw) =>
    asArray(dig(raw, 'spec', 'targets')).every((one) => text(one, 'creationPolicy') !== 'Owner'),
  isSilent: () => false,
  released: (raw) => withTargets(raw, (one) => ({ ...one, creationPolicy: 'Orphan' })),
  rehearsal: (raw, name) =>
    rehearsed(
      withTargets(raw, (one) => ({ ...one, name, creationPolicy: 'Owner' })),
      name,
    ),
  dropsOwner: false,
  traces: INFISICAL_TRACES,
};

function policiesOf(list: Json | undefined): string {
  return asArray(list)
    .map((one) => text(one, 'creationPolicy') ?? 'Orphan')
    .join(' ');
}

const MANNERS: readonly Manner[] = [EXTERNAL_SECRET, INFISICAL_SECRET, INFISICAL_STATIC_SECRET];

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
    apiVersion: `${kind.group}/${kind.version}`,
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

function withSpec(raw: JsonObject, change: JsonObject): JsonObject {
  return { ...raw, spec: { ...asObject(get(raw, 'spec')), ...change } };
}

function withTarget(raw: JsonObject, change: JsonObject): JsonObject {
  return withSpec(raw, { target: { ...asObject(dig(raw, 'spec', 'target')), ...change } });
}

type Change = (one: JsonObject) => JsonObject;

function withReferences(raw: JsonObject, change: Change): JsonObject {
  return withSpec(raw, {
    managedKubeSecretReferences: changed(dig(raw, 'spec', 'managedKubeSecretReferences'), change),
  });
}

function withTargets(raw: JsonObject, change: Change): JsonObject {
  return withSpec(raw, { targets: changed(dig(raw, 'spec', 'targets'), change) });
}

function changed(list: Json | undefined, change: Change): Json {
  return asArray(list).map((one) => change(asObject(one)));
}

/** No annotation of the original comes with it: what they ask for is asked once. */
function rehearsed(raw: JsonObject, name: string): JsonObject {
  const namespace = text(get(raw, 'metadata'), 'namespace') ?? '';
  const labels = { ...labelsOf(raw), [MIGRATION]: 'rehearsal' };
  return { ...raw, metadata: { name, namespace, labels } };
}
