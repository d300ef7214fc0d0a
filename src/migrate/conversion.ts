/** What one secret of another system becomes: what is to be made, what is to be copied, and what stands against it. */
import type { JsonObject } from '../kube/json.ts';
import type { Metadata } from './eso-metadata.ts';

/** Where values are copied to: a folder of Infisical, or an entry of Vault. */
export interface Destination {
  /** Infisical: slug or id. Vault: the mount. */
  readonly project: string;
  /** Of Vault ''. */
  readonly environment: string;
  readonly path: string;
}

/** The stores that values are copied to. */
export const COPY_STORES = ['infisical', 'vault'] as const;
export type CopyStore = (typeof COPY_STORES)[number];

/** Something that cannot be converted, or not as it is asked for. */
export interface Obstacle {
  /** The field: 'spec.dataFrom[0].sourceRef.generatorRef'; '' for the whole. */
  readonly where: string;
  readonly why: string;
  /** What to do about it, where there is something. */
  readonly fix?: string;
}

/** The values of these keys of the Secret go upstream, under the same names. */
export interface Copy {
  readonly store: CopyStore;
  readonly place: Destination;
  readonly keys: readonly string[];
  /** Those of them that upstream can only keep as base64; the resource's template decodes them. */
  readonly encoded: readonly string[];
}

/** What is known of the Secret itself, without its values. */
export interface TargetSecret {
  readonly keys: readonly string[];
  /** Those whose values Infisical would not keep as they are. */
  readonly encoded: readonly string[];
  /** Those of them whose values are no text at all. */
  readonly binary: readonly string[];
  readonly type: string;
  readonly immutable: boolean;
  /** Those that are its own: no operator's marks, and no manifest that kubectl keeps. */
  readonly metadata: Metadata;
}

export interface Conversion {
  readonly namespace: string;
  /** The name of the Secret, which stays. */
  readonly secret: string;
  /** What it was: 'ExternalSecret'; 'Secret'; 'SOPS file'. */
  readonly kind: string;
  readonly name: string;
  /** For tables: where its values come from now: 'vault/team-vault'. */
  readonly source: string;
  /** The manifest of what syncs it now; undefined where nothing does. */
  readonly from?: JsonObject;
  /** The manifest of what will; undefined where none can be made. */
  readonly to?: JsonObject;
  readonly copy?: Copy;
  /** The manifest of what `to` reads by, where it is not there yet: a store. It stays on the way back. */
  readonly needs?: JsonObject;
  /** With any of these nothing is done. */
  readonly obstacles: readonly Obstacle[];
  /** What will be otherwise than before, in sentences. */
  readonly notes: readonly string[];
}

export function isConvertible({ obstacles, to }: Conversion): boolean {
  return obstacles.length === 0 && to !== undefined;
}
