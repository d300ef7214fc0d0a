import type { ApiClient } from './api-client.ts';
import { ContainerConfigError, effectiveEnv } from './effective-env.ts';
import { MountError, mountedIn, volumeFiles } from './mounted-files.ts';
import type { Files, MountedFile } from './mounted-files.ts';
import { NODE_NAME, reportFailedMount } from './node.ts';
import type { Container, Pod, ReadSource } from './pod-shape.ts';
import { podStatus, settled } from './pod-status.ts';
import type { ContainerState } from './pod-status.ts';

/** Annotation of a pod that says how its containers end: with an exit code, or 'never'. */
export const EXIT_CODE = 'stand-in.floe.dev/exit-code';

const SCHEDULER = 'default-scheduler';

/** Takes one pod through its life, as far as there is one without processes. */
export class PodWorker {
  pod: Pod;
  readonly env = new Map<string, Readonly<Record<string, string>>>();
  readonly files = new Map<string, Readonly<Record<string, MountedFile>>>();
  readonly #api: ApiClient;
  readonly #podIP: string;
  readonly #states = new Map<string, ContainerState>();
  #reported = '';
  #mountFailure = '';

  constructor(api: ApiClient, pod: Pod, podIP: string) {
    this.#api = api;
    this.pod = pod;
    this.#podIP = podIP;
  }

  isWaiting(): boolean {
    return [...this.#states.values()].some((state) => state.kind === 'waiting');
  }

  async reconcile(): Promise<void> {
    const { metadata, spec, status } = this.pod;
    if (spec.nodeName === undefined || spec.nodeName === '') return this.#schedule();
    if (spec.nodeName !== NODE_NAME) return;
    if (metadata.deletionTimestamp !== undefined) return this.#remove();
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return;
    await this.#startContainers();
    await this.#report();
    if (this.#endContainers()) await this.#report();
  }

  #path(subresource = ''): string {
    const { name, namespace } = this.pod.metadata;
    return `/api/v1/namespaces/${namespace}/pods/${name}${subresource}`;
  }

  async #schedule(): Promise<void> {
    const { metadata, spec } = this.pod;
    const isOurs =
      (spec.schedulerName ?? SCHEDULER) === SCHEDULER && metadata.deletionTimestamp === undefined;
    if (!isOurs || (spec.schedulingGates ?? []).length > 0) return;
    const { name, uid } = metadata;
    const target = { apiVersion: 'v1', kind: 'Node', name: NODE_NAME };
    await this.#api.request('POST', this.#path('/binding'), { metadata: { name, uid }, target });
  }

  /** The API server leaves a bound pod in place until its node says that it is gone. */
  async #remove(): Promise<void> {
    const preconditions = { uid: this.pod.metadata.uid };
    await this.#api.request('DELETE', this.#path(), { gracePeriodSeconds: 0, preconditions });
  }

  async #startContainers(): Promise<void> {
    const { initContainers = [], containers } = this.pod.spec;
    const read = readerOf(this.#api, this.pod.metadata.namespace);
    const volumes = await this.#mount(read);
    if (volumes === undefined) return;
    for (const one of initContainers) {
      if (!settled(one, this.#states.get(one.name))) await this.#start(one, volumes, read);
      const state = this.#states.get(one.name);
      if (state?.kind === 'running' && one.restartPolicy !== 'Always') this.#end(one, 0);
      if (!settled(one, this.#states.get(one.name))) return;
    }
    for (const one of containers) {
      const state = this.#states.get(one.name);
      if (state === undefined || state.kind === 'waiting') await this.#start(one, volumes, read);
    }
  }

  /** Volumes come before the first container, for all of them at once. */
  async #mount(read: ReadSource): Promise<ReadonlyMap<string, Files> | undefined> {
    try {
      return await volumeFiles(this.pod, read);
    } catch (error) {
      if (!(error instanceof MountError)) throw error;
      const reason =
        (this.pod.spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating';
      for (const { name } of this.pod.spec.containers) {
        if (!this.#states.has(name)) this.#states.set(name, { kind: 'waiting', reason });
      }
      if (this.#mountFailure !== error.message) await reportFailedMount(this.#api, this.pod, error.message);
      this.#mountFailure = error.message;
      return undefined;
    }
  }

  async #start(container: Container, volumes: ReadonlyMap<string, Files>, read: ReadSource): Promise<void> {
    const { name } = container;
    try {
      this.env.set(name, await effectiveEnv(this.pod, container, read));
      this.files.set(name, mountedIn(container, volumes));
      this.#states.set(name, { kind: 'running', at: new Date().toISOString() });
    } catch (error) {
      if (!(error instanceof ContainerConfigError)) throw error;
      const reason = 'CreateContainerConfigError';
      this.#states.set(name, { kind: 'waiting', reason, message: error.message });
    }
  }

  #end({ name }: Container, exitCode: number): void {
    this.#states.set(name, { kind: 'ended', at: new Date().toISOString(), exitCode });
  }

  /** A pod that is not restarted is a Job's, and what would have run has run; an annotation can differ. */
  #endContainers(): boolean {
    const { restartPolicy = 'Always', initContainers = [], containers } = this.pod.spec;
    const wish = this.pod.metadata.annotations?.[EXIT_CODE] ?? (restartPolicy === 'Always' ? 'never' : '0');
    const allRun = containers.every(({ name }) => this.#states.get(name)?.kind === 'running');
    if (!allRun || wish === 'never') return false;
    for (const one of containers) this.#end(one, Number(wish));
    for (const one of initContainers.filter((init) => init.restartPolicy === 'Always')) this.#end(one, 0);
    return true;
  }

  async #report(): Promise<void> {
    const states = JSON.stringify([...this.#states]);
    if (states === this.#reported) return;
    const status = podStatus(this.pod, this.#states, this.#podIP);
    await this.#api.request('PATCH', this.#path('/status'), {
      metadata: { uid: this.pod.metadata.uid },
      status,
    });
    this.#reported = states;
  }
}

/** Each name is read once per look, so that one container never sees two versions of a Secret. */
function readerOf(api: ApiClient, namespace: string): ReadSource {
  const read = new Map<string, Promise<ReadonlyMap<string, string> | undefined>>();
  return async (kind, name) => {
    const path = `/api/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
    const known = read.get(path) ?? fetchData(api, path, kind === 'Secret' ? 'base64' : 'utf8');
    read.set(path, known);
    return known;
  };
}

async function fetchData(
  api: ApiClient,
  path: string,
  encoding: BufferEncoding,
): Promise<ReadonlyMap<string, string> | undefined> {
  const { status, body } = await api.send<{ data?: Record<string, string> }>('GET', path);
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`GET ${path}: ${status}`);
  const decoded = Object.entries(body.data ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, encoding).toString()] as const,
  );
  return new Map(decoded);
}
