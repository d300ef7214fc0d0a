/** What a judgement of Secrets stands on. */
import type { User } from '../kube/world.ts';
import type { Inquiry } from './inquiry.ts';
import type { Plan } from './plan.ts';
import type { Policy } from './policy.ts';
import type { Identity } from './tenancy.ts';

/** Everything but its references that a Secret is judged by. */
export interface Bench {
  readonly inquiry: Inquiry;
  readonly policy: Policy;
  readonly plan: Pick<Plan, 'chain'>;
  readonly identity: Identity;
  readonly user: User;
  /** Secrets that a CSI volume of the pod itself creates. */
  isSelfProvided(secret: string): boolean;
  /** For pod templates: a Secret that is absent may still be on its way. */
  readonly absentIsLater: boolean;
}
