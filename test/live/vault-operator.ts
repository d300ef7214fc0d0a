/**
 * A stand-in for HashiCorp's Vault Secrets Operator, as its sources of v1.4 read (vaultstaticsecret_controller.go,
 * helpers/secrets.go), that really reads the stand-in of Vault. What it owns it replaces, labels and annotations and
 * owners and all; what it does not own it refuses without a word; it deletes a Secret to change its type, and prunes
 * one of another name; and it mends each Secret whose data is not what it wrote.
 */
import { createHash } from 'node:crypto';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import type { VaultServer } from '../upstream/vault-server.ts';
import { VaultReader } from './vault-reader.ts';
import type { Destination } from './vault-rendering.ts';
import { renderedData } from './vault-rendering.ts';

const GROUP = 'secrets.hashicorp.com';
const FINALIZER = `vaultstaticsecret.${GROUP}/finalizer`;
const UID = `${GROUP}/vso-ownerRefUID`;
const MERGE_PATCH = { contentType: 'application/merge-patch+json' };
const OWNER_LABELS = {
  'app.kubernetes.io/name': 'vault-secrets-operator',
  'app.kubernetes.io/managed-by': 'hashicorp-vso',
  'app.kubernetes.io/component': 'secret-sync',
};

export interface VaultStaticSecret {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly generation: number;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
  };
  readonly spec: {
    readonly vaultAuthRef?: string;
    readonly namespace?: string;
    readonly mount: string;
    readonly path: string;
    readonly type: string;
    readonly hmacSecretData?: boolean;
    readonly destination: Destination;
  };
  readonly status?: {
    readonly lastGeneration?: number;
    readonly secretMAC?: string;
    readonly conditions?: readonly Condition[];
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

type Labels = Readonly<Record<string, string>>;

interface Secret {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion?: string;
    readonly labels?: Labels | null;
    readonly annotations?: Labels | undefined;
    readonly ownerReferences?: readonly Owner[];
  };
  readonly type?: string;
  readonly data?: Labels;
}

interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface VaultOperatorOptions {
  /** As before 1.0: no conditions; what goes wrong is told in Events alone. */
  readonly old?: boolean;
  /** It acts on what a resource was so many milliseconds ago. */
  readonly lateMs?: number;
}

export interface VaultOperator {
  /** Every read fails from now on; or those for this Secret. */
  fail(message: string, secret?: string): void;
  /** The Events of syncs that went wrong, which no status tells of. */
  readonly refusals: readonly string[];
  stop(): Promise<void>;
}

