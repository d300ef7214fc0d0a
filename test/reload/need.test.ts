import { describe, expect, it, test } from 'vitest';
import type { PodRecord, WorkloadRecord } from '../../src/kube/running.ts';
import type { Knowledge } from '../../src/reload/knowledge.ts';
import type { Subject } from '../../src/reload/need.ts';
import { needOf } from '../../src/reload/need.ts';
import { restartPatch, restartTime } from '../../src/reload/restart.ts';
import { at, pod, use, workload } from './setup.ts';

const CHANGED: Knowledge = {
  present: true,
  dataVersion: '20',
  createdAt: at(-600),
  writtenAt: at(100),
  touchedAt: at(100),
  changedAt: at(101),
};
const FOUND: Knowledge = {
  present: true,
  dataVersion: '20',
  createdAt: at(-600),
  writtenAt: at(100),
  touchedAt: at(100),
};

function subject(
  pods: readonly PodRecord[],
  more: Partial<Subject> & { workload?: WorkloadRecord } = {},
): Subject {
  return {
    workload: workload(),
    pods,
    isWanted: () => true,
    knowledge: () => CHANGED,
    other: () => undefined,
    ...more,
  };
}

const CAUSE = { secret: 'db', version: '20', presumed: false, pods: ['uid-a'] };

describe('a workload', () => {
  test.each<[string, PodRecord, Partial<Subject>, readonly object[]]>([
    ['with an old pod needs a restart', pod('a'), {}, [CAUSE]],
    ['with a young pod needs none', pod('a', { createdAt: at(200) }), {}, []],
    ['that nobody asked for needs none', pod('a'), { isWanted: () => false }, []],
    ['whose Secret nobody has read needs none yet', pod('a'), { knowledge: () => undefined }, []],
    ['whose pod is ending needs none', pod('a', { terminating: true }), {}, []],
    ['whose pod is over needs none', pod('a', { phase: 'Succeeded' }), {}, []],
    [
      'that only pulls images with it needs none',
      pod('a', { uses: [use('db', 'imagePullSecrets')] }),
      {},
      [],
    ],
    ['that another reloader drives needs none', pod('a'), { other: () => 'Stakater Reloader' }, []],
    [
      'found so is restarted on a presumption',
      pod('a'),
      { knowledge: () => FOUND },
      [{ ...CAUSE, presumed: true }],
    ],
    [
      'that was restarted since its pod began needs none',
      pod('a'),
      { knowledge: () => FOUND, workload: workload('Deployment', { reloadedAt: at(1) }) },
      [],
    ],
    [
      'that was restarted before its pod began needs one',
      pod('a'),
      { workload: workload('Deployment', { reloadedAt: at(0) }) },
      [CAUSE],
    ],
    [
      'whose old pods are being replaced needs none',
      pod('a', { labels: { 'pod-template-hash': 'old' } }),
      { workload: workload('Deployment', { updateRevision: 'new' }) },
      [],
    ],
    [
      'of the newest template needs one',
      pod('a', { labels: { 'controller-revision-hash': 'new' } }),
      { workload: workload('StatefulSet', { updateRevision: 'new' }) },
      [CAUSE],
    ],
    [
      'that counts its templates needs none for older ones',
      pod('a', { labels: { 'controller-revision-hash': 'x', 'pod-template-generation': '1' } }),
      { workload: workload('DaemonSet', { updateRevision: '2' }) },
      [],
    ],
  ])('%s', (_name, one, more, causes) => {
    expect(needOf(subject([one], more)).causes).toEqual(causes);
  });

  it('needs one restart for all of its Secrets, whatever the form', () => {
    const forms = ['env', 'envFrom', 'volume', 'projected'] as const;
    const uses = [...forms.map((form) => use(form.toLowerCase(), form)), use('db'), use('db', 'volume')];
    const { causes } = needOf(subject([pod('a', { uses }), pod('b', { uses })]));
    expect(causes.map(({ secret: name, pods }) => `${name} ${pods.join()}`)).toEqual(
      ['db', 'env', 'envfrom', 'projected', 'volume'].map((name) => `${name} uid-a,uid-b`),
    );
  });

  it('tells what it leaves to another', () => {
    const uses = [use('db'), use('web')];
    const other = (name: string) => (name === 'web' ? 'the Doppler operator' : undefined);
    expect(needOf(subject([pod('a', { uses })], { other }))).toEqual({
      causes: [CAUSE],
      left: [{ secret: 'web', version: '20', to: 'the Doppler operator' }],
    });
  });
});

describe('a restart', () => {
  const time = new Date(at(0));
  it('is one annotation of the template', () => {
    expect(restartPatch(workload('StatefulSet'), time)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { namespace: 'jobs', name: 'api', uid: 'uid-api' },
      spec: {
        template: {
          metadata: { annotations: { 'secrets.floe.dev/restartedAt': '2026-11-27T12:00:00.000Z' } },
        },
      },
    });
  });
  it('is the field of a Rollout that is made for it, later than its pods', () => {
    expect(restartPatch(workload('Rollout'), time)).toMatchObject({
      apiVersion: 'argoproj.io/v1alpha1',
      spec: { restartAt: '2026-11-27T12:00:00.000Z' },
    });
    expect(restartTime(at(5), [pod('a', { createdAt: at(60) })])).toEqual(new Date(at(61)));
    expect(restartTime(at(90), [pod('a')])).toEqual(new Date(at(90)));
    expect(restartTime(at(90), [])).toEqual(new Date(at(90)));
  });
});
