/** What is measured: pods, the cluster that they are judged against, and AdmissionReviews of them. */
import type { JsonObject } from '../src/kube/json.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { NAMESPACE, SERVICE_ACCOUNT } from '../src/kube/object.ts';
import type { SecretRecord } from '../src/kube/secret.ts';
import { worldOf } from '../src/kube/static-world.ts';
import type { World } from '../src/kube/world.ts';
import { targetsOf } from '../src/cluster/watched-kinds.ts';
import { PLUGINS } from '../src/plugins/index.ts';

export const BENCH_NAMESPACE = 'floe-jobs';
const KINDS = PLUGINS.flatMap((plugin) => plugin.kinds);
const INFISICAL_SECRET = KINDS.find(({ resource }) => resource.kind === 'InfisicalSecret')!.resource;
const KEYS_EACH = ['PASSWORD', 'URL', 'USER', 'value'];

export interface Input {
  readonly name: string;
  /** The pod of the n-th request. */
  pod(index: number): JsonObject;
  /** Other than /mutate. */
  readonly path?: string;
  /** Whether each request asks for something that nobody has read yet. */
  readonly isCold?: boolean;
}

/** How many Secrets have a sync resource that targets them. */
export const SYNCED = 100;

export const INPUTS: readonly Input[] = [
  { name: 'no-op pod', pod: () => podOf({}) },
  { name: 'one injected Secret', pod: () => podOf({ 'secrets.floe.dev/inject': 'secret-7' }) },
  { name: 'one that Infisical syncs', pod: () => podOf({ 'secrets.floe.dev/inject': 'synced-7' }) },
  { name: 'one injected Secret, /validate', pod: injectedPod, path: '/validate' },
  { name: 'large pod, 20 references', pod: () => largePod() },
  {
    name: 'cold Secret',
    pod: (index) => podOf({ 'secrets.floe.dev/inject': `cold-${index}` }),
    isCold: true,
  },
];

/** A cluster of so many Secrets, with a ServiceAccount and the opted-in namespace. */
export function worldWith(secrets: number): World {
  return worldOf({
    objects: [
      namespaceObject(),
      { kind: SERVICE_ACCOUNT, raw: serviceAccount() },
      ...many(SYNCED, (index) => ({ kind: INFISICAL_SECRET, raw: infisicalSecret(index) })),
    ],
    secrets: [
      ...many(secrets, (index) => record(`secret-${index}`)),
      ...many(SYNCED, (index) => record(`synced-${index}`)),
    ],
    targets: (object) => targetsOf(KINDS, object),
  });
}

export function namespaceObject(): KubeObject {
  return { kind: NAMESPACE, raw: namespaceManifest() };
}

export function namespaceManifest(): JsonObject {
  const labels = { 'kubernetes.io/metadata.name': BENCH_NAMESPACE, 'secrets.floe.dev/injection': 'enabled' };
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: BENCH_NAMESPACE, resourceVersion: '1', labels },
  };
}

export function serviceAccount(): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: BENCH_NAMESPACE, uid: 'sa', resourceVersion: '1' },
  };
}

/** The body that the API server posts for the creation of this pod. */
export function admissionReview(pod: JsonObject, uid: string): string {
  return JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      namespace: BENCH_NAMESPACE,
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        groups: ['system:serviceaccounts', 'system:authenticated'],
      },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  });
}

