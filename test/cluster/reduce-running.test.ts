import { expect, it } from 'vitest';
import { reducePod, reduceWorkload, usesOf } from '../../src/cluster/reduce-running.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { workloadKind } from '../../src/kube/workload.ts';

const from = (name: string): JsonObject => ({ name: 'c', envFrom: [{ secretRef: { name } }] });

it('a use is told by its form, and by whether an init container alone has it', () => {
  const spec = {
    initContainers: [from('first'), from('both')],
    containers: [
      from('both'),
      { name: 'd', env: [{ valueFrom: { secretKeyRef: { name: 'key', key: 'K' } } }] },
    ],
    volumes: [
      { name: 'plain', secret: { secretName: 'files' } },
      { name: 'mixed', projected: { sources: [{ secret: { name: 'files' } }] } },
    ],
    imagePullSecrets: [{ name: 'registry' }],
  };
  expect(usesOf({ spec }).map(({ secret, form, init }) => `${secret} ${form}${init ? ' init' : ''}`)).toEqual(
    [
      'first envFrom init',
      'both envFrom init',
      'both envFrom',
      'key env',
      'files volume',
      'files projected',
      'registry imagePullSecrets',
    ],
  );
});

it('a pod has started with the first of its containers, also one that has ended', () => {
  const status = {
    initContainerStatuses: [{ state: { terminated: { startedAt: '2026-11-27T12:00:05Z' } } }],
    containerStatuses: [
      {
        state: { waiting: {} },
        lastState: { terminated: { startedAt: '2026-11-27T12:00:09Z' } },
      },
    ],
  };
  expect(reducePod({ status })).toMatchObject({
    started: true,
    startedAt: Date.parse('2026-11-27T12:00:05Z'),
  });
  const waiting = reducePod({ status: { containerStatuses: [{ state: { waiting: {} } }] } });
  expect(waiting.started).toBe(false);
  expect(waiting).not.toHaveProperty('startedAt');
});

it('a workload tells when it was restarted last, by the one field that is applied for it', () => {
  const entry = (manager: string, operation: string, spec: JsonObject) => ({
    manager,
    operation,
    time: '2026-11-27T12:00:00Z',
    fieldsV1: { 'f:spec': spec },
  });
  const template = {
    'f:template': { 'f:metadata': { 'f:annotations': { 'f:secrets.floe.dev/restartedAt': {} } } },
  };
  const restarted = (kind: string, ...managedFields: readonly JsonObject[]) =>
    reduceWorkload(
      workloadKind(kind === 'Rollout' ? 'argoproj.io' : 'apps', kind)!,
      { metadata: { managedFields } },
      true,
    ).reloadedAt;
  const time = Date.parse('2026-11-27T12:00:00Z');
  expect(restarted('Deployment', entry('floe-secrets-webhook', 'Apply', template))).toBe(time);
  expect(restarted('Rollout', entry('floe-secrets-webhook', 'Apply', { 'f:restartAt': {} }))).toBe(time);
  expect(restarted('Deployment', entry('floe-secrets-webhook', 'Update', template))).toBeUndefined();
  expect(restarted('Deployment', entry('kubectl-rollout', 'Apply', template))).toBeUndefined();
  expect(restarted('Deployment')).toBeUndefined();
});

it('the newest revision is the one that the kind tells', () => {
  const revision = (kind: string, raw: JsonObject) =>
    reduceWorkload(workloadKind('apps', kind)!, raw, true).updateRevision;
  expect(revision('StatefulSet', { status: { updateRevision: 'web-2' } })).toBe('web-2');
  const annotations = { 'deprecated.daemonset.template.generation': '3' };
  expect(revision('DaemonSet', { metadata: { annotations } })).toBe('3');
  expect(revision('Deployment', {})).toBeUndefined();
});
