/** A plan's own references: those that an injection makes, and the keys that must be there. */
import { KEYS } from '../contract/keys.ts';
import type { Plan } from './plan.ts';
import type { Reference, Use } from './references.ts';
import { useIn } from './references.ts';

/** The references that the pod has once the plan is carried out. */
export function plannedReferences(plan: Plan): readonly Reference[] {
  const { containers, inject, env, volumes } = plan;
  return [
    ...inject.flatMap(({ secret, optional }) =>
      containers.map((container) => planned(secret, [], optional, useIn(container, 'envFrom'))),
    ),
    ...env.flatMap(({ secret, key, name, optional }) =>
      containers.map((container) => planned(secret, [key], optional, useIn(container, `env ${name}`))),
    ),
    ...volumes.flatMap(({ files, directory }) =>
      files.flatMap(({ secret, key, optional }) =>
        containers.map((container) =>
          planned(secret, key === undefined ? [] : [key], optional, useIn(container, `file ${directory}`)),
        ),
      ),
    ),
  ];
}

const REQUIRE_KEYS: Use = {
  field: `metadata.annotations[${KEYS.requireKeys}]`,
  words: `annotation ${KEYS.requireKeys}`,
};

export function requiredKeyReferences(plan: Plan): readonly Reference[] {
  return plan.requireKeys.map(({ secret, key }) => planned(secret, [key], false, REQUIRE_KEYS));
}

function planned(secret: string, keys: readonly string[], optional: boolean, use: Use): Reference {
  return { secret, keys: optional ? [] : keys, optional, tolerated: false, use };
}