/** A pod as the API server sends it: defaulted, with its token volume and its managedFields; a review of some 6 KB. */
function podOf(
  annotations: Record<string, string>,
  containers: readonly JsonObject[] = [container('dbt')],
): JsonObject {
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      generateName: 'dbt-run-5d4f8c7b9-',
      namespace: BENCH_NAMESPACE,
      creationTimestamp: null,
      labels: {
        'app.kubernetes.io/name': 'dbt',
        'app.kubernetes.io/instance': 'run',
        'pod-template-hash': '5d4f8c7b9',
      },
      annotations,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'dbt-run-5d4f8c7b9', uid: 'rs', controller: true },
      ],
      managedFields: [managedFields()],
    },
    spec: {
      volumes: [
        { name: 'work', emptyDir: {} },
        { name: 'kube-api-access-x7k2p', projected: { defaultMode: 420, sources: tokenSources() } },
      ],
      containers,
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      serviceAccount: 'default',
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        fsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      schedulerName: 'default-scheduler',
      tolerations: ['not-ready', 'unreachable'].map((key) => ({
        key: `node.kubernetes.io/${key}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      })),
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: {},
  };
}

function container(name: string, env: readonly JsonObject[] = []): JsonObject {
  const settings = Array.from({ length: 12 }, (_, index) => ({
    name: `DBT_SETTING_${index}`,
    value: `value-${index}`,
  }));
  const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  return {
    name,
    image: 'ghcr.io/example/dbt:1.9',
    args: ['run', '--select', 'marts'],
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env: [{ name: 'DBT_TARGET', value: 'prod' }, ...settings, ...env],
    resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
    volumeMounts: [
      { name: 'work', mountPath: '/work' },
      {
        name: 'kube-api-access-x7k2p',
        readOnly: true,
        mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      },
    ],
    livenessProbe: { httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' }, ...probe },
    readinessProbe: { httpGet: { path: '/readyz', port: 'http', scheme: 'HTTP' }, ...probe },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  };
}

function tokenSources(): readonly JsonObject[] {
  return [
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    {
      downwardAPI: {
        items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
      },
    },
  ];
}

/** What the controller manager's entry looks like: one key a field. */
function managedFields(): JsonObject {
  const fields = (names: readonly string[]): JsonObject =>
    Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
  const settings = Array.from({ length: 13 }, (_, index) => [
    `k:{"name":"DBT_SETTING_${index}"}`,
    fields(['name', 'value']),
  ]);
  const spec = [
    'dnsPolicy',
    'enableServiceLinks',
    'restartPolicy',
    'schedulerName',
    'terminationGracePeriodSeconds',
  ];
  const parts = ['image', 'imagePullPolicy', 'livenessProbe', 'name', 'ports', 'readinessProbe', 'resources'];
  const dbt = { ...fields(parts), 'f:env': { '.': {}, ...Object.fromEntries(settings) } };
  return {
    manager: 'kube-controller-manager',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-11-22T12:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:metadata': {
        'f:generateName': {},
        'f:labels': fields(['.', 'app.kubernetes.io/name', 'pod-template-hash']),
      },
      'f:spec': { ...fields(spec), 'f:containers': { 'k:{"name":"dbt"}': dbt } },
    },
  };
}

/** The pod as `/mutate` leaves it. */
function injectedPod(): JsonObject {
  const marks = { injected: 'secret-7', versions: 'secret-7=1' };
  const annotations = Object.entries({ inject: 'secret-7', ...marks });
  return podOf(Object.fromEntries(annotations.map(([key, value]) => [`secrets.floe.dev/${key}`, value])), [
    { ...container('dbt'), envFrom: [{ secretRef: { name: 'secret-7' } }] },
  ]);
}

/** Four containers with five Secret references each, and the filler that makes a pod of some 20 KB. */
function largePod(): JsonObject {
  const containers = Array.from({ length: 4 }, (_, at) => {
    const references = Array.from({ length: 5 }, (__, index) => ({
      name: `PASSWORD_${index}`,
      valueFrom: { secretKeyRef: { name: `secret-${at * 5 + index}`, key: 'PASSWORD' } },
    }));
    const filler = Array.from({ length: 60 }, (__, index) => ({
      name: `SETTING_${index}`,
      value: 'x'.repeat(40),
    }));
    return container(`step-${at}`, [...filler, ...references]);
  });
  return podOf({ 'secrets.floe.dev/inject': 'secret-7' }, containers);
}

function record(name: string): SecretRecord {
  return {
    namespace: BENCH_NAMESPACE,
    name,
    uid: name,
    resourceVersion: '1',
    ownerReferences: [],
    labels: {},
    annotations: {},
    keys: KEYS_EACH,
    keysComplete: true,
    writes: [],
  };
}

/** What the API server answers to a metadata-only read of a Secret. */
export function secretMetadata(name: string): JsonObject {
  const data = Object.fromEntries(KEYS_EACH.map((key) => [`f:${key}`, {}]));
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {
      name,
      namespace: BENCH_NAMESPACE,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-11-01T00:00:00Z',
      managedFields: [
        {
          manager: 'kubectl',
          operation: 'Update',
          apiVersion: 'v1',
          time: '2026-11-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': data },
        },
      ],
    },
  };
}

/** The sync resource of `synced-N`, as its operator leaves it after a good sync. */
export function infisicalSecret(index: number): JsonObject {
  const condition = (type: string): JsonObject => ({
    type: `secrets.infisical.com/${type}`,
    status: 'True',
    reason: 'OK',
    message: 'Infisical controller has started syncing your secrets. Last reconcile synced 4 secrets',
    lastTransitionTime: '2026-11-01T00:00:00Z',
  });
  return {
    apiVersion: 'secrets.infisical.com/v1alpha1',
    kind: 'InfisicalSecret',
    metadata: {
      name: `sync-${index}`,
      namespace: BENCH_NAMESPACE,
      uid: `sync-${index}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-11-01T00:00:00Z',
    },
    spec: {
      hostAPI: 'https://infisical.example/api',
      authentication: {
        universalAuth: {
          credentialsRef: { secretName: 'universal-auth', secretNamespace: BENCH_NAMESPACE },
          secretsScope: { projectSlug: 'floe', envSlug: 'prod', secretsPath: '/compute' },
        },
      },
      managedKubeSecretReferences: [
        { secretName: `synced-${index}`, secretNamespace: BENCH_NAMESPACE, creationPolicy: 'Owner' },
      ],
    },
    status: {
      conditions: ['LoadedInfisicalToken', 'ReadyToSyncSecrets', 'AutoRedeployReady'].map(condition),
    },
  };
}

export function many<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