export function startVaultOperator(
  api: ApiClient,
  namespace: string,
  vault: () => VaultServer,
  options: VaultOperatorOptions = {},
): VaultOperator {
  const state = { failure: '', failsFor: undefined as string | undefined, stopped: false };
  const refusals: string[] = [];
  const reader = new VaultReader(api, vault);
  const collection = `/apis/${GROUP}/v1beta1/namespaces/${namespace}/vaultstaticsecrets`;
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const remembered: { readonly at: number; readonly items: readonly VaultStaticSecret[] }[] = [];

  const passes = async (): Promise<void> => {
    const { items } = await api.request<{ readonly items: readonly VaultStaticSecret[] }>('GET', collection);
    remembered.push({ at: Date.now(), items });
    const late = remembered.findLast(({ at }) => at <= Date.now() - (options.lateMs ?? 0))?.items ?? [];
    for (const item of late) {
      const isThere = items.some(({ metadata }) => metadata.uid === item.metadata.uid);
      // As any controller: what fails is tried again.
      if (isThere) await reconcile(item).catch(() => undefined);
    }
  };

  const reconcile = async (item: VaultStaticSecret): Promise<void> => {
    const { metadata, spec } = item;
    if (metadata.deletionTimestamp !== undefined) return setFinalizers(item, false);
    const found = await readSecret(spec.destination.name);
    // Without a Secret that it may not make it goes away again, and says nothing.
    if (found === undefined && spec.destination.create !== true) return;
    const { data, failure } = await readData(item);
    if (data === undefined) return report(item, { failure });
    const mac = createHash('sha256')
      .update(JSON.stringify(sorted(data)))
      .digest('base64');
    const checks = spec.hmacSecretData !== false;
    const drifted =
      mac !== item.status?.secretMAC || JSON.stringify(sorted(data)) !== JSON.stringify(sorted(found?.data));
    const isDue = !checks || item.status?.lastGeneration !== metadata.generation || drifted;
    const refusal = isDue ? await sync(item, { found, data }) : undefined;
    if (refusal !== undefined) return void refusals.push(`${spec.destination.name}: ${refusal}`);
    await report(item, { wrote: isDue, ...(checks ? { mac } : {}) });
  };

  const readData = async ({
    metadata,
    spec,
  }: VaultStaticSecret): Promise<{ readonly data?: Labels; readonly failure?: string }> => {
    try {
      const { transformation } = spec.destination;
      const login = await reader.logIn(spec.vaultAuthRef, metadata.namespace);
      for (const { name } of transformation?.transformationRefs ?? []) {
        throw new Error(`secrettransformations.${GROUP} "${name}" not found`);
      }
      const fails = (state.failsFor ?? spec.destination.name) === spec.destination.name;
      if (state.failure !== '' && fails) throw new Error(state.failure);
      return { data: renderedData(await reader.read(spec, login), transformation) };
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) };
    }
  };

  /** Words where it refuses. */
  const sync = async (
    { metadata: { name, uid }, spec: { destination } }: VaultStaticSecret,
    { found, data }: { readonly found: Secret | undefined; readonly data: Labels },
  ): Promise<string | undefined> => {
    const owner: Owner = { apiVersion: `${GROUP}/v1beta1`, kind: 'VaultStaticSecret', name, uid };
    if (destination.create === true) {
      if (
        found !== undefined &&
        (destination.overwrite !== true || hasOwnerLabels(found)) &&
        !isOwned(found, owner)
      ) {
        return `not the owner of the destination Secret ${namespace}/${destination.name}`;
      }
      const made: Secret = {
        metadata: {
          name: destination.name,
          labels: { ...destination.labels, ...OWNER_LABELS, [UID]: uid },
          annotations: destination.annotations,
          ownerReferences: [owner],
        },
        type: destination.type ?? 'Opaque',
        data,
      };
      await writeOwned(made, found);
    } else await api.request('PUT', `${secrets}/${destination.name}`, { ...found, data });
    await prune(destination.name, owner);
    return undefined;
  };

  const writeOwned = async (made: Secret, found: Secret | undefined): Promise<void> => {
    if (found === undefined) return void (await api.request('POST', secrets, made));
    const path = `${secrets}/${made.metadata.name}`;
    const { resourceVersion } = found.metadata;
    const body = { ...made, metadata: { ...made.metadata, resourceVersion } };
    if (found.type === made.type) return void (await api.request('PUT', path, body));
    await api.request('PUT', path, {
      ...body,
      type: found.type,
      metadata: { ...body.metadata, labels: null },
    });
    await api.request('DELETE', path);
    await api.request('POST', secrets, made);
  };

  const prune = async (keep: string, owner: Owner): Promise<void> => {
    const { items } = await api.request<{ readonly items: readonly Secret[] }>(
      'GET',
      `${secrets}?labelSelector=${encodeURIComponent(`${UID}=${owner.uid}`)}`,
    );
    const orphans = items.filter((one) => isOwned(one, owner) && one.metadata.name !== keep);
    for (const { metadata } of orphans) await api.send('DELETE', `${secrets}/${metadata.name}`);
  };

  const readSecret = async (name: string): Promise<Secret | undefined> => {
    const found = await api.send<Secret>('GET', `${secrets}/${name}`);
    return found.status === 200 ? found.body : undefined;
  };

  /** Of the resource as it was read: a status of an older one is refused, and lost. */
  const report = async (
    item: VaultStaticSecret,
    {
      failure,
      wrote,
      mac,
    }: { readonly failure?: string | undefined; readonly wrote?: boolean; readonly mac?: string },
  ): Promise<void> => {
    const { generation, name } = item.metadata;
    const ok = failure === undefined;
    if (!ok && options.old === true) return;
    const told = (type: string, reason: string, message: string): Condition => ({
      type,
      status: ok ? 'True' : 'False',
      reason,
      message,
      observedGeneration: generation,
      lastTransitionTime: new Date().toISOString(),
    });
    const synced = ok
      ? 'Secret synced, horizon=30s'
      : `Failed to sync the secret, horizon=5s, err=${failure}`;
    const fresh = [
      ...(ok && wrote !== true ? [] : [told('SecretSynced', 'Synced', synced)]),
      told('Healthy', ok ? 'Healthy' : 'Unhealthy', 'VaultStaticSecret'),
      told('Ready', 'Ready', 'VaultStaticSecret'),
    ];
    const kept = (item.status?.conditions ?? []).filter(({ type }) =>
      fresh.every((one) => one.type !== type),
    );
    const status = {
      ...item.status,
      lastGeneration: generation,
      ...(mac === undefined ? {} : { secretMAC: mac }),
      ...(options.old === true ? {} : { conditions: [...kept, ...fresh] }),
    };
    await api.send('PUT', `${collection}/${name}/status`, { ...item, status });
    await setFinalizers(item, true);
  };

  const setFinalizers = async ({ metadata }: VaultStaticSecret, wanted: boolean): Promise<void> => {
    const others = (metadata.finalizers ?? []).filter((one) => one !== FINALIZER);
    if (metadata.finalizers?.includes(FINALIZER) === wanted) return;
    const finalizers = wanted ? [...others, FINALIZER] : others;
    const change = { metadata: { uid: metadata.uid, finalizers } };
    await api.send('PATCH', `${collection}/${metadata.name}`, change, MERGE_PATCH);
  };

  const work = async (): Promise<void> => {
    while (!state.stopped) {
      await passes().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const working = work();
  return {
    refusals,
    fail: (failure, failsFor) => void Object.assign(state, { failure, failsFor }),
    async stop() {
      state.stopped = true;
      await working;
    },
  };
}

function hasOwnerLabels({ metadata }: Secret): boolean {
  return Object.entries(OWNER_LABELS).every(([key, value]) => metadata.labels?.[key] === value);
}

/** All of its labels, and no ownerReference but its own. */
function isOwned(secret: Secret, owner: Owner): boolean {
  const references = secret.metadata.ownerReferences ?? [];
  return (
    hasOwnerLabels(secret) &&
    references.length === 1 &&
    JSON.stringify(sorted(references[0])) === JSON.stringify(sorted(owner))
  );
}

function sorted(map: object = {}): readonly (readonly [string, unknown])[] {
  return Object.entries(map).toSorted(([one], [other]) => (one < other ? -1 : 1));
}
