/** How a kind of sync resource is told to let go of a Secret, and how it is rehearsed on another. */
import type { JsonObject } from '../kube/json.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { SyncKind } from '../plugins/plugin.ts';

export interface Manner {
  readonly sync: Pick<SyncKind, 'resource' | 'targets' | 'health' | 'scope'>;
  /** What it wants to become of the Secret, in words that are equal where the wishes are. */
  ownership(raw: unknown): string;
  /** Whether the Secret stays when the resource goes: its operator neither owns nor deletes it. */
  isReleased(raw: unknown): boolean;
  /** The same resource, released. */
  released(raw: JsonObject): JsonObject;
  /** The same resource, so that its operator no longer writes the Secret at all; undefined where none can be told so. */
  readonly silenced?: (raw: JsonObject) => JsonObject;
  isSilent(raw: unknown): boolean;
  /** The same resource under a name, writing a Secret of that name, which goes with it; undefined of one that writes none. */
  readonly rehearsal?: (raw: JsonObject, name: string) => JsonObject;
  /** Whether the Secret carries its operator's mark. */
  marks(secret: SecretRecord): boolean;
  /** Whether its operator tells which spec it has read: then that is awaited before anybody relies on it. */
  readonly answers: boolean;
  /** What its operator leaves on a Secret, and nobody reads once the resource is gone. */
  readonly traces: { readonly labels: readonly Trace[]; readonly annotations: readonly Trace[] };
  /** Whether its operator never takes a Secret that has its traces, and no owner of this kind. */
  readonly shunsTraces?: true;
}

/** A key; one that anybody may use only with the value that the operator gives it. */
export type Trace = string | { readonly key: string; readonly value: string };
