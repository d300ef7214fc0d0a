/**
 * A stand-in for External Secrets' controller, as that of v2 was read and seen to act, and as older ones do: it owns
 * by creationPolicy, heals a Secret whose data is not what it wrote, holds a finalizer, and may be slow, deaf or late.
 */
import { createHash } from 'node:crypto';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';

const GROUP = '/apis/external-secrets.io/v1';
const FINALIZER = 'externalsecrets.external-secrets.io/externalsecret-cleanup';
const MARKS = 'reconcile.external-secrets.io';
const MERGE_PATCH = { contentType: 'application/merge-patch+json' };

export interface ExternalSecret {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly secretStoreRef?: { readonly name: string };
    readonly target?: {
      readonly name?: string;
      readonly creationPolicy?: string;
      readonly deletionPolicy?: string;
    };
    readonly data?: readonly {
      readonly secretKey: string;
      readonly remoteRef: {
        readonly key: string;
        readonly property?: string;
        readonly decodingStrategy?: string;
      };
    }[];
    readonly dataFrom?: readonly unknown[];
  };
}

interface PushSecret {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly deletionPolicy?: string };
}

interface Secret {
  readonly metadata: {
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly data?: Readonly<Record<string, string>>;
}

export interface EsoOptions {
  /** What a store has, by its name: by keys, or by 'key/property'. */
  readonly stores: Readonly<Record<string, () => Readonly<Record<string, string>>>>;
  /** As v0.9: its ownerReference stays when the policy is no longer Owner. */
  readonly keepsOwner?: boolean;
  /** It acts on what an ExternalSecret was so many milliseconds ago. */
  readonly lateMs?: number;
}

export interface EsoOperator {
  /** The PushSecrets that were deleted with what they had pushed. */
  readonly emptied: readonly string[];
  /** Every pass fails from now on, or none does. */
  fail(message: string | undefined): void;
  pause(paused: boolean): void;
  stop(): Promise<void>;
}

export function startEsoOperator(api: ApiClient, namespace: string, options: EsoOptions): EsoOperator {
  const state = { failure: undefined as string | undefined, paused: false, stopped: false };
  const collection = `${GROUP}/namespaces/${namespace}/externalsecrets`;
  const pushes = `/apis/external-secrets.io/v1alpha1/namespaces/${namespace}/pushsecrets`;
  const emptied: string[] = [];
  const remembered: { readonly at: number; readonly items: readonly ExternalSecret[] }[] = [];

  const pass = async (): Promise<void> => {
    const { items } = await api.request<{ readonly items: readonly ExternalSecret[] }>('GET', collection);
    remembered.push({ at: Date.now(), items });
    const late = remembered.findLast(({ at }) => at <= Date.now() - (options.lateMs ?? 0))?.items ?? [];
    for (const item of late) {
      const name = item.metadata.name;
      // What is gone is not in its cache any more, however late that is.
      if (items.some((one) => one.metadata.uid === item.metadata.uid)) await reconcile(name, item);
    }
  };

  const push = async ({ metadata, spec }: PushSecret): Promise<void> => {
    const deletes = spec.deletionPolicy === 'Delete';
    if (metadata.deletionTimestamp !== undefined) {
      if (deletes) emptied.push(metadata.name);
      await api.send('PATCH', `${pushes}/${metadata.name}`, { metadata: { finalizers: null } }, MERGE_PATCH);
      return;
    }
    if (deletes) {
      const finalizers = ['pushsecret.externalsecrets.io/finalizer'];
      await api.send('PATCH', `${pushes}/${metadata.name}`, { metadata: { finalizers } }, MERGE_PATCH);
    }
    const status = { conditions: [{ type: 'Ready', status: 'True', reason: 'Synced' }] };
    await api.send('PATCH', `${pushes}/${metadata.name}/status`, { status }, MERGE_PATCH);
  };

  const reconcile = async (name: string, item: ExternalSecret): Promise<void> => {
    const { metadata, spec } = item;
    const target = spec.target?.name ?? name;
    const policy = spec.target?.creationPolicy ?? 'Owner';
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    if (metadata.deletionTimestamp !== undefined) {
      if (policy === 'Owner' && spec.target?.deletionPolicy === 'Delete')
        await api.send('DELETE', `${path}/${target}`);
      await setFinalizers(
        name,
        (metadata.finalizers ?? []).filter((one) => one !== FINALIZER),
      );
      return;
    }
    if (metadata.finalizers?.includes(FINALIZER) !== true) {
      await setFinalizers(name, [...(metadata.finalizers ?? []), FINALIZER]);
    }
    if (state.failure !== undefined) return report(item, state.failure);
    const done = policy === 'None' || (await writeSecret(item, { path, target, policy }));
    if (done) await report(item, undefined);
  };

  const setFinalizers = async (name: string, finalizers: readonly string[]): Promise<void> => {
    await api.send('PATCH', `${collection}/${name}`, { metadata: { finalizers } }, MERGE_PATCH);
  };

  const writeSecret = async (
    { metadata, spec }: ExternalSecret,
    where: { readonly path: string; readonly target: string; readonly policy: string },
  ): Promise<boolean> => {
    const values = options.stores[spec.secretStoreRef?.name ?? '']?.() ?? {};
    const chosen =
      spec.data === undefined
        ? Object.entries(values).map(([key, value]) => [key, Buffer.from(value, 'latin1')] as const)
        : spec.data.map(({ secretKey, remoteRef: { key, property, decodingStrategy } }) => {
            const encoding = decodingStrategy === 'Base64' ? 'base64' : 'latin1';
            const value = values[property === undefined ? key : `${key}/${property}`];
            return [secretKey, Buffer.from(value ?? '', encoding)] as const;
          });
    const data = Object.fromEntries(chosen.map(([key, bytes]) => [key, bytes.toString('base64')]));
    const found = await api.send<Secret>('GET', `${where.path}/${where.target}`);
    const before = found.status === 200 ? found.body : undefined;
    const owner = {
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      name: metadata.name,
      uid: metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    };
    const owns = where.policy === 'Owner';
    const others = (before?.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== metadata.uid);
    const wasOwner = others.length < (before?.metadata.ownerReferences ?? []).length;
    const keeps = options.keepsOwner === true && wasOwner;
    const labels = { ...metadata.labels, ...before?.metadata.labels, [`${MARKS}/managed`]: 'true' };
    const body = {
      metadata: {
        name: where.target,
        labels: owns
          ? { ...labels, [`${MARKS}/created-by`]: hash(metadata.name) }
          : without(labels, `${MARKS}/created-by`),
        annotations: { ...before?.metadata.annotations, [`${MARKS}/data-hash`]: hash(data) },
        ownerReferences: owns || keeps ? [...others, owner] : others,
        ...(before === undefined ? {} : { resourceVersion: before.metadata.resourceVersion }),
      },
      data,
    };
    if (before === undefined) return (await api.send('POST', where.path, body)).status === 201;
    if (same(before, body)) return true;
    return (await api.send('PUT', `${where.path}/${where.target}`, body)).status === 200;
  };

  const report = async ({ metadata }: ExternalSecret, failure: string | undefined): Promise<void> => {
    const ok = failure === undefined;
    const condition = {
      type: 'Ready',
      status: ok ? 'True' : 'False',
      reason: ok ? 'SecretSynced' : 'SecretSyncedError',
      message: failure ?? 'secret synced',
      lastTransitionTime: new Date().toISOString(),
    };
    const synced = {
      refreshTime: new Date().toISOString(),
      syncedResourceVersion: `${metadata.generation}-ab12`,
    };
    const status = { conditions: [condition], ...(ok ? synced : {}) };
    await api.send('PATCH', `${collection}/${metadata.name}/status`, { status }, MERGE_PATCH);
  };

  const passes = async (): Promise<void> => {
    await pass();
    const pushing = await api.request<{ readonly items: readonly PushSecret[] }>('GET', pushes);
    for (const item of pushing.items) await push(item);
  };

  const work = async (): Promise<void> => {
    while (!state.stopped) {
      // As any controller: what fails is tried again.
      if (!state.paused) await passes().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const working = work();
  return {
    emptied,
    fail: (message) => void (state.failure = message),
    pause: (paused) => void (state.paused = paused),
    async stop() {
      state.stopped = true;
      await working;
    },
  };
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}

function without(map: Readonly<Record<string, string>>, key: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));
}

function same(before: Secret, after: Secret): boolean {
  const sorted = (map: Readonly<Record<string, string>> = {}): readonly string[] =>
    Object.entries(map)
      .map(([key, value]) => `${key}=${value}`)
      .toSorted();
  const facts = ({ metadata, data }: Secret): string =>
    JSON.stringify([
      sorted(data),
      sorted(metadata.labels),
      metadata.annotations?.[`${MARKS}/data-hash`],
      (metadata.ownerReferences ?? []).map(({ uid }) => uid),
    ]);
  return facts(before) === facts(after);
}
