import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the Go module next to this file builds; its go.mod and the link flags name the same release. */
export const KUBERNETES_VERSION = '1.36.3';

/** One program for everything, or upstream's programs one by one. */
export type Binaries =
  | { readonly layout: 'one'; readonly controlPlane: string }
  | {
      readonly layout: 'separate';
      readonly etcd: string;
      readonly apiServer: string;
      readonly controllerManager?: string;
    };

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Platform {
  readonly os: string;
  readonly arch: string;
}

/** Node's names for systems and processors are not Go's. */
export function goPlatform(os: string = process.platform, arch: string = process.arch): Platform {
  return { os: os === 'win32' ? 'windows' : os, arch: arch === 'x64' ? 'amd64' : arch };
}

export function cacheDirectory(env: Environment = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'floe-control-plane');
}

/** Where setup-envtest keeps its downloads. */
export function envtestStore(env: Environment = process.env, os: string = process.platform): string {
  if (os === 'darwin') return join(homedir(), 'Library/Application Support/io.kubebuilder.envtest/k8s');
  const base = env['XDG_DATA_HOME'];
  const data = base === undefined || base === '' ? join(homedir(), '.local/share') : base;
  return join(data, 'kubebuilder-envtest/k8s');
}

export function hasControllers(binaries: Binaries): boolean {
  return binaries.layout === 'one' || binaries.controllerManager !== undefined;
}

/** The programs in a directory, or undefined when it does not hold enough for an API server. */
export function binariesIn(directory: string): Binaries | undefined {
  const find = (name: string): string | undefined =>
    isExecutable(join(directory, name)) ? join(directory, name) : undefined;
  const controlPlane = find('controlplane');
  if (controlPlane !== undefined) return { layout: 'one', controlPlane };
  const etcd = find('etcd');
  const apiServer = find('kube-apiserver');
  const controllerManager = find('kube-controller-manager');
  if (etcd === undefined || apiServer === undefined) return undefined;
  return {
    layout: 'separate',
    etcd,
    apiServer,
    ...(controllerManager === undefined ? {} : { controllerManager }),
  };
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
