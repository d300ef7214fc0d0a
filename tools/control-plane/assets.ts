import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  binariesIn,
  cacheDirectory,
  envtestStore,
  goPlatform,
  hasControllers,
  KUBERNETES_VERSION,
} from './binaries.ts';
import type { Binaries, Environment } from './binaries.ts';
import { archiveFor, ChecksumMismatch, download } from './download.ts';
import type { Archive } from './download.ts';
import { goBuild, goVersion, NO_GO } from './go-build.ts';
import { install } from './install.ts';
import type { Log } from './install.ts';

export interface FindOptions {
  /** True: only with kube-controller-manager. False: an API server will do. Default: with, else without. */
  readonly controllers?: boolean | undefined;
  /** False: only what is on the machine already; nothing is downloaded or built. */
  readonly mayFetch?: boolean;
  readonly env?: Environment;
  readonly log?: Log;
  /** A compiler's cache that other builds share. */
  readonly goCache?: string;
  /** Default: the pinned archive of this platform. */
  readonly archive?: Archive | undefined;
}

/** Every place was tried; the message lists each with its reason. */
export class ControlPlaneNotFound extends Error {
  override readonly name = 'ControlPlaneNotFound';
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super(`no Kubernetes control plane:\n${reasons.map((reason) => `  - ${reason}`).join('\n')}`);
    this.reasons = reasons;
  }
}

interface Search {
  readonly controllers: boolean;
  readonly env: Environment;
  readonly log: Log;
  readonly goCache: string | undefined;
  readonly archive: Archive | undefined;
}

/** A step answers with programs, or with the reason why it has none; what it throws ends the search. */
type Step = (search: Search) => Promise<Binaries | string> | Binaries | string;

/** Finds the control plane on this machine, else downloads it, else builds it. */
export async function findControlPlane(options: FindOptions = {}): Promise<Binaries> {
  const { controllers, mayFetch = true, env = process.env, log = toStderr, goCache } = options;
  const archive = 'archive' in options ? options.archive : archiveFor(goPlatform());
  const steps = stepsFor(env, mayFetch);
  const wanted = { env, log, goCache, archive };
  if (controllers !== undefined) return search(steps, { ...wanted, controllers });
  try {
    return await search(steps, { ...wanted, controllers: true });
  } catch (error) {
    if (!(error instanceof ControlPlaneNotFound)) throw error;
    log(`${error.message}\nlooking for one without controllers`);
    return search(steps, { ...wanted, controllers: false });
  }
}

async function search(steps: readonly Step[], wanted: Search): Promise<Binaries> {
  // A set: without an archive, two steps have the same reason.
  const reasons = new Set<string>();
  for (const step of steps) {
    const found = await step(wanted);
    if (typeof found === 'string') reasons.add(found);
    else if (wanted.controllers && !hasControllers(found)) {
      reasons.add(`${programOf(found)}: there is no kube-controller-manager beside it`);
    } else return found;
  }
  throw new ControlPlaneNotFound([...reasons]);
}

function stepsFor(env: Environment, mayFetch: boolean): readonly Step[] {
  const choice = env['FLOE_TEST_CONTROL_PLANE'];
  const places = [fromEnvironment, fromOwnBuilds, fromOwnDownloads, fromEnvtestStore];
  if (choice === undefined || choice === '')
    return [...places, ...(mayFetch ? [byDownload, byBuild] : [notFetched])];
  if (choice === 'build') return [fromOwnBuilds, mayFetch ? byBuild : notFetched];
  if (choice === 'download') return [fromOwnDownloads, mayFetch ? byDownload : notFetched];
  throw new Error(`FLOE_TEST_CONTROL_PLANE is '${choice}'; it can be 'build' or 'download'`);
}

const fromEnvironment: Step = ({ env }) => {
  const directory = env['KUBEBUILDER_ASSETS'];
  if (directory === undefined || directory === '') return 'KUBEBUILDER_ASSETS is not set';
  const found = binariesIn(directory);
  // Who sets it means it: going on with other programs would be a surprise.
  if (found === undefined) throw new Error(`KUBEBUILDER_ASSETS=${directory} lacks etcd or kube-apiserver`);
  return found;
};

const fromOwnBuilds: Step = ({ env }) => fromDirectory(join(cacheDirectory(env), buildName()));

const fromOwnDownloads: Step = ({ env, archive }) =>
  archive === undefined ? noArchive() : fromDirectory(join(cacheDirectory(env), downloadName(archive)));

const fromEnvtestStore: Step = ({ env }) => {
  const { os, arch } = goPlatform();
  const store = envtestStore(env);
  const newest = entriesOf(store)
    .filter((name) => name.endsWith(`-${os}-${arch}`))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))[0];
  return newest === undefined ? `${store}: nothing for ${os}-${arch}` : fromDirectory(join(store, newest));
};

const byDownload: Step = async ({ controllers, env, log, archive }) => {
  if (archive === undefined) return noArchive();
  if (controllers) return 'download: the published archives hold no kube-controller-manager';
  try {
    const fill = (staging: string, scratch: string) => download(archive, staging, scratch, log);
    return await install({ name: downloadName(archive), env, log, fill, find: binariesIn });
  } catch (error) {
    if (error instanceof ChecksumMismatch) throw error;
    return `download: ${wordsOf(error)}`;
  }
};

const byBuild: Step = async ({ env, log, goCache: cache }) => {
  if ((await goVersion(env)) === undefined) return `build: ${NO_GO}`;
  try {
    const fill = (staging: string, scratch: string) =>
      goBuild({ staging, scratch, env, log, cache, packages: ['.'], output: 'controlplane' });
    return await install({ name: buildName(), env, log, fill, find: binariesIn });
  } catch (error) {
    return `build: ${wordsOf(error)}`;
  }
};

const notFetched: Step = () =>
  "nothing is downloaded or built here; 'npm run control-plane -- build' does it, once";

function fromDirectory(directory: string): Binaries | string {
  return binariesIn(directory) ?? `${directory}: not there, or incomplete`;
}

export function buildName(): string {
  const { os, arch } = goPlatform();
  return `${KUBERNETES_VERSION}-${os}-${arch}`;
}

function downloadName(archive: Archive): string {
  const { os, arch } = goPlatform();
  return `envtest-${archive.version}-${os}-${arch}`;
}

function noArchive(): string {
  const { os, arch } = goPlatform();
  return `download: no archive with a pinned sum for ${os}-${arch}`;
}

function programOf(binaries: Binaries): string {
  return binaries.layout === 'one' ? binaries.controlPlane : binaries.apiServer;
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** fetch's own message is 'fetch failed'; what failed is in the cause. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

export function toStderr(line: string): void {
  process.stderr.write(`control plane: ${line}\n`);
}
