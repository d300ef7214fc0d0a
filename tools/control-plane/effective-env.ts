import { notFound } from './pod-shape.ts';
import type { Container, EnvFrom, EnvVar, KeyReference, Pod, ReadSource, SourceKind } from './pod-shape.ts';

/** What keeps a container from being created; the kubelet reports it as CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  override readonly name = 'ContainerConfigError';
}

/**
 * The environment a container starts with, as the kubelet makes it (kubelet_pods.go,
 * makeEnvironmentVariables), without the image's own and without the variables of Services.
 */
export async function effectiveEnv(
  pod: Pod,
  container: Container,
  read: ReadSource,
): Promise<Record<string, string>> {
  const env = new Map<string, string>();
  // env overrides envFrom, wherever it stands.
  for (const source of container.envFrom ?? []) {
    for (const [key, value] of await bulk(source, read)) env.set(`${source.prefix ?? ''}${key}`, value);
  }
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, pod, { env, read });
    if (value !== undefined) env.set(variable.name, value);
  }
  return Object.fromEntries(env);
}

async function bulk(source: EnvFrom, read: ReadSource): Promise<ReadonlyMap<string, string>> {
  const kind: SourceKind = source.secretRef === undefined ? 'ConfigMap' : 'Secret';
  const reference = source.secretRef ?? source.configMapRef;
  if (reference === undefined) return new Map();
  const data = await read(kind, reference.name);
  if (data === undefined && reference.optional !== true) {
    throw new ContainerConfigError(notFound(kind, reference.name));
  }
  return data ?? new Map();
}

interface Sources {
  readonly env: ReadonlyMap<string, string>;
  readonly read: ReadSource;
}

async function valueOf(variable: EnvVar, pod: Pod, { env, read }: Sources): Promise<string | undefined> {
  if (variable.value !== undefined && variable.value !== '') return expand(variable.value, env);
  const from = variable.valueFrom;
  if (from?.secretKeyRef !== undefined) return oneKey('Secret', from.secretKeyRef, pod, read);
  if (from?.configMapKeyRef !== undefined) return oneKey('ConfigMap', from.configMapKeyRef, pod, read);
  if (from?.fieldRef !== undefined) return fieldValue(from.fieldRef.fieldPath, pod);
  return '';
}

/** undefined: the variable is not set at all, which is what an optional reference without its key means. */
async function oneKey(
  kind: SourceKind,
  { name, key, optional }: KeyReference,
  pod: Pod,
  read: ReadSource,
): Promise<string | undefined> {
  const data = await read(kind, name);
  const value = data?.get(key);
  if (value !== undefined || optional === true) return value;
  throw new ContainerConfigError(
    data === undefined
      ? notFound(kind, name)
      : `couldn't find key ${key} in ${kind} ${pod.metadata.namespace}/${name}`,
  );
}

/** `$(NAME)` is replaced where NAME is known and left alone where not; `$$` is a dollar sign. */
function expand(text: string, env: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (match, name: string | undefined) =>
    name === undefined ? '$' : (env.get(name) ?? match),
  );
}

function fieldValue(path: string, { metadata, spec, status }: Pod): string {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (key !== undefined) return (map === 'labels' ? metadata.labels : metadata.annotations)?.[key] ?? '';
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.podIP': status?.podIP,
    'status.hostIP': '127.0.0.1',
  };
  return fields[path] ?? '';
}
