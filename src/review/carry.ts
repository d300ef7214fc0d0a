/**
 * What a pod carries already of what was asked, and what is still missing. What is there is never changed: a
 * name or a path that something else took counts as carried, and is worth a warning.
 */
import type { EnvEntry, InjectEntry } from '../contract/grammar.ts';
import { derived } from '../kube/derived.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, dig, get, text } from '../kube/json.ts';
import type { Container } from '../kube/pod.ts';
import { containerAt, volumesOf } from '../kube/pod.ts';
import type { Draft } from './findings.ts';
import { draft } from './findings.ts';
import type { Injection } from './planned.ts';
import { useIn } from './references.ts';
import type { VolumePlan } from './volume-plan.ts';

/** What one container lacks. */
export interface ContainerGap {
  readonly container: Container;
  /** The plan's own lists where it carries nothing of them. */
  readonly envFrom: readonly InjectEntry[];
  readonly env: readonly EnvEntry[];
  readonly mounts: readonly VolumePlan[];
}

export interface Gaps {
  readonly containers: readonly ContainerGap[];
  readonly volumes: readonly VolumePlan[];
  /** E813 for every name and path that something else took. */
  readonly taken: readonly Draft[];
}

export function gapsOf(pod: unknown, plan: Injection): Gaps {
  const taken: Draft[] = [];
  const named = plan.volumes.length === 0 ? NO_VOLUMES : namedVolumes(pod);
  const volumes = missingVolumes(named, plan.volumes, taken);
  const mountable = plan.volumes.filter((volume) => !isTaken(named, volume));
  const containers = plan.containers.map((place) => {
    const container = containerAt(pod, place);
    return {
      container,
      envFrom: missingEnvFrom(container, plan.inject),
      env: missingEnv(container, plan.env, taken),
      mounts: missingMounts(container, mountable, taken),
    };
  });
  return { containers, volumes, taken };
}

export function isWhole(gap: ContainerGap): boolean {
  return gap.envFrom.length === 0 && gap.env.length === 0 && gap.mounts.length === 0;
}

/** As the pod gets them. Made once for each list of entries, so that the pods of one plan get the same objects. */
export const envFromsOf = derived((entries: readonly InjectEntry[]) => entries.map(envFromOf));
export const envsOf = derived((entries: readonly EnvEntry[]) => entries.map(envOf));
export const volumesFor = derived((volumes: readonly VolumePlan[]) => volumes.map(volumeOf));
export const mountsOf = derived((volumes: readonly VolumePlan[]) => volumes.map(mountOf));

/** The `envFrom` entry of an `inject` entry: floe's own form, with prefix and optional only where asked. */
function envFromOf(entry: InjectEntry): JsonObject {
  const optional = entry.optional ? { optional: true } : {};
  const secretRef = { name: entry.secret, ...optional };
  return entry.prefix === '' ? { secretRef } : { prefix: entry.prefix, secretRef };
}

function envOf(entry: EnvEntry): JsonObject {
  const optional = entry.optional ? { optional: true } : {};
  return {
    name: entry.name,
    valueFrom: { secretKeyRef: { name: entry.secret, key: entry.key, ...optional } },
  };
}

function volumeOf(volume: VolumePlan): JsonObject {
  const sources = volume.files.map(({ secret, key, optional }) => ({
    secret: {
      name: secret,
      ...(key === undefined ? {} : { items: [{ key, path: key }] }),
      ...(optional ? { optional: true } : {}),
    },
  }));
  const mode = volume.defaultMode === undefined ? {} : { defaultMode: volume.defaultMode };
  return { name: volume.name, projected: { ...mode, sources } };
}

function mountOf(volume: VolumePlan): JsonObject {
  return { name: volume.name, mountPath: volume.directory, readOnly: true };
}

