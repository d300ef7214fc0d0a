/** One request before the reviewer, with the policy of its namespace. */
import type { KubeObject } from '../kube/object.ts';
import type { Inquiry } from './inquiry.ts';
import type { Planner } from './planner.ts';
import type { Policy } from './policy.ts';
import type { Request } from './request.ts';

export interface Case {
  readonly inquiry: Inquiry;
  readonly request: Request;
  readonly namespace: KubeObject;
  readonly policy: Policy;
  readonly planOf: Planner;
}
