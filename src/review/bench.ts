/** What a judgement of Secrets stands on, and the unit that it judges. */
import type { User } from '../kube/world.ts';
import type { Inquiry } from './inquiry.ts';
import type { Plan } from './plan.ts';
import type { Policy } from './policy.ts';
import type { Reference } from './references.ts';
import type { Identity } from './tenancy.ts';

/** Everything but the references that a Secret is judged by. */
export interface Bench {
  readonly inquiry: Inquiry;
  readonly policy: Policy;
  readonly plan: Pick<Plan, 'chain' | 'secrets'>;
  readonly identity: Identity;
  readonly user: User;
  /** imagePullSecrets that the API server itself adds from the ServiceAccount. */
  isAddedPullSecret(secret: string): boolean;
  /** Secrets that a CSI volume of the pod itself creates. */
  isSelfProvided(secret: string): boolean;
  /** For pod templates: a Secret that is absent may still be on its way. */
  readonly absentIsLater: boolean;
}

/** One Secret and every reference to it. */
export interface Group {
  readonly secret: string;
  readonly references: readonly Reference[];
  readonly injected: boolean;
}
