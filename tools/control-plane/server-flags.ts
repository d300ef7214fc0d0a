import { join } from 'node:path';
import { NODE_ADDRESS, SERVICE_SUBNET } from './sandbox.ts';
import type { Sandbox } from './sandbox.ts';

// Without the controllers that need kubelets, clouds, volumes or certificates to do anything.
const CONTROLLERS = [
  'clusterrole-aggregation-controller',
  'cronjob-controller',
  'daemonset-controller',
  'deployment-controller',
  'disruption-controller',
  'endpointslice-controller',
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'replicaset-controller',
  'replicationcontroller-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'statefulset-controller',
  'ttl-after-finished-controller',
];

// What a kubelet that really runs pods counts on.
const NODE_CONTROLLERS = ['node-lifecycle-controller'];

export interface ServerSettings {
  readonly directory: string;
  readonly port: number;
  readonly controllers: boolean;
  /** Flags beside those that every run has. */
  readonly extra: Readonly<Record<'apiServer' | 'controllerManager', readonly string[]>>;
  /** Where a real node's pods and programs are; everything then runs in its network. */
  readonly sandbox?: Sandbox | undefined;
}

export function etcdFlags(directory: string): string[] {
  const socket = join(directory, 'etcd.sock');
  // With one member nobody dials what it advertises, but etcd insists on a host and a port.
  const nobody = 'http://127.0.0.1:1';
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    // Sockets in a private directory: no port to collide on, nobody else can write to them.
    `--listen-client-urls=unix://${socket}`,
    `--listen-peer-urls=unix://${socket}-peer`,
    `--advertise-client-urls=${nobody}`,
    `--initial-advertise-peer-urls=${nobody}`,
    `--initial-cluster=default=${nobody}`,
    '--unsafe-no-fsync',
    '--log-level=error',
    // A single member elects itself: short timers save up to a second of waiting.
    '--heartbeat-interval=10',
    '--election-timeout=100',
  ];
}

export function apiServerFlags({ directory, port, controllers, extra, sandbox }: ServerSettings): string[] {
  const file = (name: string): string => join(directory, name);
  return [
    `--etcd-servers=unix://${file('etcd.sock')}`,
    ...(sandbox === undefined ? LOOPBACK_FLAGS : nodeFlags(directory)),
    `--secure-port=${port}`,
    `--tls-cert-file=${file('server.crt')}`,
    `--tls-private-key-file=${file('server.key')}`,
    `--token-auth-file=${file('tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${file('accounts.pub')}`,
    `--service-account-signing-key-file=${file('accounts.key')}`,
    `--service-cluster-ip-range=${SERVICE_SUBNET}`,
    '--allow-privileged=true',
    '--profiling=false',
    // Nothing makes the default service account without controllers, and Pods would be refused for its absence.
    ...(controllers ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...extra.apiServer,
  ];
}

const LOOPBACK_FLAGS = [
  '--bind-address=127.0.0.1',
  '--advertise-address=127.0.0.1',
  // Nobody needs the endpoints of the `kubernetes` service, and shutting down would wait to remove them.
  '--endpoint-reconciler-type=none',
];

function nodeFlags(directory: string): string[] {
  return [
    '--bind-address=0.0.0.0',
    `--advertise-address=${NODE_ADDRESS}`,
    // By these it reads pods' logs.
    `--kubelet-client-certificate=${join(directory, 'kubelet-client.crt')}`,
    `--kubelet-client-key=${join(directory, 'kubelet-client.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
  ];
}

export function controllerManagerFlags({ directory, sandbox, extra }: ServerSettings): string[] {
  const controllers = [...CONTROLLERS, ...(sandbox === undefined ? [] : NODE_CONTROLLERS)];
  return [
    `--kubeconfig=${join(directory, 'kubeconfig')}`,
    `--root-ca-file=${join(directory, 'ca.crt')}`,
    `--controllers=${controllers.join(',')}`,
    '--leader-elect=false',
    // 0 is: serve nothing.
    '--secure-port=0',
    '--profiling=false',
    ...extra.controllerManager,
  ];
}
