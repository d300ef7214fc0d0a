/** What a real node is made of: programs of Kubernetes that are built here, and those that a distribution has. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ControlPlaneNotFound, toStderr, wordsOf } from './assets.ts';
import { cacheDirectory, goPlatform, isExecutable, KUBERNETES_VERSION } from './binaries.ts';
import type { Environment } from './binaries.ts';
import { goBuild, goVersion, MODULE, NO_GO } from './go-build.ts';
import { install } from './install.ts';
import type { Log } from './install.ts';

export interface NodePrograms {
  /** kube-scheduler, kubelet and kube-proxy in one. */
  readonly node: string;
  /** What every pod's first container runs. */
  readonly pause: string;
  /** Where the distribution keeps its network plug-ins. */
  readonly cni: string;
}

export interface NodeSearch {
  /** False: only what is on the machine already. */
  readonly mayFetch?: boolean;
  readonly env?: Environment;
  readonly log?: Log;
  /** A compiler's cache that other builds share. */
  readonly goCache?: string;
}

const PACKAGES = 'containerd runc containernetworking-plugins iptables iproute2 util-linux';
export const BUILD_NODE = 'npm run control-plane -- build --node';
const INSTALL_PACKAGES = `apt-get install -y --no-install-recommends ${PACKAGES}`;

/** Something that a real node needs and this machine lacks, and what a person types to have it. */
export interface Lack {
  readonly reason: string;
  readonly command: string;
}

const SYSTEM_PROGRAMS = ['unshare', 'nsenter', 'ip', 'iptables', 'containerd', 'ctr', 'runc'];
// Debian's place, and the one that most others use.
const CNI_DIRECTORIES = ['/usr/lib/cni', '/opt/cni/bin'];
const CNI_PLUGINS = ['bridge', 'host-local', 'loopback'];

/** What else than programs that are built here a real node would lack on this machine. */
export function lackOf(env: Environment = process.env): Lack | undefined {
  if (process.platform !== 'linux')
    return { reason: 'pods run on Linux', command: 'FLOE_TEST_CLUSTER=kind npm test' };
  if (process.getuid?.() !== 0)
    return { reason: 'only root can make namespaces and mounts', command: 'sudo npm test' };
  const missing = SYSTEM_PROGRAMS.filter((name) => !isOnPath(name, env));
  if (cniDirectory() === undefined) missing.push('the CNI plug-ins');
  if (missing.length > 0) return { reason: `${missing.join(', ')} not found`, command: INSTALL_PACKAGES };
  const { status, stderr } = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true']);
  if (status === 0) return undefined;
  const reason = `root may not make namespaces here: ${String(stderr).trim()}`;
  return { reason, command: 'docker run --privileged, where this is a container' };
}

/** The node's programs of this machine; where they are not built yet, builds them. */
export async function findNodePrograms(search: NodeSearch = {}): Promise<NodePrograms> {
  const { mayFetch = true, env = process.env, log = toStderr, goCache: cache } = search;
  const lack = lackOf(env);
  if (lack !== undefined) throw new ControlPlaneNotFound([`${lack.reason}; '${lack.command}' brings it`]);
  const name = nodeBuildName();
  const found = programsIn(join(cacheDirectory(env), name));
  if (found !== undefined) return found;
  if (!mayFetch)
    throw new ControlPlaneNotFound([`the node's programs are not built; '${BUILD_NODE}' does it`]);
  if ((await goVersion(env)) === undefined) throw new ControlPlaneNotFound([`build: ${NO_GO}`]);
  const packages = ['./node', './pause'];
  const fill = (staging: string, scratch: string) => goBuild({ staging, scratch, env, log, cache, packages });
  try {
    return await install({ name, env, log, fill, find: programsIn });
  } catch (error) {
    throw new ControlPlaneNotFound([`build: ${wordsOf(error)}`]);
  }
}

/** Whatever goes into the programs is in the name, so that one of an older make is never taken. */
export function nodeBuildName(): string {
  const { os, arch } = goPlatform();
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'node/main.go', 'pause/main.go'])
    hash.update(readFileSync(join(MODULE, file)));
  return `node-${KUBERNETES_VERSION}-${os}-${arch}-${hash.digest('hex').slice(0, 12)}`;
}

function programsIn(directory: string): NodePrograms | undefined {
  const [node, pause, cni] = [join(directory, 'node'), join(directory, 'pause'), cniDirectory()];
  return isExecutable(node) && isExecutable(pause) && cni !== undefined ? { node, pause, cni } : undefined;
}

function cniDirectory(): string | undefined {
  return CNI_DIRECTORIES.find((directory) =>
    CNI_PLUGINS.every((plugin) => isExecutable(join(directory, plugin))),
  );
}

function isOnPath(name: string, env: Environment): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((directory) => isExecutable(join(directory, name)));
}
