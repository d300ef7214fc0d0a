/** A node that really runs pods: containerd, kubelet, kube-scheduler and kube-proxy in one run's sandbox. */
import { execFile } from 'node:child_process';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ApiClient } from './api-client.ts';
import { startGuarded } from './guarded-process.ts';
import type { GuardedProcess } from './guarded-process.ts';
import { writeImage } from '../image-archive.ts';
import { CONTAINERD_SOCKET, nodeFiles, PAUSE_IMAGE } from './node-config.ts';
import { NODE_NAME } from './node.ts';
import type { NodePrograms } from './node-programs.ts';
import { NODE_ADDRESS } from './sandbox.ts';
import type { Command, Sandbox } from './sandbox.ts';

const READY_WITHIN = 120_000;
// From statfs(2): what lies on an overlay cannot be one.
const OVERLAYFS_MAGIC = 0x79_4c_76_30;

const run = promisify(execFile);

export interface RealNode {
  /** Puts the images of an archive (`docker save`'s form) where pods find them. */
  loadImage(archive: string): Promise<void>;
  /** The program that has ended by itself, if one has. */
  failure(): string | undefined;
  logs(): string;
  /** To be called once the sandbox is gone, with which everything ends. */
  stop(): Promise<void>;
}

export interface NodePlace {
  readonly directory: string;
  readonly sandbox: Sandbox;
  readonly programs: NodePrograms;
}

/** Starts the node's programs; they end with the sandbox. */
export async function startRealNode(api: ApiClient, place: NodePlace): Promise<RealNode> {
  const { directory, sandbox, programs } = place;
  writeNodeFiles(place);
  const commands = commandsOf(place);
  const running: GuardedProcess[] = [];
  const start = (name: Program): void => {
    const [file, ...args] = sandbox.inside(...commands[name]);
    running.push(startGuarded({ name, directory, file, args }));
  };
  const node: RealNode = {
    loadImage: (archive) => ctr(sandbox, 'images', 'import', archive),
    failure: () => running.find((one) => one.hasEnded())?.name,
    logs: () => running.map((one) => one.log()).join(''),
    stop: async () => void (await Promise.all(running.map((one) => one.stop()))),
  };
  start('containerd');
  start('kube-scheduler');
  start('kube-proxy');
  await until(node, 'containerd does not answer', () => answers(sandbox));
  const pause = join(directory, 'pause.tar');
  const layers = [{ '/pause': { file: programs.pause } }];
  await writeImage(pause, { name: PAUSE_IMAGE, entrypoint: ['/pause'], layers });
  await node.loadImage(pause);
  start('kubelet');
  await until(node, 'the node is not ready', () => isReady(api));
  return node;
}

type Program = 'containerd' | 'kube-scheduler' | 'kube-proxy' | 'kubelet';

function commandsOf({ directory, programs }: NodePlace): Readonly<Record<Program, Command>> {
  const file = (name: string): string => join(directory, name);
  const kubeconfig = `--kubeconfig=${file('kubeconfig')}`;
  const scheduling = [kubeconfig, '--leader-elect=false', '--secure-port=0'];
  const running = [
    kubeconfig,
    `--config=${file('kubelet.json')}`,
    `--root-dir=${file('kubelet')}`,
    `--cert-dir=${file('kubelet-pki')}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${NODE_ADDRESS}`,
  ];
  return {
    containerd: ['containerd', '--config', file('containerd.toml')],
    'kube-scheduler': [programs.node, 'kube-scheduler', ...scheduling],
    'kube-proxy': [programs.node, 'kube-proxy', `--config=${file('kube-proxy.json')}`],
    kubelet: [programs.node, 'kubelet', ...running],
  };
}

function writeNodeFiles({ directory, sandbox, programs }: NodePlace): void {
  const snapshotter = statfsSync(directory).type === OVERLAYFS_MAGIC ? 'native' : 'overlayfs';
  const { controlGroup } = sandbox;
  const files = nodeFiles({ directory, controlGroup, cni: programs.cni, snapshotter });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
}

async function answers(sandbox: Sandbox): Promise<boolean> {
  return ctr(sandbox, 'version').then(
    () => true,
    () => false,
  );
}

async function ctr(sandbox: Sandbox, ...args: readonly string[]): Promise<void> {
  const [file, ...rest] = sandbox.inside('ctr', '-a', CONTAINERD_SOCKET, '-n', 'k8s.io', ...args);
  await run(file, rest);
}

interface NodeObject {
  readonly spec?: { readonly taints?: readonly unknown[] };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function isReady(api: ApiClient): Promise<boolean> {
  const { status, body } = await api.send<NodeObject>('GET', `/api/v1/nodes/${NODE_NAME}`);
  if (status !== 200) return false;
  const conditions = body.status?.conditions ?? [];
  const ready = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  // Until the taint is gone no pod comes here.
  return ready && (body.spec?.taints ?? []).length === 0;
}

async function until(node: RealNode, complaint: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_WITHIN;
  while (!(await holds())) {
    const ended = node.failure();
    const tail = (): string => node.logs().split('\n').slice(-20).join('\n');
    if (ended !== undefined) throw new Error(`${ended} has ended\n${tail()}`);
    if (Date.now() > deadline) throw new Error(`${complaint} within ${READY_WITHIN / 1000} s\n${tail()}`);
    await sleep(50);
  }
}
