import { beforeEach, describe, expect, it } from 'vitest';
import type { Fleet } from '../../src/cluster/fleet.ts';
import { createFleet } from '../../src/cluster/fleet.ts';
import type { PodRecord, WorkloadRecord } from '../../src/kube/running.ts';
import { workloadKind } from '../../src/kube/workload.ts';
import { pod, workload } from '../reload/setup.ts';
import { createRunning } from './running-cluster.ts';

const API = 'jobs/Deployment/api';

function ownedBy(kind: string, name: string): NonNullable<PodRecord['owner']> {
  return {
    apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
    kind,
    name,
    uid: `uid-${name}`,
    controller: true,
  };
}

function replicaSet(name: string, revision: number): WorkloadRecord {
  return workload('Deployment', {
    kind: workloadKind('apps', 'ReplicaSet')!,
    name,
    uid: `uid-${name}`,
    owner: ownedBy('Deployment', 'api'),
    annotations: { 'deployment.kubernetes.io/revision': String(revision) },
    labels: { 'pod-template-hash': `hash-${name}` },
  });
}

describe('the fleet', () => {
  let running: ReturnType<typeof createRunning>;
  let fleet: Fleet;
  const changed = new Set<string>();
  const start = (): void => {
    fleet = createFleet({ running, changed: (key) => void changed.add(key) });
  };
  const names = (key: string): readonly string[] => fleet.podsOf(key).map(({ name }) => name);
  beforeEach(() => {
    running = createRunning();
    changed.clear();
  });

  it('knows the pods of a Deployment, whichever watch tells first', () => {
    running.putPod(pod('early', { owner: ownedBy('ReplicaSet', 'rs') }));
    start();
    expect(names(API)).toEqual([]);
    running.putWorkload(replicaSet('rs', 1));
    expect(names(API)).toEqual([]);
    running.putWorkload(workload());
    expect(names(API)).toEqual(['early']);
    expect(changed).toContain(API);
    running.putPod(pod('late', { owner: ownedBy('ReplicaSet', 'rs') }));
    expect(names(API)).toEqual(['early', 'late']);
    expect(fleet.keysIn('jobs', 'db')).toEqual([API]);
    expect(fleet.keysIn('jobs', 'other')).toEqual([]);
    expect(fleet.keysIn('jobs')).toEqual([API]);
    expect(fleet.keysIn('job')).toEqual([]);
  });

  it('takes the newest ReplicaSet for what the template is now', () => {
    start();
    running.putWorkload(workload());
    expect(fleet.workload(API)).not.toHaveProperty('updateRevision');
    running.putWorkload(replicaSet('old', 9));
    running.putWorkload(replicaSet('new', 10));
    expect(fleet.workload(API)?.updateRevision).toBe('hash-new');
    running.removeWorkload(replicaSet('new', 10));
    expect(fleet.workload(API)?.updateRevision).toBe('hash-old');
  });

  it('forgets pods and workloads that go, and hears nothing once it has stopped', () => {
    const one = pod('a', { owner: ownedBy('ReplicaSet', 'rs') });
    running.putWorkload(workload());
    running.putWorkload(replicaSet('rs', 1));
    running.putPod(one);
    start();
    expect(names(API)).toEqual(['a']);
    running.removePod(one);
    expect(names(API)).toEqual([]);
    running.removeWorkload(workload());
    expect(fleet.workload(API)).toBeUndefined();
    expect([...fleet.keys()]).toEqual([]);
    fleet.stop();
    running.putWorkload(workload());
    expect([...fleet.keys()]).toEqual([]);
  });

  it('has no Jobs and no bare pods', () => {
    start();
    running.putWorkload(workload('Deployment', { kind: workloadKind('batch', 'Job')!, name: 'nightly' }));
    running.putPod(pod('job', { owner: ownedBy('Job', 'nightly') }));
    running.putPod(pod('bare'));
    expect([...fleet.keys()]).toEqual([]);
    expect(changed.size).toBe(0);
  });
});
