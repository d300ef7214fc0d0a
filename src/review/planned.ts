/** What is injected, as references: those that an injection makes, and the keys that must be there. */
import type { EnvEntry, InjectEntry, KeyEntry } from '../contract/grammar.ts';
import { KEYS } from '../contract/keys.ts';
import type { ContainerPlace } from '../kube/pod.ts';
import type { Reference, Use } from './references.ts';
import { useIn } from './references.ts';
import type { VolumePlan } from './volume-plan.ts';

/** What goes into which containers. */
export interface Injection {
  readonly inject: readonly InjectEntry[];
  readonly env: readonly EnvEntry[];
  readonly volumes: readonly VolumePlan[];
  readonly requireKeys: readonly KeyEntry[];
  /** The containers that receive the entries. */
  readonly containers: readonly ContainerPlace[];
}

/** The references that the pod has once the injection is carried out. */
export function plannedReferences(injection: Injection): readonly Reference[] {
  const { containers, inject, env, volumes } = injection;
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

export function requiredKeyReferences(injection: Injection): readonly Reference[] {
  return injection.requireKeys.map(({ secret, key }) => planned(secret, [key], false, REQUIRE_KEYS));
}

function planned(secret: string, keys: readonly string[], optional: boolean, use: Use): Reference {
  return { secret, keys: optional ? [] : keys, optional, tolerated: false, use };
}
