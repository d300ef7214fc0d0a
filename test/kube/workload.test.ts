import * as models from '@kubernetes/client-node';
import { expect, it, test } from 'vitest';
import type { Json } from '../../src/kube/json.ts';
import { WORKLOADS, podOfTemplate, workloadKind } from '../../src/kube/workload.ts';

const TEMPLATE = { metadata: { labels: { app: 'dbt' } }, spec: { containers: [{ name: 'dbt' }] } };

test.each(WORKLOADS.map((kind) => [kind.kind, kind] as const))('the pod of a %s', (_name, kind) => {
  const workload = kind.template.reduceRight<Json>((inner, step) => ({ [step]: inner }), TEMPLATE);
  expect(podOfTemplate(kind, workload)).toEqual({ apiVersion: 'v1', kind: 'Pod', ...TEMPLATE });
  expect(workloadKind(kind.group, kind.kind)).toBe(kind);
});

it('knows every kind of Kubernetes that makes pods of a template', () => {
  const withTemplate = Object.entries(models)
    .filter(
      ([name, model]) =>
        /^V1[A-Z][A-Za-z]*Spec$/.test(name) && typeof model === 'function' && 'getAttributeTypeMap' in model,
    )
    .filter(([, model]) =>
      (model as unknown as typeof models.V1JobSpec)
        .getAttributeTypeMap()
        .some(({ type }) => type === 'V1PodTemplateSpec'),
    )
    .map(([name]) => /^V1(.*)Spec$/.exec(name)?.[1] ?? '');
  expect(withTemplate.length).toBeGreaterThanOrEqual(6);
  // A CronJob has it inside of its JobTemplate, a Rollout is no kind of Kubernetes.
  const known = WORKLOADS.map(({ kind }) => kind).filter((kind) => kind !== 'CronJob' && kind !== 'Rollout');
  expect(withTemplate.toSorted()).toEqual(known.toSorted());
});

it.each([undefined, null, {}, { spec: 'x' }, { spec: { template: { spec: [] } } }])(
  '%j has an empty pod',
  (workload) => {
    for (const kind of WORKLOADS) {
      const { metadata, spec } = podOfTemplate(kind, workload);
      expect([Object.keys(metadata ?? {}), Object.keys(spec ?? {})]).toEqual([[], []]);
    }
  },
);
