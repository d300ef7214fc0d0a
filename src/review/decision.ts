/** What a review answers: data that doors turn into bytes, tables and metrics. */
import type { Mode } from '../contract/keys.ts';
import type { Code, Severity, State } from '../contract/reasons.ts';
import type { Json } from '../kube/json.ts';
import type { Want } from '../kube/world.ts';

/** One thing that is wrong or worth saying. `message` is a whole sentence with the code in front. */
export interface Finding {
  readonly code: Code;
  readonly severity: Severity;
  readonly secret?: string;
  readonly key?: string;
  readonly container?: string;
  /** Where in the object: 'envFrom', 'metadata.annotations[secrets.floe.dev/inject]'. */
  readonly field?: string;
  /** 'FLOE-E801: Secret … . Used by container 'dbt' (envFrom). Suggestion: …' */
  readonly message: string;
  readonly suggestion?: string;
  /** The first sentence alone, for a warning line. */
  readonly summary: string;
}

/** An operation of RFC 6902; only these two are ever written. */
export interface PatchOperation {
  readonly op: 'add' | 'test';
  readonly path: string;
  readonly value: Json;
}

/** What became of one Secret of the pod; for audit lines, `explain` and metrics. */
export interface Verdict {
  readonly secret: string;
  /** Absent where the Secret was refused without a look at it. */
  readonly state?: State | undefined;
  readonly injected: boolean;
  readonly codes: readonly Code[];
  /** Whether this Secret alone would refuse the pod in `strict`. */
  readonly denied: boolean;
  readonly plugin: string;
  /** Kind/namespace/name of the sync resources that claim it. */
  readonly claimants: readonly string[];
  /** Milliseconds since the epoch of the last good sync, where one is known. */
  readonly lastSync?: number | undefined;
}

export interface Refusal {
  readonly code: 403 | 422 | 429;
  readonly reason: 'Forbidden' | 'Invalid' | 'TooManyRequests';
  /** At most 1,024 characters. */
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

export interface Decision {
  readonly allowed: boolean;
  /** Present exactly where `allowed` is false. */
  readonly refusal?: Refusal;
  /** undefined where nothing was judged: exempt, not opted in, a mirror pod. */
  readonly mode?: Mode;
  /** The plugin chain, as 'infisical,k8s'. */
  readonly plugin: string;
  /** Whether the pod asked to wait for Secrets that are still to come, by a gate. */
  readonly mayWait: boolean;
  readonly findings: readonly Finding[];
  /** For the AdmissionReview's `warnings`; within the API's limits. */
  readonly warnings: readonly string[];
  readonly patch: readonly PatchOperation[];
  /** Names of the Secrets that are injected, in order. */
  readonly injected: readonly string[];
  readonly verdicts: readonly Verdict[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
  /** What the judgement needed and nobody had read: read it and review again. Empty when final. */
  readonly wanted: readonly Want[];
  /**
   * The same object answers other requests at the same door, so that what is made of it may be kept. Such a decision
   * has neither findings nor wants.
   */
  readonly shared?: true;
}