function missingEnvFrom(container: Container, wanted: readonly InjectEntry[]): readonly InjectEntry[] {
  const there = asArray(get(container.raw, 'envFrom'));
  if (wanted.length === 0 || there.length === 0) return wanted;
  const carried = new Set(
    there.map((one) => `${text(one, 'prefix') ?? ''}=${text(get(one, 'secretRef'), 'name') ?? ''}`),
  );
  return wanted.filter(({ secret, prefix }) => !carried.has(`${prefix}=${secret}`));
}

function missingEnv(container: Container, wanted: readonly EnvEntry[], taken: Draft[]): readonly EnvEntry[] {
  if (wanted.length === 0) return wanted;
  const there = new Map(asArray(get(container.raw, 'env')).map((one) => [text(one, 'name'), one]));
  return wanted.filter((entry) => {
    const existing = there.get(entry.name);
    if (existing === undefined) return true;
    const reference = dig(existing, 'valueFrom', 'secretKeyRef');
    if (text(reference, 'name') !== entry.secret || text(reference, 'key') !== entry.key) {
      taken.push(
        takenIn(container, `env ${entry.name}`, entry.secret, `variable ${entry.name} is already set`),
      );
    }
    return false;
  });
}

function missingMounts(
  container: Container,
  wanted: readonly VolumePlan[],
  taken: Draft[],
): readonly VolumePlan[] {
  const there = asArray(get(container.raw, 'volumeMounts'));
  if (wanted.length === 0 || there.length === 0) return wanted;
  const mounts = firstOf(there, (one) => plainPath(text(one, 'mountPath') ?? ''));
  return wanted.filter((volume) => {
    const mount = mounts.get(volume.directory);
    if (mount === undefined) return true;
    if (text(mount, 'name') !== volume.name) {
      const field = `volumeMounts ${volume.directory}`;
      taken.push(
        takenIn(container, field, volume.files[0]?.secret, `path ${volume.directory} is already mounted`),
      );
    }
    return false;
  });
}

function missingVolumes(
  named: NamedVolumes,
  wanted: readonly VolumePlan[],
  taken: Draft[],
): readonly VolumePlan[] {
  return wanted.filter((volume) => {
    if (isTaken(named, volume)) {
      taken.push(
        draft('FLOE-E813', `volume '${volume.name}' is already there with other contents and is kept`, {
          field: `volume ${volume.name}`,
          suggestion: 'rename that volume',
        }),
      );
    }
    return !named.has(volume.name);
  });
}

/** Whether a volume of this name is there that is not ours. Modes are not compared: the API server defaults them. */
function isTaken(named: NamedVolumes, volume: VolumePlan): boolean {
  const existing = named.get(volume.name);
  if (existing === undefined) return false;
  const sources = asArray(dig(existing, 'projected', 'sources'));
  return !(
    sources.length === volume.files.length &&
    volume.files.every(({ secret, key }, index) => {
      const source = get(sources[index], 'secret');
      const items = asArray(get(source, 'items')).map((item) => text(item, 'key'));
      return (
        text(source, 'name') === secret && items.length === (key === undefined ? 0 : 1) && items[0] === key
      );
    })
  );
}

type NamedVolumes = ReadonlyMap<string, Json>;

const NO_VOLUMES: NamedVolumes = new Map();

function namedVolumes(pod: unknown): NamedVolumes {
  return firstOf(volumesOf(pod), (one) => text(one, 'name') ?? '');
}

/** The items by their key; of equal ones the first. A pod may have very many of them. */
function firstOf(items: readonly Json[], key: (item: Json) => string): ReadonlyMap<string, Json> {
  const first = new Map<string, Json>();
  for (const item of items) if (!first.has(key(item))) first.set(key(item), item);
  return first;
}

function takenIn(container: Container, field: string, secret: string | undefined, what: string): Draft {
  return draft('FLOE-E813', `${what} in the pod and is kept`, {
    uses: [useIn(container, field)],
    ...(secret === undefined ? {} : { secret }),
    suggestion: 'rename one of the two',
  });
}

function plainPath(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
