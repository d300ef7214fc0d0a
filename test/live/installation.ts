/** The chart on a control plane of its own, with replicas behind a balancer, and a load that goes through them. */
import { expect } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import type { CustomKind } from '../../tools/control-plane/crds.ts';
import { INFISICAL_KINDS, installCrds } from '../../tools/control-plane/crds.ts';
import { kubeconfigText } from '../../tools/control-plane/kubeconfig.ts';
import type { ControlPlaneOptions } from '../../tools/control-plane/start.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import type { WebhookProcess } from '../stories/webhook-process.ts';
import { startBalancer } from './balancer.ts';
import type { Balancer } from './balancer.ts';
import type { ReplicaOptions } from './chart.ts';
import { CHART, accountToken, configurations, helm, outside, startReplica, until } from './chart.ts';
import { HOME, SERVICE } from './cluster.ts';
import { startLoad } from './load.ts';
import type { LoadResult } from './load.ts';
import { makeSecret } from './served.ts';
import { temporaryFile } from './temporary-file.ts';

/** Where the load's pods are; of mode strict, as every opted-in namespace that says nothing else. */
export const JOBS = 'floe-jobs';
/** The same in mode warn. */
export const LENIENT_JOBS = 'floe-trials';

export interface InstallationOptions {
  /** Helm's arguments besides. */
  readonly values?: readonly string[];
  /** Path of a chart or its archive; default the one of this repository. */
  readonly chart?: string;
  /** By the port at which the API server will find the webhook. */
  readonly controlPlane?: (port: number) => ControlPlaneOptions;
  /** Kinds besides Infisical's. */
  readonly kinds?: readonly CustomKind[];
}

export interface StartOptions extends ReplicaOptions {
  readonly serving?: boolean;
  /** Another ServiceAccount than the webhook's. */
  readonly account?: string;
}

export interface Installation {
  readonly plane: ControlPlane;
  /** The replicas that run, the oldest first. */
  readonly replicas: readonly WebhookProcess[];
  readonly balancer: Balancer;
  /** `helm upgrade` with the values of the installation and these. */
  upgrade(values?: readonly string[], chart?: string): Promise<void>;
  /** Another replica; the API server calls it unless `serving` is false. */
  start(options?: StartOptions): Promise<WebhookProcess>;
  /** SIGTERM, or another signal, and its end. */
  end(replica: WebhookProcess, signal?: NodeJS.Signals): Promise<void>;
  /** Until pods that nobody judges are refused. */
  untilClosed(): Promise<void>;
  /** Does something while pods are created without a pause, some before it and some after; gives what became of them. */
  load(work?: () => Promise<void>): Promise<LoadResult>;
  /** The same, and no pod may have failed or passed unjudged. */
  underLoad(work?: () => Promise<void>): Promise<LoadResult>;
  stop(): Promise<void>;
}

/** Enough to have every worker's call in the air. */
const SOME = 40;

export async function install(options: InstallationOptions = {}): Promise<Installation> {
  const balancer = await startBalancer();
  const plane = await startControlPlane(options.controlPlane?.(balancer.port));
  await installCrds(plane, [...INFISICAL_KINDS, ...(options.kinds ?? [])]);
  // Roles of the chart may be theirs.
  await makeNamespaces(plane);
  const values = [...outside(balancer.port), ...(options.values ?? [])];
  const place = [SERVICE, options.chart ?? CHART, '-n', HOME];
  await helm(plane.kubeconfig, 'install', ...place, '--create-namespace', ...values);
  const kubeconfigOf = async (account: string): Promise<string> => {
    const token = await accountToken(plane, account);
    return temporaryFile(kubeconfigText({ server: plane.server, ca: plane.ca, token }));
  };
  const kubeconfig = await kubeconfigOf(SERVICE);
  const replicas: WebhookProcess[] = [];
  const load = async (work?: () => Promise<void>): Promise<LoadResult> => {
    const running = startLoad(plane, JOBS, { lenient: LENIENT_JOBS });
    try {
      await running.atLeast(SOME);
      await work?.();
      await running.atLeast(SOME);
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running.stop();
  };
  return {
    plane,
    replicas,
    balancer,
    upgrade: async (more = [], chart = CHART) => {
      await helm(plane.kubeconfig, 'upgrade', SERVICE, chart, '-n', HOME, ...values, ...more);
    },
    start: async ({ serving = true, account, ...replicaOptions } = {}) => {
      const credentials = account === undefined ? kubeconfig : await kubeconfigOf(account);
      const replica = await startReplica(plane, credentials, replicaOptions);
      replicas.push(replica);
      if (serving) balancer.add(replica);
      return replica;
    },
    end: async (replica, signal) => {
      if (signal !== undefined) replica.child.kill(signal);
      await replica.stop();
      replicas.splice(replicas.indexOf(replica), 1);
    },
    untilClosed: () =>
      until('the strict webhooks are Fail', async () => (await policies(plane))['validate'] === 'Fail'),
    load,
    underLoad: async (work) => {
      const result = await load(work);
      expect([result.failed, result.unjudged]).toEqual([[], []]);
      return result;
    },
    stop: async () => {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await balancer.stop();
      await plane.stop();
    },
  };
}

async function makeNamespaces(plane: ControlPlane): Promise<void> {
  const injection = { 'secrets.floe.dev/injection': 'enabled' };
  const namespaces = {
    [JOBS]: injection,
    [LENIENT_JOBS]: { ...injection, 'secrets.floe.dev/enforcement': 'warn' },
  };
  for (const [name, labels] of Object.entries(namespaces)) {
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name, labels } });
    await makeSecret(plane, name, 'db');
  }
}

/** The failurePolicy of each webhook, by the first part of its name. */
export async function policies(plane: ControlPlane): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries(
    (await configurations(plane))
      .flatMap(({ webhooks }) => webhooks)
      .map(({ name, failurePolicy }) => [name.split('.', 1)[0] ?? '', failurePolicy]),
  );
}
