/** The webhooks' names, as the chart registers them and refusals quote them. */
import { PREFIX } from './keys.ts';

const DOMAIN = PREFIX.slice(0, -1);

export const WEBHOOKS = {
  /** For namespaces in `strict`: nothing passes unjudged once a replica was seen to be reachable. */
  mutate: `mutate.${DOMAIN}`,
  validate: `validate.${DOMAIN}`,
  /** For namespaces in `audit` and `warn`: where no replica answers, pods pass. */
  mutateLenient: `mutate-lenient.${DOMAIN}`,
  validateLenient: `validate-lenient.${DOMAIN}`,
  /** Pod templates, where their findings are only warnings. */
  workloads: `workloads.${DOMAIN}`,
  /** Asks whether the API server reaches a replica. */
  reachable: `reachable.${DOMAIN}`,
} as const;

/** The webhooks that become `failurePolicy: Fail`. */
export const STRICT_WEBHOOKS: readonly string[] = [WEBHOOKS.mutate, WEBHOOKS.validate];

/** On the object whose trial asks whether a replica is reached; its value is the installation's name. */
export const REACHABLE_LABEL = `${PREFIX}reachable`;
