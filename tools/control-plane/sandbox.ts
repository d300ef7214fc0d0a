/**
 * Namespaces of the kernel for the node of one run: its network, mounts and processes are nobody else's, and are gone
 * as soon as the first process in there is, however this program ends. Of what a node leaves in a kernel only control
 * groups are in no namespace; they carry the run's name.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeControlGroups, removeControlGroups } from './control-groups.ts';
import { startGuarded } from './guarded-process.ts';
import type { GuardedProcess } from './guarded-process.ts';

/** A program and its arguments. */
export type Command = readonly [file: string, ...args: readonly string[]];

export interface Sandbox {
  readonly process: GuardedProcess;
  /** Name of the control group for everything in it. */
  readonly controlGroup: string;
  /** A command that runs in all of the sandbox's namespaces. */
  inside(...command: Command): Command;
  /** One that runs in its network alone, and sees the files and processes of the machine. */
  online(...command: Command): Command;
  stop(): Promise<void>;
}

/** In the sandbox's own network, so another run's may be the same. */
export const NODE_ADDRESS = '172.31.77.1';
/** Nobody has these addresses: kube-proxy gives what is sent there another one, if only there is a way there. */
export const SERVICE_SUBNET = '10.0.0.0/24';
const READY = 'the sandbox is ready';
const READY_WITHIN = 120_000;

/** What kubelet sets for the whole machine unless it finds these values. */
const KERNEL_SETTINGS = [
  'vm/overcommit_memory=1',
  'vm/panic_on_oom=0',
  'kernel/panic=10',
  'kernel/panic_on_oops=1',
  'kernel/keys/root_maxkeys=1000000',
  'kernel/keys/root_maxbytes=25000000',
];

// What the programs of a node write outside of their own directories lands in the run's. The last two lines
// fetch the processes that end as orphans, which is the duty of a first process.
const SETUP = `
set -eu
directory=$1
for place in /run /var/log /var/lib; do
  mkdir -p "$directory$place"
  mount --bind "$directory$place" "$place"
done
for setting in ${KERNEL_SETTINGS.join(' ')}; do
  file="$directory/$(echo "\${setting%=*}" | tr / .)"
  echo "\${setting#*=}" > "$file"
  mount --bind "$file" "/proc/sys/\${setting%=*}"
done
ip link set lo up
ip link add node0 type bridge
ip addr add ${NODE_ADDRESS}/24 dev node0
ip link set node0 up
ip route add ${SERVICE_SUBNET} dev node0
echo 1 > /proc/sys/net/ipv4/ip_forward
echo ${READY}
sleep infinity &
wait
`;

export async function startSandbox(directory: string): Promise<Sandbox> {
  const own = ['--net', '--ipc', '--pid', '--fork', '--kill-child', '--mount', '--mount-proc'];
  const guarded = startGuarded({
    name: 'sandbox',
    directory,
    file: 'unshare',
    args: [...own, '/bin/sh', '-c', SETUP, 'sh', directory],
  });
  const controlGroup = basename(directory);
  const stop = async (): Promise<void> => {
    await guarded.stop();
    await removeControlGroups(controlGroup);
  };
  try {
    makeControlGroups(controlGroup);
    await untilReady(guarded);
  } catch (error) {
    await stop();
    throw error;
  }
  const namespaces = `/proc/${readFileSync(join(directory, 'sandbox.pid'), 'utf8').trim()}/ns`;
  const network = `--net=${namespaces}/net`;
  const all = [
    network,
    `--ipc=${namespaces}/ipc`,
    `--mount=${namespaces}/mnt`,
    `--pid=${namespaces}/pid_for_children`,
  ];
  return {
    process: guarded,
    controlGroup,
    inside: (...command) => ['nsenter', ...all, '--', ...command],
    online: (...command) => ['nsenter', network, '--', ...command],
    stop,
  };
}

async function untilReady(guarded: GuardedProcess): Promise<void> {
  const deadline = Date.now() + READY_WITHIN;
  while (!guarded.log().includes(READY)) {
    if (guarded.hasEnded()) throw new Error(`${await guarded.ended}: ${guarded.log().trim()}`);
    if (Date.now() > deadline) throw new Error(`the sandbox is not ready: ${guarded.log().trim()}`);
    await sleep(10);
  }
}
