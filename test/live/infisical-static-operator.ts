/**
 * A stand-in for the controller of InfisicalStaticSecrets that really reads the stand-in of Infisical, as that of v0.11
 * was seen to act: it takes a Secret that is there without owning it, looks at nothing of it but its own annotation,
 * and tells which generation it has read.
 */
import { createHash } from 'node:crypto';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import type { SyncTemplate } from './infisical-operator.ts';
import { rendered } from './infisical-operator.ts';

const GROUP = 'secrets.infisical.com';
const VERSION = `${GROUP}/version`;
const MERGE_PATCH = { contentType: 'application/merge-patch+json' };

interface Target {
  readonly name: string;
  readonly creationPolicy?: string;
  readonly secretType?: string;
  readonly template?: SyncTemplate;
}

interface InfisicalStaticSecret {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly sources: readonly { readonly environmentSlug: string; readonly secretPath: string }[];
    readonly targets: readonly Target[];
  };
}

interface Secret {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export function startStaticOperator(
  api: ApiClient,
  namespace: string,
  infisical: () => InfisicalServer,
): { stop(): Promise<void> } {
  const state = { stopped: false };
  const collection = `/apis/${GROUP}/v1beta1/namespaces/${namespace}/infisicalstaticsecrets`;
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;

  const reconcile = async ({ metadata, spec }: InfisicalStaticSecret): Promise<void> => {
    const { name, uid, generation, labels, annotations, deletionTimestamp } = metadata;
    const [[source], [target]] = [spec.sources, spec.targets];
    if (source === undefined || target === undefined || deletionTimestamp !== undefined) return;
    const values = infisical().valuesAt(source.environmentSlug, source.secretPath);
    if (values === undefined) return report(name, generation, `Folder '${source.secretPath}' was not found`);
    const data = rendered(target.template, values);
    const sum = createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 8);
    const version = `W/"secrets-${Object.keys(data).length}-${sum.toUpperCase()}"`;
    const found = await api.send<Secret>('GET', `${secrets}/${target.name}`);
    const made = { labels, annotations: { ...annotations, [VERSION]: version } };
    if (found.status !== 200) {
      const reference = { apiVersion: `${GROUP}/v1beta1`, kind: 'InfisicalStaticSecret', name, uid };
      const owner = { ...reference, controller: true, blockOwnerDeletion: true };
      await api.request('POST', secrets, {
        metadata: {
          ...made,
          name: target.name,
          ownerReferences: target.creationPolicy === 'Owner' ? [owner] : [],
        },
        type: target.secretType ?? 'Opaque',
        data,
      });
    } else if (found.body.metadata.annotations?.[VERSION] !== version) {
      const { metadata: before } = found.body;
      await api.request('PUT', `${secrets}/${target.name}`, {
        ...found.body,
        metadata: {
          ...before,
          labels: { ...before.labels, ...labels },
          annotations: { ...before.annotations, ...made.annotations },
        },
        data,
      });
    }
    await report(name, generation, undefined);
  };

  const report = async (name: string, generation: number, failure: string | undefined): Promise<void> => {
    const now = new Date().toISOString();
    const told = (type: string, status: boolean, message: string): object => ({
      type: `${GROUP}/${type}`,
      status: status ? 'True' : 'False',
      reason: status ? 'OK' : 'Error',
      message,
      observedGeneration: generation,
      lastTransitionTime: now,
    });
    const ok = failure === undefined;
    const conditions = [
      told('LastReconcileStatus', ok, ok ? 'Reconciliation successful' : `Reconciliation failed: ${failure}`),
      ...(ok ? [told('LastSuccessfulReconcileAt', true, now)] : []),
    ];
    await api.send('PATCH', `${collection}/${name}/status`, { status: { conditions } }, MERGE_PATCH);
  };

  const passes = async (): Promise<void> => {
    const { items } = await api.request<{ readonly items: readonly InfisicalStaticSecret[] }>(
      'GET',
      collection,
    );
    for (const item of items) await reconcile(item);
  };

  const work = async (): Promise<void> => {
    while (!state.stopped) {
      // As any controller: what fails is tried again.
      await passes().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const working = work();
  return {
    async stop() {
      state.stopped = true;
      await working;
    },
  };
}
