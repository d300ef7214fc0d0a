/**
 * What controllers keep of pods and workloads: who they are, who owns them, which Secrets they name and what
 * this project and other reloaders wrote on them. Never an environment's value, never a Secret's.
 */
import type { OwnerReference } from './object.ts';
import type { WorkloadKind } from './workload.ts';

/** How a Secret is named: the kubelet reads it once for `env` and `envFrom`, and again and again for volumes. */
export type UseForm = 'env' | 'envFrom' | 'volume' | 'projected' | 'imagePullSecrets';

export interface SecretUse {
  readonly secret: string;
  readonly form: UseForm;
  /** Named by an init container: not every reloader looks there. */
  readonly init: boolean;
}

interface Running {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Its controller. */
  readonly owner?: OwnerReference;
  /** Those of this project, and of others that restart workloads. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly createdAt?: number;
  readonly terminating: boolean;
}

export interface PodRecord extends Running {
  readonly serviceAccountName: string;
  /** Each Secret and form once; what is injected is among them. */
  readonly uses: readonly SecretUse[];
  /** Names of its scheduling gates. */
  readonly gates: readonly string[];
  /** Empty where it is not scheduled yet. */
  readonly nodeName: string;
  /** `Pending`, `Running`, `Succeeded`, `Failed`. */
  readonly phase: string;
  /** Whether any of its containers ever ran. */
  readonly started: boolean;
  /** When the first of them began, by its node's clock. */
  readonly startedAt?: number;
  readonly ready: boolean;
}

export interface WorkloadRecord extends Running {
  readonly kind: WorkloadKind;
  readonly generation: number;
  /** Whether the whole object was read: of ReplicaSets, Jobs and CronJobs only the metadata is. */
  readonly whole: boolean;
  readonly paused: boolean;
  readonly templateAnnotations: Readonly<Record<string, string>>;
  readonly templateLabels: Readonly<Record<string, string>>;
  /** What the template itself names; without what would be injected. */
  readonly templateUses: readonly SecretUse[];
  readonly replicas?: number;
  /** The revision that new pods get, where the kind's status tells one. */
  readonly updateRevision?: string;
  /** When this project last restarted it, by the API server's clock. */
  readonly reloadedAt?: number;
}

/** A pod that is over uses nothing any more. */
export function isOver({ phase }: Pick<PodRecord, 'phase'>): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
