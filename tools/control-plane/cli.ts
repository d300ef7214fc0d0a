import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, parseArgs } from 'node:util';
import { ControlPlaneNotFound, findControlPlane } from './assets.ts';
import { cacheDirectory } from './binaries.ts';
import type { Binaries } from './binaries.ts';
import { findTool } from './kubectl.ts';
import { findNodePrograms } from './node-programs.ts';
import type { NodePrograms } from './node-programs.ts';
import { startControlPlane } from './start.ts';
import { createWorkspace, removeWorkspace, sweep } from './workspace.ts';

const HELP = `A Kubernetes control plane without Docker: etcd, kube-apiserver and kube-controller-manager.

Usage: npm run control-plane -- COMMAND

  build            put it into the cache: downloaded, or built with go (5 to 10 minutes, once)
  start            run one until Ctrl-C, and say how to use kubectl with it
  path             print where it is; fails when it is not on this machine
  clean            remove it from the cache, and what killed runs left behind

  --api-server-only   without controllers: Deployments make no Pods
  --node              with a node that really runs pods: containerd, kubelet, kube-scheduler and kube-proxy
                      in namespaces of their own; Linux, as root

KUBEBUILDER_ASSETS=DIR                   use the programs in DIR
FLOE_TEST_CONTROL_PLANE=build|download   use only this way
`;

interface Options {
  readonly apiServerOnly: boolean;
  readonly node: boolean;
}

type Command = (options: Options) => Promise<void>;

const COMMANDS: Readonly<Record<string, Command>> = { build, start, path, clean };

/** Runs one command and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'api-server-only': { type: 'boolean', default: false },
      node: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [name = ''] = positionals;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const { help, node, 'api-server-only': apiServerOnly } = values;
  if (help || command === undefined || (node && apiServerOnly)) {
    (help ? process.stdout : process.stderr).write(HELP);
    return help ? 0 : 2;
  }
  await command({ apiServerOnly, node });
  return 0;
}

async function build({ apiServerOnly, node }: Options): Promise<void> {
  if (!node) return printPrograms(await findControlPlane({ controllers: !apiServerOnly }));
  // What both are made of is mostly the same, and compiled once.
  mkdirSync(cacheDirectory(), { recursive: true });
  const goCache = createWorkspace(cacheDirectory());
  try {
    printPrograms(await findControlPlane({ controllers: true, goCache }));
    printPrograms(await findNodePrograms({ goCache }));
  } finally {
    removeWorkspace(goCache);
  }
}

async function path({ apiServerOnly, node }: Options): Promise<void> {
  printPrograms(await findControlPlane({ controllers: !apiServerOnly, mayFetch: false }));
  if (node) printPrograms(await findNodePrograms({ mayFetch: false }));
}

async function start({ apiServerOnly, node }: Options): Promise<void> {
  const controlPlane = await startControlPlane({
    controllers: !apiServerOnly,
    ...(node ? { node: 'real' } : {}),
  });
  const kubectl = findTool('kubectl');
  const lines = [
    `Kubernetes answers at ${controlPlane.server}`,
    '',
    `  export KUBECONFIG=${controlPlane.kubeconfig}`,
    `  ${kubectl.path ?? 'kubectl'} get namespaces`,
    '',
    ...(kubectl.path === undefined ? [`(${kubectl.reason})`] : []),
    node
      ? 'Pods really run. There is no registry: only images that are loaded are there.'
      : 'Pods are bound and reported, but nothing runs in them.',
    'Ctrl-C ends it and removes everything.',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await controlPlane.stop();
}

async function clean(): Promise<void> {
  const cache = cacheDirectory();
  const removed = [...sweep(), ...sweepIfThere(cache)];
  for (const name of entries(cache)) {
    rmSync(join(cache, name), { recursive: true, force: true });
    removed.push(join(cache, name));
  }
  process.stdout.write(removed.length === 0 ? 'nothing to remove\n' : `removed\n  ${removed.join('\n  ')}\n`);
}

function sweepIfThere(directory: string): string[] {
  return entries(directory).length === 0 ? [] : sweep(directory);
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function printPrograms(programs: Binaries | NodePrograms): void {
  const { layout: _, ...files } = { layout: '', ...programs };
  process.stdout.write(`${Object.values(files).join('\n')}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    // What people can act on is the message; a stack is for faults.
    const text = error instanceof ControlPlaneNotFound ? error.message : inspect(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = 1;
  }
}
