/**
 * The one complete visitor of a pod's Secret references: what the API server's own `VisitPodSecretNames`
 * (pkg/api/v1/pod/util.go) sees, in containers of every kind, with `optional` and the keys that must be there.
 */
import type { Json } from '../kube/json.ts';
import { asArray, flag, get, isObject, text } from '../kube/json.ts';
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
  const bySecret = new Map<string, Reference[]>();
  const groups: Group[] = [];
  for (const reference of references) {
    const { secret } = reference;
    const known = bySecret.get(secret);
    if (known !== undefined) {
      known.push(reference);
      continue;
    }
    const first = [reference];
    bySecret.set(secret, first);
    groups.push({ secret, references: first, injected: injected.includes(secret) });
  }
  return groups;
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
export function referencesOf(pod: unknown, containers = containersOf(pod)): readonly Reference[] {
  const found: Reference[] = [];
  for (const container of containers) addContainer(found, container);
  for (const volume of volumesOf(pod)) addVolume(found, volume);
  for (const reference of asArray(get(get(pod, 'spec'), 'imagePullSecrets'))) {
    add(found, { secret: text(reference, 'name'), use: IMAGE_PULL, tolerated: true });
  }
  return found;
}

export function referencesOfContainer(container: Container): readonly Reference[] {
  const found: Reference[] = [];
  addContainer(found, container);
  return found;
}

function addContainer(found: Reference[], container: Container): void {
  for (const source of asArray(get(container.raw, 'envFrom'))) {
    const reference = get(source, 'secretRef');
    if (!isObject(reference)) continue;
    const use = useIn(container, 'envFrom');
    add(found, { secret: text(reference, 'name'), use, optional: flag(reference, 'optional') });
  }
  for (const variable of asArray(get(container.raw, 'env'))) {
    const reference = get(get(variable, 'valueFrom'), 'secretKeyRef');
    if (!isObject(reference)) continue;
    const key = text(reference, 'key');
    const use = useIn(container, `env ${text(variable, 'name') ?? ''}`);
    const keys = key === undefined ? NO_KEYS : [key];
    add(found, { secret: text(reference, 'name'), use, optional: flag(reference, 'optional'), keys });
  }
}

export function useIn(container: Pick<ContainerPlace, 'type' | 'name'>, written: string): Use {
  const [name, field] = [brief(container.name), brief(written)];
  return { container: name, field, words: `${CONTAINER_WORDS[container.type]} '${name}' (${field})` };
}

/** Most names are short; what a stranger wrote is repeated for each of its references, and no longer than this. */
const LONGEST_NAME = 300;

function brief(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1).toWellFormed()}…` : name;
}

const IMAGE_PULL: Use = { field: 'imagePullSecrets', words: 'imagePullSecrets' };

const NO_KEYS: readonly string[] = Object.freeze([]);

function addVolume(found: Reference[], volume: Json): void {
  if (!isObject(volume)) return;
  const name = brief(text(volume, 'name') ?? '');
  const use: Use = { field: `volume ${name}`, words: `volume '${name}'` };
  addSource(found, get(volume, 'secret'), { nameKey: 'secretName', use });
  for (const source of asArray(get(get(volume, 'projected'), 'sources'))) {
    addSource(found, get(source, 'secret'), { nameKey: 'name', use });
  }
  add(found, { secret: text(get(volume, 'azureFile'), 'secretName'), use });
  for (const type of SECRET_REF_VOLUMES) {
    const source = get(volume, type);
    if (source !== undefined) add(found, { secret: text(get(source, 'secretRef'), 'name'), use });
  }
  add(found, { secret: text(get(get(volume, 'csi'), 'nodePublishSecretRef'), 'name'), use });
}

/** A Secret as files: all of its keys, or its `items`. */
function addSource(
  found: Reference[],
  source: Json | undefined,
  { nameKey, use }: { readonly nameKey: 'secretName' | 'name'; readonly use: Use },
): void {
  if (!isObject(source)) return;
  const keys = asArray(get(source, 'items')).map((item) => text(item, 'key'));
  add(found, {
    secret: text(source, nameKey),
    use,
    optional: flag(source, 'optional'),
    keys: keys.filter((key) => key !== undefined),
  });
}

interface Seen extends Partial<Omit<Reference, 'secret' | 'use'>> {
  /** The name, where one is written. */
  readonly secret: string | undefined;
  readonly use: Use;
}

function add(
  found: Reference[],
  { secret, use, keys = NO_KEYS, optional = false, tolerated = false }: Seen,
): void {
  if (secret === undefined || secret === '') return;
  found.push({ secret, keys: optional ? NO_KEYS : keys, optional, tolerated, use });
}
