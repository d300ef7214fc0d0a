/**
 * Stand-ins for the Infisical operator's controllers, as they were seen to act: v1alpha1 wakes by a new generation
 * alone, v1beta1 by annotations too; a pass that changes nothing writes nothing but what differs.
 */
import type { ApiClient } from '../../tools/control-plane/api-client.ts';

const CONDITION = 'secrets.infisical.com/ReadyToSyncSecrets';
const GROUP = '/apis/secrets.infisical.com';
const MERGE_PATCH = { contentType: 'application/merge-patch+json' };

export interface Operator {
  /** Resolves once a resource of this name had a pass. */
  synced(name: string): Promise<void>;
  passes(name: string): number;
  /** From now on each pass fails with this message, or none does. */
  fail(message: string | undefined): void;
  pause(paused: boolean): void;
  stop(): Promise<void>;
}

interface Resource {
  readonly metadata: { readonly name: string; readonly generation: number; readonly annotations?: object };
  readonly spec: {
    readonly managedKubeSecretReferences?: readonly { readonly secretName: string }[];
    readonly targets?: readonly { readonly name: string }[];
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

export function startInfisicalOperator(api: ApiClient, namespace: string): Operator {
  const seen = new Map<string, string>();
  const passes = new Map<string, number>();
  const state = { failure: undefined as string | undefined, paused: false, stopped: false };

  const reconcile = async (collection: string, resource: Resource, isStatic: boolean): Promise<void> => {
    const { name, generation, annotations } = resource.metadata;
    const woken = JSON.stringify(isStatic ? [generation, annotations] : generation);
    if (seen.get(name) === woken) return;
    const target =
      resource.spec.targets?.[0]?.name ?? resource.spec.managedKubeSecretReferences?.[0]?.secretName ?? '';
    if (state.failure === undefined) await ensureSecret(api, namespace, target);
    const conditions = conditionsOf(resource, { isStatic, failure: state.failure });
    await api.send('PATCH', `${collection}/${name}/status`, { status: { conditions } }, MERGE_PATCH);
    seen.set(name, woken);
    passes.set(name, (passes.get(name) ?? 0) + 1);
  };

  const pass = async (): Promise<void> => {
    for (const [version, plural] of [
      ['v1alpha1', 'infisicalsecrets'],
      ['v1beta1', 'infisicalstaticsecrets'],
    ] as const) {
      const collection = `${GROUP}/${version}/namespaces/${namespace}/${plural}`;
      const { items } = await api.request<{ readonly items: readonly Resource[] }>('GET', collection);
      if (state.paused) continue;
      for (const item of items) await reconcile(collection, item, version === 'v1beta1');
    }
  };

  const work = async (): Promise<void> => {
    while (!state.stopped) {
      // As any controller: what fails is tried again.
      await pass().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const working = work();
  return {
    async synced(name) {
      while (!passes.has(name)) await new Promise((resolve) => setTimeout(resolve, 50));
    },
    passes: (name) => passes.get(name) ?? 0,
    fail: (message) => void (state.failure = message),
    pause: (paused) => void (state.paused = paused),
    async stop() {
      state.stopped = true;
      await working;
    },
  };
}

async function ensureSecret(api: ApiClient, namespace: string, name: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  if ((await api.send('GET', `${path}/${name}`)).status === 200) return;
  const annotations = { 'secrets.infisical.com/version': 'W/"secrets-0-00000000"' };
  await api.request('POST', path, { metadata: { name, annotations }, data: { K: '' } });
}

/** As `meta.SetStatusCondition`: the time of a transition moves with the status alone. */
function conditionsOf(
  { status, metadata }: Resource,
  { isStatic, failure }: { readonly isStatic: boolean; readonly failure: string | undefined },
): readonly Condition[] {
  const ok = failure === undefined;
  const type = isStatic ? 'secrets.infisical.com/LastReconcileStatus' : CONDITION;
  const old = status?.conditions?.find((condition) => condition.type === type);
  const now = new Date().toISOString();
  const message = isStatic
    ? ok
      ? 'Reconciliation successful'
      : `Reconciliation failed: ${failure}`
    : ok
      ? 'Infisical controller has started syncing your secrets. Last reconcile synced 1 secrets'
      : `Failed to sync secrets. Error: ${failure}`;
  const condition: Condition = {
    type,
    status: ok ? 'True' : 'False',
    reason: ok ? 'OK' : 'Error',
    message,
    lastTransitionTime: old?.status === (ok ? 'True' : 'False') ? old.lastTransitionTime : now,
    ...(isStatic ? { observedGeneration: metadata.generation } : {}),
  };
  if (!isStatic || !ok) return [condition];
  const success = { ...condition, type: 'secrets.infisical.com/LastSuccessfulReconcileAt', message: now };
  return [condition, success];
}
