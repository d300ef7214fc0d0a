import type { Container, Pod } from './pod-shape.ts';

/** What the stand-in decided about one container. */
export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly kind: 'running'; readonly at: string }
  | { readonly kind: 'ended'; readonly at: string; readonly exitCode: number };

/** The status a kubelet would write for these container states. */
export function podStatus(pod: Pod, states: ReadonlyMap<string, ContainerState>, podIP: string): object {
  const init = pod.spec.initContainers ?? [];
  const main = pod.spec.containers;
  const initialized = init.every((one) => settled(one, states.get(one.name)));
  const ready = initialized && main.every((one) => states.get(one.name)?.kind === 'running');
  const phase = phaseOf(
    main.map((one) => states.get(one.name)),
    initialized,
  );
  return {
    phase,
    hostIP: '127.0.0.1',
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: [
      condition('PodScheduled', true),
      condition('PodReadyToStartContainers', true),
      condition('Initialized', initialized),
      condition('ContainersReady', ready, phase),
      condition('Ready', ready, phase),
    ],
    ...(init.length === 0
      ? {}
      : { initContainerStatuses: init.map((one) => statusOf(one, states.get(one.name))) }),
    containerStatuses: main.map((one) => statusOf(one, states.get(one.name))),
  };
}

/** An init container that ended well, or a sidecar that runs, lets the next one start. */
export function settled(container: Container, state: ContainerState | undefined): boolean {
  if (container.restartPolicy === 'Always') return state?.kind === 'running';
  return state?.kind === 'ended' && state.exitCode === 0;
}

function phaseOf(states: readonly (ContainerState | undefined)[], initialized: boolean): string {
  if (!initialized || states.some((state) => state === undefined || state.kind === 'waiting'))
    return 'Pending';
  if (states.some((state) => state?.kind === 'running')) return 'Running';
  return states.some((state) => state?.kind === 'ended' && state.exitCode !== 0) ? 'Failed' : 'Succeeded';
}

function condition(type: string, isTrue: boolean, phase?: string): object {
  const reason =
    phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : 'ContainersNotReady';
  return {
    type,
    status: isTrue ? 'True' : 'False',
    lastTransitionTime: new Date().toISOString(),
    ...(isTrue || phase === undefined ? {} : { reason }),
  };
}

function statusOf({ name, image }: Container, state: ContainerState | undefined): object {
  const running = state?.kind === 'running';
  return {
    name,
    image,
    imageID: '',
    restartCount: 0,
    ready: running || (state?.kind === 'ended' && state.exitCode === 0),
    started: running,
    state: stateOf(state ?? { kind: 'waiting', reason: 'PodInitializing' }),
  };
}

function stateOf(state: ContainerState): object {
  if (state.kind === 'running') return { running: { startedAt: state.at } };
  if (state.kind === 'waiting') {
    const { reason, message } = state;
    return { waiting: { reason, ...(message === undefined ? {} : { message }) } };
  }
  const { at, exitCode } = state;
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  return { terminated: { exitCode, reason, startedAt: at, finishedAt: at } };
}
