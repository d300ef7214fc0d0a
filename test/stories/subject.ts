/** What is reviewed: pods, and workloads with a pod template, from their short forms. */
import { manifestOf } from './given.ts';
import { asShort, prefixed, prefixedLabels } from './manifest.ts';
import type { Manifest } from './manifest.ts';

const IMAGE = 'ghcr.io/floe/dbt:1';
const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController'];

/** A pod or a pod template of its short form: annotations, labels, names, and fields of the spec. */
export function podFrom(short: Readonly<Record<string, unknown>>): Manifest {
  const { annotations, labels, name, generateName, metadata, spec, ...fields } = short;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...asShort(metadata),
      ...(name === undefined ? {} : { name }),
      ...(generateName === undefined ? {} : { generateName }),
      ...(labels === undefined ? {} : { labels: prefixedLabels(labels) }),
      ...(Object.keys(asShort(annotations)).length === 0 ? {} : { annotations: prefixed(annotations) }),
    },
    spec: specOf({ ...asShort(spec), ...fields }),
  };
}

function specOf(fields: Readonly<Record<string, unknown>>): Manifest {
  const { containers, initContainers, ...rest } = fields;
  const withImage = (list: unknown): unknown =>
    Array.isArray(list) ? list.map((container) => ({ image: IMAGE, ...asShort(container) })) : undefined;
  return {
    ...(initContainers === undefined ? {} : { initContainers: withImage(initContainers) }),
    containers: withImage(containers) ?? [{ name: 'dbt', image: IMAGE }],
    ...rest,
  };
}

/** A workload's `template` may be a short form of a pod. */
export function manifestFrom(object: Readonly<Record<string, unknown>>, namespace: string): Manifest {
  const { template, ...rest } = object;
  const whole = WORKLOADS.some((kind) => kind in rest)
    ? workloadOf(rest, namespace)
    : manifestOf({ namespace, ...rest });
  if (template === undefined) return whole;
  const pod = podFrom({ labels: { app: 'dbt' }, ...asShort(template) });
  const filled = { metadata: pod['metadata'], spec: pod['spec'] };
  const spec = asShort(whole['spec']);
  if (whole['kind'] !== 'CronJob') return { ...whole, spec: { ...spec, template: filled } };
  const jobTemplate = asShort(spec['jobTemplate']);
  const job = { ...jobTemplate, spec: { ...asShort(jobTemplate['spec']), template: filled } };
  return { ...whole, spec: { ...spec, jobTemplate: job } };
}

/** `{Deployment: name, template}`: what the API server wants of every workload is filled in. */
function workloadOf(short: Readonly<Record<string, unknown>>, namespace: string): Manifest {
  const kind = WORKLOADS.find((name) => name in short) ?? '';
  const { [kind]: name, spec, ...metadata } = short;
  const core = kind === 'ReplicationController';
  const selector = core ? { app: 'dbt' } : { matchLabels: { app: 'dbt' } };
  const whole = manifestOf({
    apiVersion: core ? 'v1' : 'apps/v1',
    kind,
    metadata: { name, namespace, ...metadata },
  });
  const service = kind === 'StatefulSet' ? { serviceName: 'dbt' } : {};
  return { ...whole, spec: { selector, ...service, ...asShort(spec) } };
}

/** `changes` over `base`, deep; lists are replaced, null removes. */
export function merged(base: unknown, changes: unknown): unknown {
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) return changes;
  const result: Record<string, unknown> = { ...asShort(base) };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
