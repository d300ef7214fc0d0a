/**
 * The one complete visitor of a pod's Secret references: what the API server's own `VisitPodSecretNames`
 * (pkg/api/v1/pod/util.go) sees, in containers of every kind, with `optional` and the keys that must be there.
 */
import type { Json } from '../kube/json.ts';
import { asArray, dig, flag, get, isObject, text } from '../kube/json.ts';
import type { Container, ContainerPlace } from '../kube/pod.ts';
import { containersOf, volumesOf } from '../kube/pod.ts';

/** Where a reference stands, for people. */
export interface Use {
  readonly container?: string;
  /** 'envFrom', 'env DB_PASSWORD', 'volume creds', 'imagePullSecrets'. */
  readonly field: string;
  /** "container 'dbt' (envFrom)". */
  readonly words: string;
}

export interface Reference {
  readonly secret: string;
  /** Keys that must be there, because the reference is not optional. */
  readonly keys: readonly string[];
  readonly optional: boolean;
  /** The kubelet starts the pod without it: every state but Synced is a warning. */
  readonly tolerated: boolean;
  readonly use: Use;
}

/** One Secret and every reference to it: the unit that is judged. */
export interface Group {
  readonly secret: string;
  readonly references: readonly Reference[];
  readonly injected: boolean;
}

/** The references by their Secret, in the order in which it is met first; `injected` names those of a plan. */
export function groupsOf(
  references: readonly Reference[],
  injected: readonly string[] = [],
): readonly Group[] {
  const names = new Set(injected);
  const bySecret = Map.groupBy(references, (reference) => reference.secret);
  return Array.from(bySecret, ([secret, uses]) => ({
    secret,
    references: uses,
    injected: names.has(secret),
  }));
}

/** Volume types whose Secret stands in `<type>.secretRef.name`. */
const SECRET_REF_VOLUMES = [
  'cephfs',
  'cinder',
  'flexVolume',
  'rbd',
  'scaleIO',
  'iscsi',
  'storageos',
] as const;

const CONTAINER_WORDS = { container: 'container', init: 'init container', ephemeral: 'ephemeral container' };

/** Every reference of the pod, in the order: containers, volumes, imagePullSecrets. */
export function referencesOf(pod: unknown): readonly Reference[] {
  return [
    ...containersOf(pod).flatMap(referencesOfContainer),
    ...volumesOf(pod).flatMap(referencesOfVolume),
    ...asArray(dig(pod, 'spec', 'imagePullSecrets')).flatMap((reference) =>
      named(text(reference, 'name'), { keys: [], optional: false, tolerated: true, use: IMAGE_PULL }),
    ),
  ];
}

export function referencesOfContainer(container: Container): readonly Reference[] {
  const found: Reference[] = [];
  for (const source of asArray(get(container.raw, 'envFrom'))) {
    const reference = get(source, 'secretRef');
    const rest = { keys: [], optional: flag(reference, 'optional'), tolerated: false };
    found.push(...named(text(reference, 'name'), { ...rest, use: useIn(container, 'envFrom') }));
  }
  for (const variable of asArray(get(container.raw, 'env'))) {
    const reference = dig(variable, 'valueFrom', 'secretKeyRef');
    if (!isObject(reference)) continue;
    const optional = flag(reference, 'optional');
    const key = text(reference, 'key');
    const keys = optional || key === undefined ? [] : [key];
    const use = useIn(container, `env ${text(variable, 'name') ?? ''}`);
    found.push(...named(text(reference, 'name'), { keys, optional, tolerated: false, use }));
  }
  return found;
}

export function useIn(container: Pick<ContainerPlace, 'type' | 'name'>, field: string): Use {
  const words = `${CONTAINER_WORDS[container.type]} '${container.name}' (${field})`;
  return { container: container.name, field, words };
}

const IMAGE_PULL: Use = { field: 'imagePullSecrets', words: 'imagePullSecrets' };

function referencesOfVolume(volume: Json): readonly Reference[] {
  const name = text(volume, 'name') ?? '';
  const use: Use = { field: `volume ${name}`, words: `volume '${name}'` };
  const required = { keys: [], optional: false, tolerated: false, use };
  const secret = get(volume, 'secret');
  return [
    ...named(text(secret, 'secretName'), fromItems(secret, use)),
    ...asArray(dig(volume, 'projected', 'sources')).flatMap((source) => {
      const projected = get(source, 'secret');
      return named(text(projected, 'name'), fromItems(projected, use));
    }),
    ...named(text(get(volume, 'azureFile'), 'secretName'), required),
    ...SECRET_REF_VOLUMES.flatMap((type) => named(text(dig(volume, type, 'secretRef'), 'name'), required)),
    ...named(text(dig(volume, 'csi', 'nodePublishSecretRef'), 'name'), required),
  ];
}

function fromItems(source: Json | undefined, use: Use): Omit<Reference, 'secret'> {
  const optional = flag(source, 'optional');
  const keys = asArray(get(source, 'items')).map((item) => text(item, 'key'));
  return { keys: optional ? [] : keys.filter((key) => key !== undefined), optional, tolerated: false, use };
}

function named(secret: string | undefined, rest: Omit<Reference, 'secret'>): readonly Reference[] {
  return secret === undefined || secret === '' ? [] : [{ secret, ...rest }];
}
