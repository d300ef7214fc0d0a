/** A small cluster in files: a healthy Deployment, a refused one, a CronJob, pods old and new, a foreign namespace. */
import { folderOf } from './captured.ts';

const WORKLOADS = `apiVersion: v1
kind: Namespace
metadata:
  name: floe-jobs
  labels: {secrets.floe.dev/injection: enabled, secrets.floe.dev/enforcement: warn}
---
apiVersion: v1
kind: Namespace
metadata: {name: later}
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: floe-jobs, resourceVersion: "20"}
data: {PASSWORD: aHVudGVyMg==}
---
apiVersion: secrets.infisical.com/v1alpha1
kind: InfisicalSecret
metadata: {name: sync, namespace: floe-jobs, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  managedKubeSecretReferences: [{secretName: lost, secretNamespace: floe-jobs}]
status:
  conditions:
    - {type: secrets.infisical.com/ReadyToSyncSecrets, status: "False", reason: Error, message: no such project, lastTransitionTime: "2026-01-01T00:00:00Z"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: floe-jobs, annotations: {secrets.floe.dev/inject: db}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: floe-jobs, uid: d1}
spec:
  template:
    metadata: {annotations: {secrets.floe.dev/inject: lost}}
    spec: {containers: [{name: web, image: web}]}
status:
  conditions:
    - {type: ReplicaFailure, status: "True", reason: FailedCreate, message: 'admission webhook "validate.secrets.floe.dev" denied the request: FLOE-E803'}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-1
  namespace: floe-jobs
  uid: r1
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: d1, controller: true}]
spec:
  template:
    metadata: {annotations: {secrets.floe.dev/inject: lost}}
    spec: {containers: [{name: web, image: web}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: floe-jobs, uid: s1}
spec:
  template:
    spec: {serviceAccountName: runner, containers: [{name: store, image: store}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: idle, namespace: floe-jobs, uid: d3}
spec:
  paused: true
  template:
    spec: {containers: [{name: idle, image: idle, envFrom: [{secretRef: {name: db}}]}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: floe-jobs, uid: c1}
spec:
  jobTemplate:
    spec:
      template:
        spec: {serviceAccountName: runner, containers: [{name: dbt, image: dbt}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: other, namespace: later, uid: d2}
spec:
  template:
    spec: {containers: [{name: web, image: web, envFrom: [{secretRef: {name: nowhere}}]}]}
`;

const PODS = `apiVersion: v1
kind: Pod
metadata:
  name: web-1-a
  namespace: floe-jobs
  annotations: {secrets.floe.dev/inject: lost}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, uid: r1, controller: true}]
spec: {containers: [{name: web, image: web}]}
status: {phase: Running}
---
apiVersion: v1
kind: Pod
metadata:
  name: store-0
  namespace: floe-jobs
  annotations: {secrets.floe.dev/injected: db, secrets.floe.dev/versions: db=20}
  ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: store, uid: s1, controller: true}]
spec:
  serviceAccountName: runner
  containers: [{name: store, image: store, envFrom: [{secretRef: {name: db}}]}]
status: {phase: Running}
---
apiVersion: v1
kind: Pod
metadata:
  name: bare
  namespace: floe-jobs
  annotations: {secrets.floe.dev/injected: db, secrets.floe.dev/versions: db=11}
spec:
  serviceAccountName: runner
  containers: [{name: tool, image: tool, envFrom: [{secretRef: {name: db}}]}]
status: {phase: Running}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: floe-jobs, annotations: {secrets.floe.dev/inject: nowhere}}
spec: {containers: [{name: tool, image: tool}]}
status: {phase: Succeeded}
`;

/** The folder that holds it, for `--world world`. */
export function runningCluster(more: Readonly<Record<string, string>> = {}): string {
  return folderOf({ 'world/workloads.yaml': WORKLOADS, 'world/pods.yaml': PODS, ...more });
}
