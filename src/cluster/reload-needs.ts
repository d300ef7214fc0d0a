/** What each workload needs, judged from the cluster as it is known; and which Secrets it must be known of for that. */
import type { KubeObject } from '../kube/object.ts';
import { SERVICE_ACCOUNT, namespaceOf } from '../kube/object.ts';
import type { PodRecord, WorkloadRecord } from '../kube/running.ts';
import type { Read } from '../kube/world.ts';
import type { Need } from '../reload/need.ts';
import { needOf, usedSecrets } from '../reload/need.ts';
import { otherReloader } from '../reload/other-reloaders.ts';
import { isWished, wishOf } from '../reload/wishes.ts';
import type { ReloadSecrets, SecretPlace } from './reload-secrets.ts';
import type { LiveWorld } from './world.ts';

interface Known {
  readonly world: Pick<LiveWorld, 'namespace' | 'object' | 'secret' | 'targeting'>;
  readonly secrets: ReloadSecrets;
  /** Whose sync resources count also for Secrets of other namespaces. */
  readonly trustedNamespaces: ReadonlySet<string>;
}

/** Judges one workload, and has the Secrets looked at that count for it. */
export function judgeWorkload(
  { world, secrets, trustedNamespaces }: Known,
  key: string,
  { workload, pods }: { readonly workload: WorkloadRecord; readonly pods: readonly PodRecord[] },
): Need {
  const { namespace } = workload;
  const place = (name: string): SecretPlace => ({ namespace, name });
  const annotations = (name: string): Readonly<Record<string, string>> | undefined =>
    (secrets.record(place(name)) ?? valueOf(world.secret(namespace, name)))?.annotations;
  // Who may write elsewhere shall not restart anything here.
  const claimants = (name: string): readonly KubeObject[] =>
    world.targeting(namespace, name).filter(({ raw }) => {
      const home = namespaceOf(raw);
      return home === namespace || home === '' || trustedNamespaces.has(home);
    });
  const account = pods[0]?.serviceAccountName ?? 'default';
  const wish = wishOf(workload, {
    serviceAccount: valueOf(world.object(SERVICE_ACCOUNT, namespace, account)),
    namespace: valueOf(world.namespace(namespace)),
  });
  const used = wish === 'never' ? [] : [...new Set(pods.flatMap(usedSecrets))];
  const wanted = new Set(
    used.filter((name) => wish === 'every' || isWished(annotations(name), claimants(name))),
  );
  secrets.want(key, [...wanted].map(place), used.map(place));
  return needOf({
    workload,
    pods,
    isWanted: (name) => wanted.has(name),
    knowledge: (name) => secrets.knowledge(place(name)),
    other: (name) =>
      otherReloader(workload, {
        name,
        annotations: annotations(name) ?? {},
        claimants: claimants(name),
      }),
  });
}

function valueOf<T>(read: Read<T>): T | undefined {
  return read.state === 'present' ? read.value : undefined;
}
